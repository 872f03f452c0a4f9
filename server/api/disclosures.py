"""Disclosures by API: the consent texts of landing pages. A version never changes: it is published, and followed."""

from dataclasses import asdict
from typing import Any

from flask import Response, current_app, g, request
from marshmallow import ValidationError
from sqlalchemy import ColumnElement, select

from server.api import editing, keys
from server.api.answers import json_answer
from server.api.leads import on_record
from server.api.manage import blueprint_of, listed, read_sent, refuse_any
from server.api.records import filters
from server.api.resource import DELETE, RESTORE, UPDATE, Resource, Values, add, version
from server.companies.models import Company
from server.companies.queries import KeyHolder
from server.consent.lint import Lint, lint
from server.consent.models import Disclosure, DisclosureVersion
from server.consent.operations import add_version, publish
from server.consent.queries import current_version, texts_of
from server.consent.render import Shown, links_of, rendered
from server.consent.rules import content_of
from server.consent.schemas import (
    ContentSchema,
    DisclosureFilter,
    DisclosureSchema,
    PreviewFilter,
    ReviewSchema,
    VersionFilter,
    VersionSchema,
)
from server.embed.models import Snippet
from server.errors import Refused
from server.lead_tokens.models import LeadToken
from server.leads.params import invalid
from server.leads.posting import Posting
from server.leads.reviewed import Released, release_reviewed
from server.lib import clock
from server.lib.db import commit, db
from server.lib.fields import MOST_NAMED

RELEASES = "leads:update"


def version_conditions(company: Company, asked: Values) -> list[ColumnElement[bool]]:
    """The filters that were sent, as conditions."""
    # Who has the address of a text, from a consent record, finds it also where it had to make room for others.
    conditions: list[ColumnElement[bool]] = [] if "content_hash" in asked else [DisclosureVersion.retired_at.is_(None)]
    for name, value in asked.items():
        if name == "published":
            column = DisclosureVersion.published_at
            conditions.append(column.is_not(None) if value else column.is_(None))
        else:
            conditions.append(getattr(DisclosureVersion, name) == value)
    return conditions


def refuse_in_use(company: Company, row: Disclosure) -> None:
    """A disclosure is not deleted while pages show it: their visitors would agree to nothing that anybody keeps."""
    query = (
        select(LeadToken, Snippet.id, Snippet.name)
        .outerjoin(Snippet, Snippet.lead_token_id == LeadToken.id)
        .where(LeadToken.company_id == company.id, LeadToken.disclosure_id == row.id, LeadToken.disabled_at.is_(None))
        .order_by(LeadToken.id)
        .limit(MOST_NAMED)
    )
    places = [place_of(token, snippet_id, name) for token, snippet_id, name in db.session.execute(query)]
    if places:
        text = f"is still in use by {'; '.join(places)}. Choose another disclosure there, or delete them, first"
        raise ValidationError({"id": [text]})


def place_of(token: LeadToken, snippet_id: int | None, snippet_name: str | None) -> str:
    """Where a disclosure is used, as people find it: `the snippet 3 (Solar page) of the schedule 2`."""
    what, row_id, name = "lead token", token.id, token.name
    if snippet_id is not None and snippet_name is not None:
        what, row_id, name = "snippet", snippet_id, snippet_name
    return f"the {what} {row_id} ({name}) of the {token.owner_kind.replace('_', ' ')} {token.owner_id}"


# What its first text is made of.
FIRST = frozenset(ContentSchema().load_fields) - {"language"}


def create(company: Company, wanted: Values) -> tuple[Disclosure, Values]:
    """A disclosure, with its first text published where one is sent; raises ValidationError for what that lacks."""
    content = {name: wanted.pop(name) for name in FIRST}
    if not any(content.values()):
        return add(Disclosure(company_id=company.id, **wanted)), {}
    content["language"] = wanted["default_language"]
    lacks = {name: ["is missing beside the rest of the text"] for name in ("text", "label") if not content[name]}
    errors = lacks or lint(content).errors
    if errors:
        raise ValidationError(errors)
    row = add(Disclosure(company_id=company.id, **wanted))
    text, _ = add_version(row, content, clock.now())
    publish(row, text, clock.now())
    db.session.flush()
    db.session.refresh(row)
    return row, {}


DISCLOSURES = Resource(
    one="disclosure",
    many="disclosures",
    model=Disclosure,
    schema=DisclosureSchema,
    filters=DisclosureFilter,
    fixed=FIRST,
    create=create,
    removable=refuse_in_use,
)
# It stands within its disclosure, and its routes below.
VERSIONS = Resource(
    one="version",
    many="versions",
    model=DisclosureVersion,
    schema=VersionSchema,
    filters=VersionFilter,
    ended=None,
    conditions=version_conditions,
    without=frozenset({UPDATE, DELETE, RESTORE}),
)

blueprint = blueprint_of("disclosures", DISCLOSURES)


@blueprint.post("/disclosures/lint")
def lint_text() -> Response:
    """What a text would lack, which is kept nowhere."""
    _, sent = read_sent(DISCLOSURES.reads)
    content = editing.read_by(ContentSchema(), sent)
    return json_answer({"lint": said(lint(content | {"language": content["language"] or "en"}))})


@blueprint.get("/disclosures/<row_id>/preview")
def preview(row_id: str) -> Response:
    """What a visitor of a language is shown now."""
    key = keys.require(request, DISCLOSURES.reads)
    disclosure = editing.find(DISCLOSURES, key.company_id, row_id)
    shown = current_version(disclosure, filters(PreviewFilter()).get("language"))
    if shown is None:
        published = ", ".join(disclosure.current) or "nothing"
        text = f"has no published text here, nor has the default, {disclosure.default_language}; there is: {published}"
        raise Refused("not_found", f"The language {text}", {"language": [text]})
    return json_answer({"preview": previewed(shown)})


@blueprint.get("/disclosures/<row_id>/versions")
def list_versions(row_id: str) -> Response:
    """A page of its versions, drafts too."""
    key = keys.require(request, VERSIONS.reads)
    disclosure = editing.find(DISCLOSURES, key.company_id, row_id)
    company = db.session.get_one(Company, key.company_id)
    own = DisclosureVersion.disclosure_id == disclosure.id
    rows, metadata = listed(VERSIONS, company, filters(VERSIONS.listing()), own)
    return json_answer({"versions": [VERSIONS.view(row) for row in rows], "metadata": metadata})


@blueprint.post("/disclosures/<row_id>/versions")
def create_version(row_id: str) -> Response:
    """Keeps a text as a draft; the same again is the version that is there."""
    key, sent = read_sent(VERSIONS.writes)
    company = editing.begin_edit(key.company_id)
    disclosure = editing.find(DISCLOSURES, company.id, row_id)
    editing.refuse_deleted(DISCLOSURES, disclosure)
    content = editing.read_by(ContentSchema(), sent)
    content["language"] = content["language"] or disclosure.default_language
    with editing.judged(VERSIONS):
        row, created = add_version(disclosure, content, clock.now())
    answer = answered(row, action="created" if created else "unchanged")
    commit()
    return answer


@blueprint.get("/disclosures/<row_id>/versions/<version_id>")
def show_version(row_id: str, version_id: str) -> Response:
    """One version with what it lacks."""
    key = keys.require(request, VERSIONS.reads)
    return answered(find_version(editing.find(DISCLOSURES, key.company_id, row_id), version_id))


@blueprint.get("/disclosures/<row_id>/versions/<version_id>/preview")
def preview_version(row_id: str, version_id: str) -> Response:
    """What visitors will be shown once a draft is published, or were shown."""
    key = keys.require(request, VERSIONS.reads)
    row = find_version(editing.find(DISCLOSURES, key.company_id, row_id), version_id)
    return json_answer({"preview": previewed(row)})


@blueprint.post("/disclosures/<row_id>/versions/<version_id>/publish")
def publish_version(row_id: str, version_id: str) -> Response:
    """Shows a version to the visitors of its language from now on; raises Refused for one that lacks something."""
    key, sent = read_sent(VERSIONS.writes)
    company = editing.begin_edit(key.company_id)
    disclosure = editing.find(DISCLOSURES, company.id, row_id, lock=True)
    row = find_version(disclosure, version_id)
    editing.refuse_stale(row, request.if_match, sent.pop("updated_at", None))
    refuse_any(sent)
    editing.refuse_deleted(DISCLOSURES, disclosure)
    errors = lint(content_of(row)).errors
    if errors:
        raise invalid(errors)
    if not row.is_current:
        publish(disclosure, row, clock.now())
        db.session.flush()
    answer = answered(row)
    commit()
    return answer


@blueprint.post("/disclosures/<row_id>/versions/<version_id>/review")
def review_version(row_id: str, version_id: str) -> Response:
    """Stands by a text that was learned from a page: leads that agreed to it are held no more from now on. With
    `release_leads` those go that are held for it already."""
    key, sent = read_sent(VERSIONS.writes)
    seen = sent.pop("updated_at", None)
    releases = editing.read_by(ReviewSchema(), sent)["release_leads"]
    if releases:
        keys.refuse_without(key, RELEASES)
    company = editing.begin_edit(key.company_id)
    row = find_version(editing.find(DISCLOSURES, company.id, row_id), version_id)
    editing.refuse_stale(row, request.if_match, seen)
    if row.reviewed_at is None:
        row.review(clock.now())
        row.updated_at = clock.after(row.updated_at)
    shown, etag, texts = about(row), f'"{version(row)}"', texts_of(row)
    commit()
    leads = asdict(release_leads(key, row.id, texts)) if releases else None
    return json_answer(shown | {"leads": leads}, headers={"ETag": etag})


def release_leads(key: KeyHolder, version_id: int, texts: frozenset[str]) -> Released:
    """Lets the leads go that are held for a text, as who has this key."""
    posting = Posting(
        endpoint="release",
        query={},
        body={},
        now=clock.now(),
        request_id=g.request_id,
        own_origin="",
        by_key=True,
        because=f"the text that its visitor agreed to was reviewed as the version {version_id}",
        key=key,
        key_sent=True,
        remote_ip=request.remote_addr,
        user_agent=on_record(request.headers.get("User-Agent")),
    )
    return release_reviewed(current_app.extensions["ledger"], posting, key.company_id, texts)


def find_version(disclosure: Disclosure, text: str) -> DisclosureVersion:
    """A version of this disclosure; raises the 404 that any other gets too."""
    row: DisclosureVersion = editing.find(VERSIONS, disclosure.company_id, text)
    if row.disclosure_id != disclosure.id:
        raise editing.unknown(VERSIONS)
    return row


def answered(row: DisclosureVersion, **more: Any) -> Response:
    """A version with what was found in it, and its state."""
    return json_answer(about(row) | more, headers={"ETag": f'"{version(row)}"'})


def about(row: DisclosureVersion) -> Values:
    """A version with what was found in it."""
    return {"version": VERSIONS.view(row), "lint": said(lint(content_of(row)))}


def said(found: Lint) -> Values:
    """What was found in a text, as the API shows it."""
    names = ("element", "parameter", "message", "why", "add")
    lacks = [{name: getattr(lack, name) for name in names} for lack in found.lacks]
    return {"passes": found.passes, "lacks": lacks, "warnings": [*found.warnings]}


def previewed(row: DisclosureVersion) -> Values:
    """A version as a page shows it."""
    shown = Shown(row.language, row.text, row.label, row.terms_url, row.privacy_url)
    return {
        "version_id": row.id,
        "content_hash": row.content_hash,
        "language": row.language,
        "text": row.text,
        "label": row.label,
        "links": [link._asdict() for link in links_of(shown)],
        "html": str(rendered(shown)),
    }
