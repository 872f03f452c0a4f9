"""Snippets as the API and the console show them."""

from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields

from server.consent.rules import read_language
from server.consent.schemas import Url
from server.embed.words import OCCASIONS
from server.lead_tokens.schemas import Origins, SeenOrigins
from server.leads.params import RESERVED
from server.leads.tokens import LONGEST_NAME, token_name
from server.lib.fields import Hash, RowId, Switch, Text, described

MOST_NAMES = 100
LONGEST_INPUT = 255
MOST_LANGUAGES = 50
LONGEST_MESSAGE = 300
# What a field or a parameter can fill beside tokens.
OF_FIELDS = ("caller_id", "email", "sub_id", "traffic_source_id")
OF_PARAMETERS = ("sub_id", "traffic_source_id")
# Names that mean something else to JavaScript than to a page.
NOT_IN_SCRIPTS = frozenset({"__proto__"})
NAMES = "must be an object: a name of the page to the name of the lead's"
MESSAGES = "must be an object: a language to an object of texts"


class Names(fields.Field[dict[str, str]]):
    """What the page's names are for a lead: one of a few parameters, or a token."""

    def __init__(self, description: str, example: dict[str, str], known: Iterable[str], **more: Any) -> None:
        super().__init__(**described(description, example, NAMES, more))
        self.known = tuple(known)
        self.target = Text("A parameter of the lead or the name of a token.", "first_name", longest=LONGEST_NAME)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        # An empty field is how a form says an empty object.
        value = {} if value == "" else value
        if not isinstance(value, dict):
            raise ValidationError(NAMES)
        if len(value) > MOST_NAMES:
            raise ValidationError(f"must hold at most {MOST_NAMES}")
        return {name: self.read(name, target) for name, target in value.items()}

    def read(self, name: str, sent: Any) -> str:
        """What one name is for; raises ValidationError naming it."""
        if not name.strip() or len(name) > LONGEST_INPUT or name in NOT_IN_SCRIPTS:
            text = f"is no name of a field or a parameter; send one of 1 to {LONGEST_INPUT} characters"
            raise ValidationError({name[:64]: [text]})
        try:
            target: str = self.target.deserialize(sent)
        except ValidationError as error:
            raise ValidationError({name[:64]: error.messages}) from error
        if target in self.known:
            return target
        token = token_name(target)
        if not token or token in RESERVED or len(token) > LONGEST_NAME:
            which = ", ".join(self.known)
            raise ValidationError({name[:64]: [f"cannot fill {target!r:.80}; send {which} or the name of a token"]})
        return token


class Messages(fields.Field[dict[str, dict[str, str]]]):
    """What visitors are told, by language and occasion."""

    def __init__(self, description: str, example: dict[str, dict[str, str]], **more: Any) -> None:
        super().__init__(**described(description, example, MESSAGES, more))
        self.text = Text("What is said.", "Thank you. We call you within the hour.", longest=LONGEST_MESSAGE)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        value = {} if value == "" else value
        if not isinstance(value, dict):
            raise ValidationError(MESSAGES)
        if len(value) > MOST_LANGUAGES:
            raise ValidationError(f"must hold at most {MOST_LANGUAGES}")
        read: dict[str, dict[str, str]] = {}
        for written, texts in value.items():
            language = read_language(written)
            if language is None or language in read:
                text = "is the same language as another" if language else "is not a language, such as en or es-MX"
                raise ValidationError({written[:64]: [text]})
            read[language] = self.read(written, texts)
        return read

    def read(self, language: str, texts: Any) -> dict[str, str]:
        """The texts of one language; raises ValidationError naming it."""
        if not isinstance(texts, dict):
            raise ValidationError({language: [f"must be an object with any of: {', '.join(OCCASIONS)}"]})
        strange = [name for name in texts if name not in OCCASIONS]
        if strange:
            raise ValidationError({language: {strange[0][:64]: [f"is unknown; send any of: {', '.join(OCCASIONS)}"]}})
        try:
            return {name: str(self.text.deserialize(text)) for name, text in texts.items()}
        except ValidationError as error:
            raise ValidationError({language: error.messages}) from error


class SnippetSchema(Schema):
    """A snippet: what a landing page gets, with the publishable lead token that it sends leads with."""

    name = Text("What people call it: the page that has it.", "Solar landing page", required=True)
    schedule_id = RowId("The schedule that its leads enter.", 1, allow_none=True, load_default=None)
    offer_id = RowId("The offer that its leads wait for.", 1, allow_none=True, load_default=None)
    traffic_source_id = RowId("The traffic source of leads that name none.", 1, allow_none=True, load_default=None)
    disclosure_id = RowId(
        "The disclosure that its pages show. A new snippet that names none gets one of its own.",
        1,
        allow_none=True,
        load_default=None,
    )
    allowed_origins = Origins("The pages that may use it; an empty list learns which they are, and takes all.")
    allowed_redirects = Origins(
        "Where a page may send its visitor on to, beside its own site; that of `thank_you_url` is always among them."
    )
    allows_callbacks = Switch("Whether its pages may book callbacks.", load_default=False)
    field_map = Names(
        "What inputs of the page are, by their names, where those do not say it: `caller_id`, `email`, `sub_id`,"
        " `traffic_source_id` or the name of a token.",
        {"your-phone": "caller_id", "zip": "zip_code"},
        OF_FIELDS,
        load_default=dict,
    )
    parameters = Names(
        "What further parameters of the page's URL are: `traffic_source_id`, `sub_id` or the name of a token.",
        {"aff": "sub_id"},
        OF_PARAMETERS,
        load_default=dict,
    )
    messages = Messages(
        "What visitors are told, by language, in place of our words: `consent` where the box is not ticked, `phone` at"
        " a number that is none, `sending`, `sent`, `refused` (also at each field), `failed`.",
        {"en": {"sent": "Thank you. We call you within the hour."}},
        load_default=dict,
    )
    thank_you_url = Url(
        "Where a visitor goes whose lead was taken; null stays on the page.",
        "https://shop.example/thanks",
        allow_none=True,
        load_default=None,
    )
    carry = Switch(
        "Whether links within a site carry the click on, so that a form on a later page knows of it.",
        load_default=True,
    )
    seen_origins = SeenOrigins()
    lead_token = Text("Its publishable lead token.", "pub_0123456789abcdef0123456789abcdef", dump_only=True)
    lead_token_id = RowId("The same by its id.", 1, dump_only=True)
    html = Text(
        "The line that a page needs.",
        '<script src="https://leads.example.com/s/pub_0123456789abcdef0123456789abcdef.js" async></script>',
        dump_only=True,
    )
    urls = Hash(
        "Where its script is (`script`), where leads go (`leads`), and what checks a page (`check`).",
        {"script": "https://leads.example.com/s/pub_0123456789abcdef0123456789abcdef.js"},
        dump_only=True,
    )


class SnippetFilter(Schema):
    """The filters of the list of snippets."""

    name = Text("Only snippets of exactly this name.", "Solar landing page")
    lead_token_id = RowId("Only the snippet of this lead token.", 1)
