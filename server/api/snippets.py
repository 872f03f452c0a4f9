"""Snippets by API: what landing pages get, with a lead token of their own, and the ways to put it on a page."""

from typing import Any

from flask import Response, request
from marshmallow import ValidationError

from server.api import editing, keys
from server.api.answers import json_answer
from server.api.embed import places
from server.api.manage import blueprint_of, opened
from server.api.records import filters
from server.api.resource import Resource, Values, write_attributes
from server.companies.models import Company
from server.consent.models import Disclosure
from server.consent.rules import falls_back
from server.consent.schemas import PreviewFilter
from server.embed import variants
from server.embed.build import Build, build, integrity
from server.embed.models import Snippet, SnippetBuild
from server.embed.operations import OF_TOKEN, OWN, create_snippet, keep_build, with_thanks
from server.embed.queries import builds_of, has_build, hosted_of, texts_of
from server.embed.rules import Facts, Places, Text, configuration
from server.embed.schemas import SnippetFilter, SnippetSchema
from server.lib import clock
from server.lib.db import commit, db
from server.offers.models import Offer
from server.schedules.models import Schedule
from server.sources.models import TrafficSource

OWNERS = {"schedule_id": "schedule", "offer_id": "offer"}
# How many builds are shown, the latest first.
MOST_BUILDS = 100


def complete_snippet(company: Company, wanted: Values, row: Any) -> None:
    """One owner; the site of the page that thanks is one where visitors may be sent."""
    sent = [name for name in OWNERS if wanted[name] is not None]
    if len(sent) != 1:
        raise ValidationError({name: [f"send exactly one of {', '.join(OWNERS)}"] for name in sent or ["schedule_id"]})
    wanted["allowed_redirects"] = with_thanks(wanted["allowed_redirects"], wanted["thank_you_url"])


def create(company: Company, wanted: Values) -> tuple[Snippet, Values]:
    """A snippet of its owner."""
    name = next(name for name in OWNERS if wanted[name] is not None)
    return create_snippet(company.id, OWNERS[name], wanted[name], wanted), {}


def change(company: Company, row: Snippet, wanted: Values) -> None:
    """Writes what is the snippet's own, and the rest on its token: that is another state of both."""
    write_attributes(company, row, {name: wanted[name] for name in OWN})
    write_attributes(company, row.token, {of_token: wanted[name] for name, of_token in OF_TOKEN.items()})
    if db.session.is_modified(row.token):
        editing.touch(row.token)
        editing.touch(row)


def end_token(row: Snippet, at: Any) -> None:
    """Its token takes no leads from then on, or takes them again."""
    row.token.disabled_at = at
    editing.touch(row.token)


def shown(row: Snippet) -> Values:
    """A snippet with its addresses, as whoever asks reaches us."""
    where = places()
    urls = {"script": where.script(row.lead_token), "leads": where.leads, "check": where.check}
    return {**SnippetSchema().dump(row), "html": variants.hosted(row.lead_token, where), "urls": urls}


def warnings_of(row: Snippet) -> list[dict[str, str]]:
    """What keeps its pages from sending leads."""
    if texts_of(db.session.connection(), row.company_id, row.disclosure_id):
        return []
    where = f"disclosures/{row.disclosure_id}/versions" if row.disclosure_id else "disclosures"
    message = (
        "There is no published consent text, so that a page without a consent box of its own sends nothing."
        f" Send a text to POST /api/v1/{where} and publish it, or mark the page's own box with data-lead-consent."
    )
    return [{"param": "disclosure_id", "code": "text_unpublished", "message": message}]


SNIPPETS = Resource(
    one="snippet",
    many="snippets",
    model=Snippet,
    schema=SnippetSchema,
    filters=SnippetFilter,
    fixed=frozenset(OWNERS),
    references={
        "schedule_id": Schedule,
        "offer_id": Offer,
        "traffic_source_id": TrafficSource,
        "disclosure_id": Disclosure,
    },
    complete=complete_snippet,
    create=create,
    change=change,
    ends=end_token,
    shown=shown,
    warns=warnings_of,
    moving=frozenset({"seen_origins"}),
)

blueprint = blueprint_of("snippets", SNIPPETS)


@blueprint.get("/snippets/<row_id>/embed")
def embed(row_id: str) -> Response:
    """The ways to put it on a page, ready to copy. Those that name a build are there once that build is published."""
    key = keys.require(request, SNIPPETS.reads)
    snippet = editing.find(SNIPPETS, key.company_id, row_id)
    editing.refuse_deleted(SNIPPETS, snippet)
    return embedded(snippet, places(), filters(PreviewFilter()).get("language"))


@blueprint.post("/snippets/<row_id>/publish")
def publish(row_id: str) -> Response:
    """Keeps its present build, so that its address can be given away, and shows the ways to put it on a page."""
    _, snippet, sent = opened(SNIPPETS, row_id)
    language = editing.read_by(PreviewFilter(), sent).get("language")
    editing.refuse_deleted(SNIPPETS, snippet)
    where = places()
    keep_build(snippet, build(configuration(hosted_of(snippet).facts, where)))
    answer = embedded(snippet, where, language)
    commit()
    return answer


def embedded(snippet: Snippet, where: Places, language: str | None) -> Response:
    """The ways to put a snippet on a page, and its builds."""
    facts = hosted_of(snippet).facts
    made = build(configuration(facts, where))
    shown = ways(facts, where, made if has_build(snippet, made.hash) else None, language)
    builds = [seen(facts, where, each) for each in builds_of(snippet, MOST_BUILDS)]
    return json_answer({"embed": shown, "builds": builds, "warnings": warnings_of(snippet)})


def ways(facts: Facts, where: Places, made: Build | None, language: str | None) -> Values:
    """All that can be copied, with the text of a language in those that show it; of a build, if it is there."""
    text = text_in(facts, language)
    return {
        "hosted": variants.hosted(facts.token, where),
        "versioned": variants.versioned(facts.token, where, made.hash) if made else None,
        **{name: variants.inline(name, facts, where, text) for name in variants.INLINE},
        "csp": variants.policy(where.origin),
        "download": where.build(facts.token, made.hash) if made else None,
        "language": text.shown.language if text else None,
        "evidence": dict(variants.EVIDENCE),
    }


def text_in(facts: Facts, language: str | None) -> Text | None:
    """What a visitor of a language is shown; None where nothing is published that it falls back to."""
    texts = {text.shown.language: text for text in facts.texts}
    return next((texts[each] for each in falls_back(language, facts.default_language) if each in texts), None)


def seen(facts: Facts, where: Places, row: SnippetBuild) -> Values:
    """A build as it is listed."""
    return {
        "version": row.version,
        "hash": row.hash,
        "integrity": integrity(row.hash),
        "url": where.build(facts.token, row.hash),
        "created_at": clock.text(row.created_at),
    }
