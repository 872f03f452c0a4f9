"""From a request's parameters to what was asked for: fields, tokens, credentials and switches. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError
from marshmallow.fields import Field

from server.errors import Refused
from server.leads.schemas import CONSENT, FIELDS, Text, load_sent
from server.leads.spelling import FLAGS, dry_run_inside, is_off, meant
from server.leads.tokens import LONGEST_NAME, capture, token_name
from server.lib.redact import SHORTEST, redact
from server.lib.wire import Note, Unreadable, first_bad_character, parse_json

# Names that are no field of the lead and still never become a token.
CONTROLS = frozenset(
    [
        "data_json",
        "auth_token",
        "id",
        "uuid",
        "lead_id",
        "format",
        "controller",
        "action",
        "utf8",
        "_method",
        "authenticity_token",
        "serializer",
        "root",
        "columns",
        "idempotency_key",
        "dry_run",
        "explain",
        "redirect_to",
        "redirect_error",
        "google_key",
        "hub_verify_token",
        # What Formstack and Wufoo prove themselves with; it is a secret, and no part of a lead.
        "handshakekey",
    ]
)
RESERVED = frozenset(FIELDS) | CONTROLS

# The controls that something reads; any other that is sent is named in the warnings.
READ_CONTROLS = frozenset(
    [
        "data_json",
        "auth_token",
        "idempotency_key",
        "dry_run",
        "explain",
        "redirect_to",
        "redirect_error",
        "google_key",
    ]
)

# Of the keys inside `data`, exactly these fill the field that is absent at the top level; flags never do.
FILLED_FROM_DATA = ("caller_id", "email", "traffic_source_id", "sub_id")

TOKEN_PARAMETERS = {"lead_token": None, "schedule_lead_token": "schedule", "offer_lead_token": "offer"}

# Fields that lose no more than their end when they are too long. An id that is cut could be another lead's, and what
# was agreed to counts only as a whole.
CUT = ("email", "sub_id", "traffic_source_id", "contact_field_type")


# A request can hold forty thousand keys without a name.
MOST_WARNINGS = 100

# What people call a phone number when they do not call it caller_id.
PHONE_NAMES = (
    "phone",
    "phone_number",
    "phonenumber",
    "cell_phone",
    "cell",
    "mobile",
    "mobile_phone",
    "telephone",
    "tel",
)


@dataclass(slots=True)
class Asked:
    """One request, validated: `fields` hold what was sent of the schema, `tokens` the rest."""

    fields: dict[str, Any]
    tokens: dict[str, Any]
    controls: dict[str, Any]
    # Names of tokens that we made and nobody sent.
    made: set[str] = field(default_factory=set)
    warnings: list[dict[str, str]] = field(default_factory=list)

    def warn(self, param: str, code: str, message: str) -> None:
        """Says something to the sender that is no reason to refuse."""
        self.warnings.append({"param": param, "code": code, "message": message})


def warning_of(note: Note) -> dict[str, str]:
    """What the reader of the request noted, as a warning."""
    return {"param": note.parameter, "code": note.code, "message": note.message}


def blank(value: Any) -> bool:
    """Whether a value counts as absent."""
    return value is None or (isinstance(value, str) and not value.strip())


def sent_token(tree: Mapping[str, Any]) -> tuple[object, str | None]:
    """The lead token of a request and the kind of owner it is looked up among. The others are never tried in turn."""
    for name, owner_kind in TOKEN_PARAMETERS.items():
        if not blank(tree.get(name)):
            return tree[name], owner_kind
    return None, None


def read_asked(tree: Mapping[str, Any], notes: Iterable[Note] = ()) -> Asked:
    """Sorts and validates the parameters; raises Refused naming every field that is wrong. `notes` are what the reader
    of the request had to say of them."""
    fields: dict[str, Any] = {}
    controls: dict[str, Any] = {}
    stray: dict[str, Any] = {}
    for name, value in tree.items():
        if name not in RESERVED:
            stray[name] = value
        elif not blank(value):
            (fields if name in FIELDS else controls)[name] = value
    asked = Asked(fields, {}, controls, warnings=[warning_of(note) for note in notes])
    sort_tokens(asked, stray, read_data(asked))
    if "number" in asked.fields:
        asked.fields.setdefault("caller_id", asked.fields["number"])
    for name in sorted(controls.keys() - READ_CONTROLS):
        asked.warn(name, "no_effect", f"{name} is reserved and has no effect here.")
    try:
        asked.fields = load_fields(asked)
    except ValidationError as error:
        raise invalid(by_path(error.messages_dict)) from error
    for flag in ("dry_run", "explain"):
        if flag in controls:
            controls[flag] = read_flag(flag, controls[flag])
    return asked


def load_fields(asked: Asked) -> dict[str, Any]:
    """The validated fields. Only where they are not valid somebody looks for those that are merely too long."""
    try:
        return load_sent(asked.fields)
    except ValidationError:
        if not cut_long(asked):
            raise
    return load_sent(asked.fields)


def cut_long(asked: Asked) -> bool:
    """Whether a field was shortened that loses no more than its end by it; asked.fields hold what is left of it."""
    cut = [cut_field(asked, name, asked.fields, FIELDS[name]) for name in CUT]
    if isinstance(asked.fields.get("consent"), dict):
        asked.fields["consent"] = dict(asked.fields["consent"])
        cut.append(cut_field(asked, "consent.page_url", asked.fields["consent"], CONSENT["page_url"]))
    return any(cut)


def cut_field(asked: Asked, path: str, fields: dict[str, Any], kind: Field[Any]) -> bool:
    """Cuts a field to its length, aloud; whether it was too long."""
    name = path.rpartition(".")[2]
    value = fields.get(name)
    if not isinstance(value, str) or not isinstance(kind, Text) or len(value) <= kind.longest:
        return False
    # The blanks around a value are not its beginning.
    fields[name] = value.strip()[: kind.longest]
    if len(value.strip()) > kind.longest:
        text = (
            f"{path} has more than {kind.longest} characters. The lead keeps its beginning, the submission all of it."
        )
        asked.warn(path, "value_cut", text)
    return True


def by_path(errors: Mapping[str, Any]) -> dict[str, Any]:
    """What is wrong by parameter; within a hash by the member's path."""
    flat: dict[str, Any] = {}
    for name, texts in errors.items():
        flat |= {f"{name}.{inner}": each for inner, each in texts.items()} if isinstance(texts, dict) else {name: texts}
    return flat


def read_data(asked: Asked) -> dict[str, Any]:
    """The content of `data` and `data_json`; where both name a token, `data` wins."""
    data = asked.fields.get("data", {})
    if not isinstance(data, dict):
        raise invalid({"data": ["Must be a Hash"]})
    packed = asked.controls.get("data_json", {})
    if isinstance(packed, str):
        try:
            notes: list[Note] = []
            packed = parse_json(packed.encode(), notes=notes)
            asked.warnings.extend(warning_of(note._replace(parameter=f"data.{note.parameter}")) for note in notes)
        except (Unreadable, UnicodeError) as error:
            raise invalid({"data_json": ["Must be a JSON object as text"]}) from error
    if not isinstance(packed, dict):
        raise invalid({"data_json": ["Must be a JSON object as text"]})
    # Its escapes hid from whoever looked at the request as a whole.
    bad = first_bad_character(packed)
    if bad is not None:
        raise invalid_character(f"data.{bad}")
    return packed | {name: value for name, value in data.items() if not blank(value)}


def sort_tokens(asked: Asked, stray: Mapping[str, Any], inside: Mapping[str, Any]) -> None:
    """Makes tokens of the free keys. One that is spelt like a reserved name fills its field or is left out, aloud."""
    refuse_misspelt(stray)
    refuse_misspelt(inside, "data.")
    free: dict[str, Any] = {}
    for place, keys in (("", stray), ("data.", inside)):
        for key, value in keys.items():
            name = token_name(key)
            if blank(value):
                # A blank key without a name still counts: its neighbours are numbered by their place in the form.
                free.setdefault(key, value)
                continue
            # `_method` is the one reserved name that is no token's name.
            if name not in RESERVED and key.lower() not in RESERVED:
                free[key] = value
                near = meant(key)
                if near is not None:
                    asked.warn(place + key, "did_you_mean", f"{place + key} is kept as a token. Did you mean {near}?")
            elif (
                name in FILLED_FROM_DATA
                and name not in asked.fields
                and not (name == "caller_id" and "number" in asked.fields)
            ):
                asked.fields[name] = value
            elif asked.fields.get(name) != value:
                asked.warn(place + key, "no_effect", f"{place + key} is reserved and has no effect there.")
    captured = capture(free)
    # Form builders send along the address that they post to, and our token stands in it.
    asked.tokens = {
        name: value if type(value) is str and len(value) < SHORTEST else redact(value)
        for name, value in captured.tokens.items()
    }
    asked.warnings.extend(captured.warnings)
    shorten(asked.warnings)


def refuse_misspelt(keys: Mapping[str, Any], place: str = "") -> None:
    """Refuses a flag that would have no effect although somebody counts on it."""
    for key, value in keys.items():
        near = meant(key)
        if near is None and key != "dry_run" and type(value) is not dict:
            continue
        # In its right spelling a wish that stands in data is left out aloud; but that nothing be kept is no wish.
        flag = near if near in FLAGS else key if place and key == "dry_run" else None
        if flag is not None and not blank(value) and not is_off(value):
            raise misplaced(place + key, flag)
        hidden = dry_run_inside(value, place + key)
        if hidden is not None:
            raise misplaced(hidden, "dry_run")


def misplaced(path: str, flag: str) -> Refused:
    """The refusal of such a flag."""
    where = " beside data" if path.startswith("data.") else ""
    text = f"has no effect; did you mean {flag}{where}?"
    how = f"{path} {text} Send {flag}{where}, or give a field of your own another name."
    return Refused("invalid_parameter", f"{path} {text}", {path[:LONGEST_NAME]: [text]}, how)


def shorten(warnings: list[dict[str, str]]) -> None:
    """Leaves so many warnings about keys as somebody reads, and says how many more there were."""
    more = len(warnings) - MOST_WARNINGS
    if more > 0:
        del warnings[MOST_WARNINGS:]
        warnings.append({"param": "data", "code": "more_warnings", "message": f"{more} more keys were warned of."})


def read_flag(name: str, value: Any) -> bool:
    """A switch that is no field of the lead, in the words of every other boolean."""
    try:
        return bool(FIELDS["blocked"].deserialize(value))
    except ValidationError as error:
        raise invalid({name: [str(text) for text in error.messages]}) from error


def invalid(errors: Mapping[str, Any]) -> Refused:
    """The refusal of parameters that do not validate."""
    said = "; ".join(f"{name}: {text}" for name, texts in errors.items() for text in texts)
    return Refused("invalid_parameter", said, errors)


def invalid_character(path: str) -> Refused:
    """The refusal of a character that no database keeps."""
    text = "holds a NUL or half of a surrogate pair"
    return Refused(
        "invalid_character", f"{path} {text}", {path: [text]}, f"{path} {text}. Send text in UTF-8 without it."
    )
