"""What a page links to and what can be linked to on it."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Links(HTMLParser):
    """The addresses and the anchors of one page."""

    to: list[str] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remembers what an element leads to and what it is called."""
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.to.append(value)
            elif name == "id" and value:
                self.anchors.append(value)


def links_of(text: str) -> Links:
    """Those of a page."""
    links = Links()
    links.feed(text)
    return links
