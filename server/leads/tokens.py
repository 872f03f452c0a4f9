"""Lead tokens: how a free key gets its name, and which values are kept."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any

LONGEST_NAME = 64
LARGEST_VALUE = 8192
MOST_TOKENS = 200

# Where the tokens go that are too many.
OVERFLOW = "extra"

FOREIGN = re.compile(r"[^a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Captured:
    """The tokens by name, and what the sender should know of them."""

    tokens: dict[str, Any]
    warnings: list[dict[str, str]]


def token_name(key: str) -> str:
    """The name of the token that a key makes; empty when nothing of it is left."""
    return known_name(key) if len(key) <= LONGEST_NAME else made_name(key)


def made_name(key: str) -> str:
    """The same, worked out."""
    return FOREIGN.sub("_", key.lower()).strip("_")


# Forms have the same keys each time.
known_name = lru_cache(maxsize=4096)(made_name)


def capture(stray: Mapping[str, Any]) -> Captured:
    """The tokens of free keys; of two that are named alike the last not blank wins."""
    tokens: dict[str, Any] = {}
    warnings: list[dict[str, str]] = []
    spare_names = _spare_names(stray)
    short_names = ShortNames(stray)
    for key, value in stray.items():
        own_name = token_name(key)
        # A blank field uses its number up too: the next one has the same name in every lead of the form.
        name = own_name or next(spare_names)
        is_long = len(name) > LONGEST_NAME
        if is_long:
            name = short_names.cut(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        tokens[name] = value
        if is_long:
            text = f"This key has more than {LONGEST_NAME} characters; it is kept as {name}."
            warnings.append({"param": key[:LONGEST_NAME], "code": "name_cut", "message": text})
        # A character has four bytes at most.
        if not (type(value) is str and len(value) <= LARGEST_VALUE // 4) and _size(value) > LARGEST_VALUE:
            tokens[name] = cut(value, LARGEST_VALUE)
            text = (
                f"{name} has more than {LARGEST_VALUE} bytes. The token keeps its beginning, the submission all of it."
            )
            warnings.append({"param": key[:LONGEST_NAME], "code": "value_cut", "message": text})
        if not own_name:
            text = f"Nothing of this key is left in a-z, 0-9 and _; it is kept as {name}."
            warnings.append({"param": key[:LONGEST_NAME], "code": "renamed_key", "message": text})
    if len(tokens) > MOST_TOKENS:
        tokens = _fold(tokens)
        text = f"Of more than {MOST_TOKENS} tokens the rest is kept in the token {OVERFLOW}."
        warnings.append({"param": OVERFLOW, "code": "too_many_tokens", "message": text})
    return Captured(tokens, warnings)


class ShortNames:
    """The beginnings of names that are too long, each its own: what begins like another token is numbered."""

    def __init__(self, stray: Mapping[str, Any]) -> None:
        self.stray = stray
        self.taken: set[str] = set()
        self.numbers: dict[str, int] = {}
        self.known: dict[str, str] = {}

    def cut(self, name: str) -> str:
        """What is left of a name; the same in every lead of a form, as blank fields use up their numbers too."""
        if name not in self.known:
            self.taken = self.taken or set(map(token_name, self.stray))
            beginning = free = name[:LONGEST_NAME].rstrip("_")
            while free in self.taken:
                self.numbers[beginning] = self.numbers.get(beginning, 1) + 1
                end = f"_{self.numbers[beginning]}"
                free = beginning[: LONGEST_NAME - len(end)] + end
            self.taken.add(free)
            self.known[name] = free
        return self.known[name]


def fold_new(tokens: Mapping[str, Any], known: Collection[str], room: int) -> tuple[dict[str, Any], list[str]]:
    """Keeps what is known and so many new names as there is room for; what is left goes into the one token, and is
    named."""
    kept: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in tokens.items():
        new = name not in known and name != OVERFLOW
        (rest if new and room <= 0 else kept)[name] = value
        room -= new
    if rest:
        inside = kept.get(OVERFLOW, {})
        kept[OVERFLOW] = rest | (inside if isinstance(inside, dict) else {OVERFLOW: inside})
    return kept, list(rest)


def _spare_names(stray: Mapping[str, Any]) -> Iterator[str]:
    """`field_1`, `field_2` and on, but for those that a key has of its own."""
    taken = set(map(token_name, stray))
    for number in count(1):
        name = f"field_{number}"
        if name not in taken:
            yield name


def cut(value: Any, room: int) -> Any:
    """The beginning of a value that takes `room` bytes at most: of a text whole characters, of a list or hash its first
    members, the last of them cut likewise."""
    if isinstance(value, str):
        return value.encode(errors="surrogatepass")[: max(room, 0)].decode(errors="ignore")
    if not isinstance(value, dict | list):
        return value
    members = value.items() if isinstance(value, dict) else enumerate(value)
    kept: list[tuple[Any, Any]] = []
    # The first bracket; the last one takes the room of the comma that the last member has not.
    room -= len("[")
    for name, inner in members:
        room -= _length(name) + len(":,") if isinstance(value, dict) else len(",")
        fits = _length(inner) <= room
        # Two quotes stand around a text.
        part = inner if fits else cut(inner, room - len('""') if isinstance(inner, str) else room)
        room -= _length(part)
        if room < 0:
            break
        kept.append((name, part))
    return dict(kept) if isinstance(value, dict) else [part for _, part in kept]


def _size(value: Any) -> int:
    """Bytes in UTF-8, of a nested value those of its JSON; numbers count as nothing."""
    if isinstance(value, str):
        # Half a surrogate pair has no place in UTF-8; to refuse it is for whoever reads the request.
        return len(value.encode(errors="surrogatepass"))
    return _length(value) if isinstance(value, dict | list) else 0


def _length(value: Any) -> int:
    """Bytes of a value as JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))


def _fold(tokens: dict[str, Any]) -> dict[str, Any]:
    """Keeps the first tokens and puts the rest, whose size only the request's limit bounds, into one."""
    items = list(tokens.items())
    kept, rest = dict(items[:MOST_TOKENS]), dict(items[MOST_TOKENS:])
    if OVERFLOW in kept:
        rest[OVERFLOW] = kept.pop(OVERFLOW)
    return {**kept, OVERFLOW: rest}
