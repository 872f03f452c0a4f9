"""Patterns that people write for a field: an ordinary regular expression that always answers in time.

The usual engines try every way to match, which a careless or a hostile pattern turns into hours. This one follows all
ways at once (Glushkov's automaton), so its time is at most the pattern's size times the text's, and nothing that is
written here needs forbidding for the sake of time. What it reads means the same in Python and in a browser:

    literals   .   \\d \\w \\s \\D \\W \\S \\t \\r \\n   \\ before a sign   [a-z]   [^a-z]
    ( )   (?: )   |   * + ?   {3}   {3,}   {3,5}

Letters and digits of the classes are ASCII, as in a browser. The whole text has to match: a `^` in front and
a `$` at the end are taken and say nothing new. Look-around, back-references and named groups are not read.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache

LONGEST_PATTERN = 200
LONGEST_TEXT = 1000
# A pattern's size once its counts are written out: `\d{5}` is five. With the longest text it takes some 50 ms.
MOST_PARTS = 300
# What all comparisons of one lead may take together, in steps; the largest pattern with the longest text is within it.
# So many steps take some 0.2 s.
MOST_STEPS = 2 * LONGEST_TEXT * MOST_PARTS

ESCAPE = r"\\(?:[dDwWsStrn]|[^A-Za-z0-9])"
# Signs that stand twice in a class mean something else in other engines, and will in Python's.
CLASS = rf"\[\^?(?:{ESCAPE}|(?!--|&&|~~|\|\|)[^\\\[\]])+\]"
TOKEN = re.compile(
    rf"(?P<one>{ESCAPE}|{CLASS}|[^\\\[\](){{}}*+?|^$])"
    r"|(?P<count>(?:[*+?]|\{[0-9]{1,3}(?:,[0-9]{0,3})?\})\??)"
    r"|(?P<open>\((?:\?:)?)(?!\?)|(?P<close>\))|(?P<or>\|)|(?P<start>\^)|(?P<end>\$)",
    re.DOTALL,
)


class BadPattern(ValueError):
    """The text is no pattern that is read here; the message says why and how to write it."""


class TooManySteps(ValueError):
    """The comparisons that share a budget have taken all of it before this one was done."""


@dataclass(frozen=True, slots=True)
class One:
    """One character of a class or a literal one."""

    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """Parts that follow one another."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Parts of which one stands."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part that stands so many times; None is any number."""

    part: "Node"
    least: int
    most: int | None


Node = One | Row | Either | Repeat


@dataclass(frozen=True, slots=True)
class Span:
    """Where a part may begin and end, as sets of positions (bits), and whether it may be nothing."""

    empty: bool
    first: int
    last: int


NOTHING = Span(True, 0, 0)


@dataclass(slots=True)
class Steps:
    """What is left of a budget: a step for each position that a comparison stands on at a character, and for each class
    that a new character is compared with."""

    left: int = MOST_STEPS

    def take(self, steps: int) -> None:
        """Takes some; raises TooManySteps where there are not so many left."""
        if steps > self.left:
            self.left = 0
            raise TooManySteps
        self.left -= steps


@dataclass(slots=True)
class Matcher:
    """Compares texts with patterns, each pair once, under one budget: so what is compared early, where nobody waits, is
    known later."""

    steps: Steps = field(default_factory=Steps)
    known: dict[tuple[str, str], bool | None] = field(default_factory=dict)

    def matches(self, pattern: str, text: str) -> bool | None:
        """Whether the whole text matches; None where the budget is spent before that is known."""
        pair = (pattern, text)
        if pair not in self.known:
            try:
                self.known[pair] = compile_pattern(pattern).matches(text, self.steps)
            except TooManySteps:
                self.known[pair] = None
        return self.known[pair]


@dataclass(slots=True)
class Pattern:
    """A pattern ready to match: each position is one character, `follow` says which may come next."""

    follow: list[int] = field(default_factory=list)
    classes: dict[str, int] = field(default_factory=dict)
    span: Span = NOTHING
    built: int = 0

    def matches(self, text: str, budget: "Steps | None" = None) -> bool:
        """Whether the whole text matches; one that is longer than LONGEST_TEXT does not. Raises TooManySteps where it
        takes more than its budget has left."""
        if len(text) > LONGEST_TEXT:
            return False
        if not text:
            return self.span.empty
        budget = budget or Steps()
        accepted: dict[str, int] = {}
        reachable, standing = self.span.first, 0
        for character in text:
            if character not in accepted:
                budget.take(len(self.classes))
                accepted[character] = self._accepting(character)
            standing = reachable & accepted[character]
            if not standing:
                return False
            budget.take(standing.bit_count())
            reachable = self._after(standing)
        return bool(standing & self.span.last)

    def _accepting(self, character: str) -> int:
        """The positions that take a character."""
        return sum(at for text, at in self.classes.items() if re.compile(text, re.ASCII).fullmatch(character))

    def _after(self, standing: int) -> int:
        """The positions that may come after any of these."""
        reachable = 0
        while standing:
            lowest = standing & -standing
            reachable |= self.follow[lowest.bit_length() - 1]
            standing ^= lowest
        return reachable

    def build(self, node: Node) -> Span:
        """Lays a part out; raises BadPattern when the whole gets too large."""
        self.built += 1
        if self.built > MOST_PARTS:
            raise BadPattern(f"is too large: written out, its counts make more than {MOST_PARTS} parts")
        if isinstance(node, One):
            at = 1 << len(self.follow)
            self.follow.append(0)
            self.classes[node.text] = self.classes.get(node.text, 0) | at
            return Span(False, at, at)
        if isinstance(node, Either):
            spans = [self.build(part) for part in node.parts]
            first = last = 0
            for span in spans:
                first, last = first | span.first, last | span.last
            return Span(any(span.empty for span in spans), first, last)
        if isinstance(node, Row):
            whole = NOTHING
            for part in node.parts:
                whole = self._join(whole, self.build(part))
            return whole
        return self._repeat(node)

    def _repeat(self, node: Repeat) -> Span:
        """So many copies; those that may be missing are nested, each in the one before it: x(x(x)?)?."""
        tail = NOTHING
        if node.most is None:
            span = self.build(node.part)
            self._join(span, span)
            tail = Span(True, span.first, span.last)
        for _ in range((node.most or node.least) - node.least):
            joined = self._join(self.build(node.part), tail)
            tail = Span(True, joined.first, joined.last)
        for _ in range(node.least):
            tail = self._join(self.build(node.part), tail)
        return tail

    def _join(self, before: Span, after: Span) -> Span:
        """One after the other."""
        ends = before.last
        while ends:
            lowest = ends & -ends
            self.follow[lowest.bit_length() - 1] |= after.first
            ends ^= lowest
        first = before.first | after.first if before.empty else before.first
        last = before.last | after.last if after.empty else after.last
        return Span(before.empty and after.empty, first, last)


@lru_cache(maxsize=1024)
def compile_pattern(text: str) -> Pattern:
    """The pattern of a text; raises BadPattern."""
    if len(text) > LONGEST_PATTERN:
        raise BadPattern(f"must be at most {LONGEST_PATTERN} characters long")
    tokens = read_tokens(text)
    node, rest = read_either(tokens, 0)
    if rest < len(tokens):
        raise BadPattern("has a `)` without its `(`; write `\\)` for the sign itself")
    made = Pattern()
    made.span = made.build(node)
    return made


def read_tokens(text: str) -> list[tuple[str, str]]:
    """Kind and text of each sign, without the `^` in front and the `$` at the end."""
    tokens = []
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise BadPattern(
                f"cannot be read from {text[at : at + 10]!r} on; write `\\` before a sign that means itself"
            )
        tokens.append((str(match.lastgroup), match[0]))
        at = match.end()
    if tokens and tokens[0][0] == "start":
        del tokens[0]
    if tokens and tokens[-1][0] == "end":
        del tokens[-1]
    for kind, sign in tokens:
        if kind in ("start", "end"):
            raise BadPattern(f"has a `{sign}` in its middle; the whole value has to match, so leave it out")
    return tokens


def read_either(tokens: list[tuple[str, str]], at: int) -> tuple[Node, int]:
    """What stands up to the closing bracket or the end, and where that is."""
    rows: list[list[Node]] = [[]]
    while at < len(tokens) and tokens[at][0] != "close":
        kind, text = tokens[at]
        at += 1
        if kind == "one":
            rows[-1].append(read_one(text))
        elif kind == "or":
            rows.append([])
        elif kind == "open":
            inner, at = read_either(tokens, at)
            if at == len(tokens):
                raise BadPattern("has a `(` without its `)`; write `\\(` for the sign itself")
            rows[-1].append(inner)
            at += 1
        elif not rows[-1] or tokens[at - 2][0] == "count":
            raise BadPattern(f"has a `{text}` with nothing to repeat; write `\\{text[0]}` for the sign itself")
        else:
            rows[-1].append(read_repeat(rows[-1].pop(), text))
    parts = tuple(row[0] if len(row) == 1 else Row(tuple(row)) for row in rows)
    return (parts[0] if len(parts) == 1 else Either(parts)), at


def read_one(text: str) -> One:
    """One character; Python's own engine judges what is in a class."""
    try:
        re.compile(text, re.ASCII)
    except re.error as error:
        raise BadPattern(f"has a class that cannot be read: {text}: {error.msg}") from error
    return One(text)


def read_repeat(part: Node, text: str) -> Repeat:
    """A count; a `?` behind it only says what to try first, and all is tried at once."""
    if text[0] != "{":
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[text[0]]
        return Repeat(part, least, most)
    low, comma, high = text.rstrip("?")[1:-1].partition(",")
    least = int(low)
    most = int(high) if high else None if comma else least
    if most is not None and most < least:
        raise BadPattern(f"has a count that ends before it begins: {text}")
    return Repeat(part, least, most)
