"""The company's token names by API."""

from marshmallow import ValidationError
from sqlalchemy import select

from server.api.manage import blueprint_of
from server.api.resource import Resource, Values, add
from server.companies.models import Company
from server.leads.models import Token
from server.leads.token_names import TokenFilter, TokenSchema
from server.lib import clock
from server.lib.db import db


def name_the_hidden(company: Company, wanted: Values, row: Token | None) -> None:
    """A name that was deleted is kept, so that leads do not bring it back: it can only be restored."""
    query = select(Token.id).where(
        Token.company_id == company.id, Token.name == wanted["name"], Token.deleted_at.is_not(None)
    )
    hidden = db.session.scalar(query) if row is None else None
    if hidden is not None:
        raise ValidationError({"name": [f"is taken: restore the deleted token {hidden} instead"]})


def create_token_name(company: Company, wanted: Values) -> tuple[Token, Values]:
    """A name that no lead has brought yet; those that leads make have no `updated_at`, for intake is spare."""
    now = clock.now()
    return add(Token(company_id=company.id, created_at=now, updated_at=now, **wanted)), {}


TOKENS = Resource(
    one="token",
    many="tokens",
    model=Token,
    schema=TokenSchema,
    filters=TokenFilter,
    fixed=frozenset({"name"}),
    complete=name_the_hidden,
    create=create_token_name,
)

blueprint = blueprint_of("token_names", TOKENS)
