"""The hand-written pages as tests read them: their headings, their prose, their fenced blocks."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from server.config import PROJECT

FOLDER = PROJECT / "docs_site" / "pages"

FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.M | re.S)
HEADING = re.compile(r"^(#{1,6}) (.+)$", re.M)
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
# What is left out of an answer, with the comma before it; within a text it stands for the rest of the text.
LEFT_OUT = re.compile(r'("(?:[^"\\]|\\.)*")|,?\s*…')


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, what stands behind that, its text, and the line where it begins."""

    language: str
    info: tuple[str, ...]
    text: str
    line: int

    @property
    def value(self) -> Any:
        """The JSON that it shows, without what is left out."""
        return json.loads(LEFT_OUT.sub(lambda found: found[1] or "", self.text))


@dataclass(frozen=True)
class Page:
    """One page."""

    path: Path

    @property
    def slug(self) -> str:
        """What links call it."""
        return self.path.stem

    @cached_property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """All but the fenced blocks."""
        return FENCE.sub("", self.text)

    @property
    def words(self) -> str:
        """The prose without what stands in it as code."""
        return re.sub(r"`[^`\n]+`", "", self.prose)

    @property
    def blocks(self) -> list[Block]:
        """Its fenced blocks."""
        found = []
        for match in FENCE.finditer(self.text):
            language, *info = match[1].split() or [""]
            found.append(Block(language, tuple(info), match[2], self.text.count("\n", 0, match.start()) + 1))
        return found

    @property
    def headings(self) -> list[tuple[int, str]]:
        """Level and text of each heading."""
        return [(len(signs), text) for signs, text in HEADING.findall(self.prose)]

    @property
    def links(self) -> list[str]:
        """Where it leads to."""
        return LINK.findall(self.words)

    def sections(self, level: int) -> list[tuple[str, str]]:
        """Each heading of a level with the text beneath it."""
        parts = re.split(rf"^#{{{level}}} (.+)$", self.text, flags=re.M)
        ends = re.compile(rf"^#{{1,{level}}} ", re.M)
        return [(name, ends.split(text)[0]) for name, text in zip(parts[1::2], parts[2::2], strict=True)]


def pages() -> dict[str, Page]:
    """Every page by its slug."""
    return {path.stem: Page(path) for path in sorted(FOLDER.glob("*.md"))}
