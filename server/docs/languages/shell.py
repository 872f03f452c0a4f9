"""A request as a curl command for any POSIX shell."""

from collections.abc import Iterator
from urllib.parse import quote

from server.docs.languages.literal import Notation, literal, quoted
from server.docs.languages.sample import Sample, address, pairs, sent_headers


def utf16(code: int) -> str:
    """A code point as JSON writes it, beyond the first plane in two halves."""
    units = chr(code).encode("utf-16-be").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))


def json_text(text: str) -> str:
    """A text in JSON."""
    return quoted(text, utf16)


JSON = Notation(
    text=json_text,
    key=lambda name: f"{json_text(name)}: ",
    words={None: "null", True: "true", False: "false"},
    indent=2,
    end="",
)


def write_curl(sample: Sample, base_url: str) -> str:
    """The command, with an option a line."""
    method = "" if sample.method == "GET" else f"-X {sample.method} "
    return " \\\n  ".join([f"curl {method}{word(address(sample, base_url))}", *options(sample)]) + "\n"


def options(sample: Sample) -> Iterator[str]:
    """Headers, then the body; curl writes the header of a form."""
    for name, value in sent_headers(sample).items():
        yield f"-H {word(f'{name}: {value}')}"
    if sample.body is not None and not sample.form:
        yield f"-d {word(literal(sample.body, JSON, 1, broken=True))}"
    for name, text in pairs(sample.body or {}) if sample.form else ():
        # curl encodes the value only, and a shell at which somebody types takes a tab for a question.
        named = quote(name, safe="[]") + "="
        typed = text.isprintable()
        yield f"--data-urlencode {word(named + text)}" if typed else f"-d {word(named + quote(text, safe=''))}"


def word(text: str) -> str:
    """One word for a shell: within single quotes it reads nothing into a text."""
    return "'" + text.replace("'", "'\\''") + "'"
