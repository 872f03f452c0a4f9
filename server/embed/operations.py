"""Making snippets and keeping their builds. Nothing here commits."""

from typing import Any

from server.consent.models import Disclosure
from server.embed.build import Build
from server.embed.models import Snippet, SnippetBuild
from server.embed.queries import has_build
from server.lead_tokens.models import LeadToken
from server.lead_tokens.operations import create_token
from server.lead_tokens.rules import origin_of
from server.lib.db import db

# What is the snippet's own; the rest is its token's, under the name that the token has for it.
OWN = ("name", "field_map", "parameters", "messages", "thank_you_url", "carry")
OF_TOKEN = {
    "name": "name",
    "traffic_source_id": "default_traffic_source_id",
    "disclosure_id": "disclosure_id",
    "allowed_origins": "allowed_origins",
    "allowed_redirects": "allowed_redirects",
    "allows_callbacks": "allows_callbacks",
}


def create_snippet(company_id: int, owner_kind: str, owner_id: int, wanted: dict[str, Any]) -> Snippet:
    """A snippet with its publishable token; where no disclosure is named, with one under which the texts of its pages
    can be learned."""
    if wanted["disclosure_id"] is None:
        disclosure = Disclosure(company_id=company_id, name=wanted["name"])
        db.session.add(disclosure)
        db.session.flush()
        wanted = wanted | {"disclosure_id": disclosure.id}
    settings = {of_token: wanted[name] for name, of_token in OF_TOKEN.items()}
    token = create_token(company_id, owner_kind, owner_id, kind="publishable", **settings)
    return add_snippet(token, **{name: wanted[name] for name in OWN})


def add_snippet(token: LeadToken, **own: Any) -> Snippet:
    """The snippet of a publishable token that is there."""
    snippet = Snippet(company_id=token.company_id, lead_token_id=token.id, token=token, **own)
    db.session.add(snippet)
    db.session.flush()
    return snippet


def with_thanks(redirects: list[str], thank_you_url: str | None) -> list[str]:
    """Where visitors may be sent on to, with the site of the page that thanks them: a form without JavaScript is sent
    there by us."""
    site = origin_of(thank_you_url)
    return redirects if site is None or site in redirects else [*redirects, site]


def keep_build(snippet: Snippet, made: Build) -> None:
    """Keeps the bytes of a build whose address is given away; those that are there stay."""
    if has_build(snippet, made.hash):
        return
    row = SnippetBuild(
        company_id=snippet.company_id,
        snippet_id=snippet.id,
        hash=made.hash,
        version=made.version,
        body=made.body,
    )
    db.session.add(row)
    db.session.flush()
