"""The company's token names by API."""

from marshmallow import ValidationError
from sqlalchemy import select

from server.api.manage import blueprint_of
from server.api.resource import Resource, Values
from server.companies.models import Company
from server.leads.models import Token
from server.leads.token_names import TokenFilter, TokenSchema
from server.lib.db import db


def name_the_hidden(company: Company, wanted: Values, row: Token | None) -> None:
    """A name that was deleted is kept, so that leads do not bring it back: it can only be restored."""
    query = select(Token.id).where(
        Token.company_id == company.id, Token.name == wanted["name"], Token.deleted_at.is_not(None)
    )
    hidden = db.session.scalar(query) if row is None else None
    if hidden is not None:
        raise ValidationError({"name": [f"is taken: restore the deleted token {hidden} instead"]})


TOKENS = Resource(
    one="token",
    many="tokens",
    model=Token,
    schema=TokenSchema,
    filters=TokenFilter,
    fixed=frozenset({"name"}),
    complete=name_the_hidden,
)

blueprint = blueprint_of("token_names", TOKENS)
