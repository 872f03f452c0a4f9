"""Any payload: every value of it by its path, what its key says, and as a last resort what it looks like."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from server.foreign.countries import Beside, beside, countries_in
from server.foreign.owner_words import LEADS
from server.foreign.owners import only_says_whose, whose
from server.foreign.pieces import join_list, join_pieces
from server.foreign.reading import LONGEST, NAMED, Claim, Leaf, Reading, Tree, beneath, guessed, scalars, trail
from server.foreign.words import Key, says_phone, spelt

# Members that only hold what the thing around them is called after.
HOLDERS = frozenset({"value", "values", "raw", "raw_value", "text", "answer", "string_value"})
# Members that say what the value beside them is.
LABELS = ("name", "label", "key", "title", "question", "field", "id")

# Members that say which of a list's things it is, and so whose.
DESCRIBES = ("type", "kind", "role", "relation", "relationship", "category", "party")

# The two ends of a call.
ENDS = {"from": "to", "caller": "called", "calling": "called", "ani": "dnis", "to": "from", "called": "caller"}
TURNED = ENDS | {"dnis": "ani", "callee": "caller", "destination": "from", "dialed": "from", "recipient": "from"}

NO_KEY = Key("")


def read_any(tree: Tree, path: str = "") -> Reading:
    """The reading of a payload that nobody knows."""
    return Reading("unknown", tuple(walk(tree, path)))


def walk(value: Any, path: str, name: str = "", *keys: Key) -> Iterator[Leaf]:
    """Every value beneath, in the order of the payload; a list of plain values is one value.

    `name` is what their tokens' names begin with, `keys` what stands nearest above them, the nearest first.
    """
    if isinstance(value, dict):
        yield from walk_members(value, path, name, keys)
    elif isinstance(value, list) and not scalars(value):
        for index, item in enumerate(value):
            yield from walk(item, beneath(path, index), joined(name, str(index)), *described(keys, item))
    else:
        whole = join_list(value) if isinstance(value, list) and keys and says_phone(keys[0].name) else None
        leaf = guessed(path, name, value, *(keys or (NO_KEY,)))
        yield leaf if whole is None else of_pieces(leaf, whole, keys)


def walk_members(tree: Tree, path: str, name: str, keys: tuple[Key, ...]) -> Iterator[Leaf]:
    """Every value of an object. What stands in a holder is called as the label beside it, else as the object."""
    label = label_of(tree)
    above = trail(keys)
    parent = keys[-1].name if keys else ""
    nearest = keys[0].name if keys else ""
    whole = join_pieces(tree, nearest)
    countries = countries_in(tree, nearest)
    outbound = is_outbound(tree)
    for member, inner in tree.items():
        near: tuple[Key, ...] = (Key(member, parent, above, owner(member, tree, outbound)),)
        if member.lower() in HOLDERS and (label or keys):
            near = (Key(label, above=() if keys else above), *keys) if label else keys
        leaves = walk(inner, beneath(path, member), joined(name, member), *near)
        if member in whole:
            leaves = (of_pieces(leaf, whole[member], near) for leaf in leaves)
        yield from (dialled(leaf, countries, member) for leaf in leaves) if countries else leaves


def is_outbound(tree: Tree) -> bool:
    """Whether a call or a message went out to the lead, so that `from` is ourselves."""
    return any(
        isinstance(value, str) and value.lower().startswith(("outbound", "outgoing"))
        for name, value in tree.items()
        if "direction" in name.lower()
    )


def owner(member: str, tree: Tree, outbound: bool) -> str:
    """Whose a member is, where its name alone does not say so, or says the contrary."""
    if member == "number" and "raw_digits" in tree:
        # Aircall calls the far end of a call `raw_digits`, and its own line `number`.
        return "trunk"
    return turned(member) if outbound else ""


def turned(member: str) -> str:
    """The name as it would be, had the lead called us."""
    return " ".join(TURNED.get(word, word) for word in spelt(member).split())


def of_pieces(leaf: Leaf, whole: str, keys: tuple[Key, ...]) -> Leaf:
    """The last piece of a number, which claims to be the whole of it."""
    return replace(leaf, claim=Claim("caller_id", whole, leaf.path, "joined pieces", NAMED, trail(keys)))


def dialled(leaf: Leaf, countries: Mapping[str, Beside], member: str) -> Leaf:
    """A number with the country that stands beside it; one that stands nearer stays."""
    claim = leaf.claim
    if claim is None or claim.field != "caller_id" or claim.region or claim.postal:
        return leaf
    region, postal = beside(countries, member)
    return replace(leaf, claim=replace(claim, region=region, postal=postal))


def described(keys: tuple[Key, ...], item: Any) -> tuple[Key, ...]:
    """The keys of one thing of a list, with what it says of itself: `{"type": "agent", "phone": …}`. Of a list of leads
    each is one, whatever it says."""
    if not keys or not isinstance(item, dict) or whose((keys[0].name,)).word in LEADS:
        return keys
    texts = (item[word][:LONGEST] for word in DESCRIBES if isinstance(item.get(word), str))
    said = [text for text in texts if only_says_whose(text)]
    *nearer, furthest = keys
    return (*nearer, replace(furthest, above=(*furthest.above, *said))) if said else keys


def joined(name: str, member: str) -> str:
    """The name of a member's token; of what is longer than any name the end is left out."""
    return f"{name[:LONGEST]}_{member[:LONGEST]}" if name else member


def label_of(tree: Tree) -> str:
    """What a thing such as `{"label": "Phone", "value": "…"}` says of its value."""
    if HOLDERS.isdisjoint(tree):
        return ""
    return next((str(tree[name]) for name in LABELS if isinstance(tree.get(name), str) and tree[name]), "")[:LONGEST]


def unclaimed(value: Any, path: str, name: str) -> Iterator[Leaf]:
    """Values that fill no field, whatever they look like."""
    return (Leaf(leaf.path, leaf.name, leaf.value) for leaf in walk(value, path, name))
