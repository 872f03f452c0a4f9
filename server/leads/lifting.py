"""`auto_format_nested_fields`: from another system's payload to the parameters and tokens of a request. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from marshmallow import ValidationError

from server.errors import Refused
from server.foreign.choice import said_of_strangers
from server.foreign.meta import is_dummy
from server.foreign.opening import Opener
from server.foreign.recognise import Lifted, holds_data, lift, match
from server.leads.params import (
    READ_CONTROLS,
    RESERVED,
    Asked,
    blank,
    invalid_character,
    misplaced,
    read_data,
)
from server.leads.schemas import FIELDS
from server.leads.spelling import dry_run_inside
from server.leads.tokens import token_name
from server.lib.redact import is_credential
from server.lib.wire import first_bad_character

FLAG = "auto_format_nested_fields"

# Reserved names that mean something to us, or to the framework that made the form; all others are the payload's own.
OURS = frozenset(FIELDS) | READ_CONTROLS | {"utf8", "_method", "authenticity_token", "hub_verify_token"}

Tree = dict[str, Any]


def wished(tree: Mapping[str, Any]) -> bool:
    """Whether the payload is to be lifted; what is no boolean at all is refused with the other parameters."""
    try:
        return not blank(tree[FLAG]) and bool(FIELDS[FLAG].deserialize(tree[FLAG]))
    except ValidationError:
        return False


def lift_payload(tree: Tree, region: str) -> tuple[Tree, Lifted]:
    """The parameters with what the payload among them says, and what was lifted; raises Refused for unreadable `data`.

    A parameter that was sent as such wins over one that is lifted.
    """
    tree, opened = open_tree(tree)
    ours = {name: value for name, value in tree.items() if name in OURS and not blank(value)}
    theirs = {name: value for name, value in tree.items() if name not in OURS}
    if not isinstance(ours.get("data", {}), dict):
        # Not our hash of tokens, so it is theirs.
        theirs["data"] = ours.pop("data")
    inside = read_data(Asked(ours, {}, ours))
    hidden = dry_run_inside(theirs, "") or dry_run_inside(inside, "data")
    if hidden is not None:
        raise misplaced(hidden, "dry_run")
    sent = ours.keys() | ({"caller_id"} if "number" in ours else set())
    whole = theirs | {"data": inside}
    parts = [("", whole)] if "data" in ours and holds_data(whole) else [("", theirs), ("data", inside)]
    lifted = replace(lift(parts, region, sent), opened=opened)
    tokens = named_tokens(lifted)
    further = {name: choice for name, choice in lifted.aliases.items() if name not in tokens}
    tokens |= {name: choice.claim.value for name, choice in further.items() if choice.claim is not None}
    matched = [match(f"data.{name}", choice, lifted.payload) for name, choice in further.items()]
    kept = {name: value for name, value in ours.items() if name not in ("data", "data_json")}
    return kept | lifted.fields | {"data": tokens}, replace(lifted, matched=[*lifted.matched, *matched])


def open_tree(tree: Mapping[str, Any]) -> tuple[Tree, tuple[str, ...]]:
    """The parameters with what texts hold in their place, and which texts held any; raises Refused for what no
    database keeps."""
    opener = Opener()
    opened = {
        name: opener.open(value, name) if name == "data" or name not in OURS else the_one(value)
        for name, value in tree.items()
    }
    # Escapes within a text hid it from whoever looked at the request as a whole.
    bad = first_bad_character(opened) if opener.opened else None
    if bad is not None:
        raise invalid_character(bad)
    return opened, tuple(opener.opened)


def the_one(value: Any) -> Any:
    """The value of a parameter that came as a list of one."""
    return value[0] if isinstance(value, list) and len(value) == 1 and not isinstance(value[0], list | dict) else value


def named_tokens(lifted: Lifted) -> Tree:
    """Each value under a token's name of its own: none is reserved or taken."""
    prefix = "payload" if lifted.payload == "unknown" else lifted.payload
    tokens: Tree = {}
    numbers: dict[str, int] = {}
    nameless = count(1)
    for key, value in lifted.tokens:
        name = token_name(key)
        if is_credential(key):
            continue
        # A blank value uses its number up too: the next one has the same name in every lead of the form.
        name = name or f"field_{next(nameless)}"
        if blank(value):
            continue
        tokens[free_name(f"{prefix}_{name}" if name in RESERVED else name, tokens, numbers)] = value
    return tokens


def free_name(name: str, taken: Mapping[str, Any], numbers: dict[str, int]) -> str:
    """The name; a further one of the same name is numbered, from where `numbers` says."""
    free = name
    while free in taken:
        numbers[name] = numbers.get(name, 1) + 1
        free = f"{name}_{numbers[name]}"
    return free


def refuse_numberless(asked: Asked, lifted: Lifted) -> None:
    """Refuses a payload without a number of the lead's, which says why, and what to send instead."""
    if "caller_id" in asked.fields or not (lifted.missing or lifted.passed):
        return
    text = "is missing"
    detail = lifted.missing
    if detail is None:
        text = f"is missing: {said_of_strangers(lifted.passed)}"
        detail = (
            f"caller_id {text}. Send the lead's own number as caller_id, or under a name that says so, such as"
            " customer_phone."
        )
    raise Refused("caller_id_missing", f"caller_id {text}", {"caller_id": [text]}, detail)


def refuse_test_lead(asked: Asked) -> None:
    """Refuses the lead of Meta's test tool, which has dummies for values; it says that the connection works."""
    number = asked.fields.get("caller_id")
    if (number is None or is_dummy(number)) and any(map(is_dummy, [number, *asked.tokens.values()])):
        raise test_lead()


def test_lead() -> Refused:
    """The refusal of Meta's test lead."""
    text = "is missing: the test lead of Meta has none"
    detail = (
        "The connection works. This is the test lead of Meta, which has dummy data for its answers and no phone number,"
        " so no lead was made. Leads of people come the same way, with a number."
    )
    return Refused("caller_id_missing", f"caller_id {text}", {"caller_id": [text]}, detail)


def refuse_closed(tree: Tree, region: str) -> None:
    """Refuses a request without a number, where a number stands in what only lifting would read, and says where."""
    try:
        _, lifted = lift_payload(tree, region)
    except Refused:
        return
    if lifted.test and any(is_dummy(value) for _, value in lifted.tokens):
        raise test_lead()
    place = next((each["from"] for each in lifted.matched if each["field"] == "caller_id"), "")
    around, dot, _ = place.removeprefix("data.").rpartition(".")
    inside = next((path for path in lifted.opened if place.startswith(path)), around)
    if dot:
        text = f"is missing; a number was seen inside `{inside[:80]}`"
        detail = f"caller_id {text}. Add {FLAG}=true to have it read, or send the lead's phone number as caller_id."
        raise Refused("caller_id_missing", f"caller_id {text}", {"caller_id": [text]}, detail)


def why_lifted(lifted: Lifted) -> dict[str, Any]:
    """The step of a plan that says what was read from where."""
    passed = {"passed_over": list(lifted.passed)} if lifted.passed else {}
    return {
        "step": "lift",
        "read": {"payload": lifted.payload, "test": lifted.test} | passed,
        "decided": lifted.matched,
        "rule": "what was sent as a parameter wins; else what the payload tells, then names, then shapes; never what is"
        " somebody else's",
    }
