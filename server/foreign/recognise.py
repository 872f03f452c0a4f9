"""From a payload to what a lead needs of it: recognised by its shape, read by its mapper, and chosen from."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from server.foreign.callrail import is_callrail, read_callrail
from server.foreign.choice import NO_CHOICE, Choice, choose
from server.foreign.countries import countries_in
from server.foreign.elementor import is_elementor, read_elementor
from server.foreign.flat import is_flat, read_flat
from server.foreign.formstack import is_formstack, read_formstack
from server.foreign.google_ads import is_google_ads, read_google_ads
from server.foreign.gravity_forms import is_gravity_forms, read_gravity_forms
from server.foreign.hubspot import is_hubspot, read_hubspot
from server.foreign.jotform import is_jotform, read_jotform
from server.foreign.mautic import is_mautic, read_mautic
from server.foreign.meta import is_meta, is_meta_webhook, read_meta, read_meta_webhook
from server.foreign.questions import is_questions, read_questions
from server.foreign.reading import TOLD, Claim, Leaf, Reading, Tree, beneath, rest_of
from server.foreign.tally import is_tally, read_tally
from server.foreign.typeform import is_typeform, read_typeform
from server.foreign.unbounce import is_unbounce, read_unbounce
from server.foreign.walk import dialled, read_any, walk
from server.foreign.webflow import is_webflow, read_webflow
from server.foreign.whatconverts import is_whatconverts, read_whatconverts
from server.foreign.words import spelt

Knows = Callable[[Tree], bool]
Mapper = Callable[[Tree, str], Reading]

# The first that knows a payload reads it.
KNOWN: tuple[tuple[Knows, Mapper], ...] = (
    (is_typeform, read_typeform),
    (is_google_ads, read_google_ads),
    (is_meta, read_meta),
    (is_meta_webhook, read_meta_webhook),
    (is_hubspot, read_hubspot),
    (is_gravity_forms, read_gravity_forms),
    (is_elementor, read_elementor),
    (is_tally, read_tally),
    (is_jotform, read_jotform),
    (is_unbounce, read_unbounce),
    (is_formstack, read_formstack),
    (is_mautic, read_mautic),
    (is_whatconverts, read_whatconverts),
    (is_callrail, read_callrail),
    (is_webflow, read_webflow),
)
# Shapes that many systems send; they are looked for last.
SHAPES: tuple[tuple[Knows, Mapper], ...] = ((is_questions, read_questions), (is_flat, read_flat))
MAPPERS = (*KNOWN, *SHAPES)

# In which members programs pass on what they have received themselves.
HOLDS_PAYLOAD = frozenset(
    ["payload", "body", "data", "json", "event", "request", "webhook", "submission", "response", "content", "message"]
)

# What these know stands partly in a member `data`, which is ours else.
WITH_DATA = (is_tally, is_unbounce, is_webflow)

# What is lifted: these fill a parameter of their name, the rest a token.
PARAMETERS = ("caller_id", "email", "traffic_source_id", "sub_id", "vendor_lead_id")
TOKENS = ("first_name", "last_name", "full_name", "address", "city", "state", "zip")

BRACKETS = re.compile(r"([^\[\]]+)((?:\[[^\[\]]+\])+)")
DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Lifted:
    """What is taken from a payload. `aliases` are what tokens of these names would hold, where no value has them."""

    payload: str
    fields: dict[str, Any]
    tokens: tuple[tuple[str, Any], ...]
    aliases: dict[str, Choice]
    matched: list[dict[str, Any]]
    test: bool = False
    missing: str | None = None
    # Where the number is dialled from, if the payload says so, and the numbers that are not the lead's.
    region: str | None = None
    passed: tuple[dict[str, str], ...] = ()
    # Where texts stood that held more values.
    opened: tuple[str, ...] = ()


def lift(parts: Iterable[tuple[str, Tree]], region: str, sent: Collection[str]) -> Lifted:
    """What the trees hold, each with its path: the parameters that were not `sent` anyway, and all else as tokens."""
    readings = [read(tree, path) for path, tree in parts if tree]
    known = next((each for each in readings if each.payload != "unknown"), Reading("unknown", ()))
    claims = [leaf.claim for each in readings for leaf in each.leaves if leaf.claim is not None]
    chosen = {field: choose(field, claims, region) for field in PARAMETERS if field not in sent}
    taken = {field: choice.claim for field, choice in chosen.items() if choice.claim is not None}
    number = chosen.get("caller_id", NO_CHOICE)
    return Lifted(
        payload=known.payload,
        fields={field: claim.value for field, claim in taken.items()},
        tokens=tuple(pair for each in readings for pair in kept(each, taken)),
        aliases={name: choice for name in TOKENS if (choice := choose(name, claims, region)).claim is not None},
        matched=[match(field, chosen[field], known.payload) for field in taken],
        test=any(each.test for each in readings),
        missing=next((each.missing for each in readings if each.missing), None),
        region=number.region,
        passed=number.passed if number.claim is None else (),
    )


def holds_data(tree: Tree) -> bool:
    """Whether `data` is a part of the payload, and no hash of tokens that somebody has put beside it."""
    return isinstance(tree.get("data"), dict) and any(knows(tree) for knows in WITH_DATA)


def read(tree: Tree, path: str = "") -> Reading:
    """The payload's reading by the first mapper that knows it, also where one member holds it; else it is walked."""
    nested = unflattened(tree)
    mapper = mapper_of(nested, KNOWN) or mapper_of_member(nested) or mapper_of(nested, SHAPES)
    return read_any(nested, path) if mapper is None else with_countries(mapper(nested, path))


def with_countries(reading: Reading) -> Reading:
    """The reading, in which a number has the country that stands beside it by its name."""
    countries = countries_in({leaf.name: leaf.value for leaf in reading.leaves})
    if not countries:
        return reading
    return replace(reading, leaves=tuple(dialled(leaf, countries, leaf.name) for leaf in reading.leaves))


def mapper_of(tree: Tree, mappers: Iterable[tuple[Knows, Mapper]]) -> Mapper | None:
    """The first mapper that knows the payload."""
    return next((mapper for knows, mapper in mappers if knows(tree)), None)


def mapper_of_member(tree: Tree) -> Mapper | None:
    """A mapper for what stands around a payload that another one knows."""
    for name, value in tree.items():
        inner = mapper_of(unflattened(value), KNOWN) if name in HOLDS_PAYLOAD and isinstance(value, dict) else None
        if inner is not None:
            return partial(read_member, name, inner)
    return None


def read_member(name: str, mapper: Mapper, tree: Tree, path: str) -> Reading:
    """The payload within one member, and what stands around it by its path."""
    reading = mapper(unflattened(tree[name]), beneath(path, name))
    return replace(reading, leaves=(*reading.leaves, *walk(rest_of(tree, [name]), path)))


def kept(reading: Reading, taken: dict[str, Claim]) -> Iterator[tuple[str, Any]]:
    """The tokens: of a payload that is known without what fills a parameter, of another every value."""
    for leaf in reading.leaves:
        # Of a list only one value fills it.
        fills = leaf.claim is not None and taken.get(leaf.claim.field) is leaf.claim and type(leaf.value) is not list
        if not fills or (reading.payload == "unknown" and not says_it_all(leaf)):
            yield leaf.name, leaf.value


def says_it_all(leaf: Leaf) -> bool:
    """Whether a value is called as the parameter that it fills, so that a token would say it twice."""
    return leaf.claim is not None and spelt(leaf.name).replace(" ", "_") == leaf.claim.field


def match(field: str, choice: Choice, payload: str) -> dict[str, Any]:
    """What was read from where, as the answer says it; what was guessed among others says by which rule, and what was
    passed over."""
    claim = choice.claim
    if claim is None:
        return {}
    said: dict[str, Any] = {"field": field, "from": claim.path, "by": claim.by, "payload": payload}
    if claim.sure != TOLD and (choice.passed or payload == "unknown"):
        said["rule"] = choice.rule
    if choice.passed:
        said["passed_over"] = list(choice.passed)
    return said


def unflattened(tree: Tree) -> Tree:
    """The tree with its flat keys (`fields[email][value]`) as the nested ones that they stand for."""
    if not any("[" in key for key in tree):
        return tree
    # The request itself stays as it came.
    nested: dict[str, Any] = deepcopy({key: value for key, value in tree.items() if "[" not in key})
    for key, value in tree.items():
        if "[" not in key:
            continue
        spelt_key = BRACKETS.fullmatch(key)
        steps = [spelt_key[1], *spelt_key[2][1:-1].split("][")] if spelt_key else [key]
        if len(steps) > DEEPEST or not plant(nested, steps, value):
            nested[key] = value
    return nested


def plant(tree: dict[str, Any], steps: list[str], value: Any) -> bool:
    """Puts a value where its steps lead; whether there is room: nothing that stands there is overwritten."""
    *branches, last = steps
    for branch in branches:
        tree = tree.setdefault(branch, {})
        if not isinstance(tree, dict):
            return False
    if last in tree:
        return False
    tree[last] = value
    return True
