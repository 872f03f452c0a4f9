"""The names under which a company's leads bring tokens, as the API and the console show them."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError

from server.leads.params import RESERVED
from server.leads.tokens import LONGEST_NAME, token_name
from server.lib.fields import Text, Word

KINDS = ("text", "numeric")


class TokenName(Text):
    """A name as leads bring it: what is left of a key after normalising."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        name = super()._deserialize(value, attr, data) or ""
        if name != token_name(name):
            meant = token_name(name)
            raise ValidationError("must be of a-z, 0-9 and _ inside" + (f", such as {meant}" if meant else ""))
        if name in RESERVED:
            raise ValidationError("is a parameter's name: no token is called so")
        return name


class TokenSchema(Schema):
    """A token's name; what a lead brings under it stands in the lead."""

    name = TokenName(
        "The name by which texts use it, as in `[loan_amount]`.", "loan_amount", longest=LONGEST_NAME, required=True
    )
    kind = Word("Whether reports may calculate with it.", "numeric", KINDS, load_default="text")
    description = Text(
        "What it means.", "The amount that was asked for.", longest=1000, allow_none=True, load_default=None
    )


class TokenFilter(Schema):
    """The filters of the list of token names."""

    name = Text("Only the token of this name.", "loan_amount")
    kind = Word("Only tokens of this kind.", "numeric", KINDS)
