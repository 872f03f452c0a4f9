"""Which characters the bytes of a request stand for, where they are not UTF-8."""

import codecs
import re
from encodings.aliases import aliases

from server.lib.wire.terms import Unreadable

# What a form or JSON may say that it is written in, by Python's names. A list, because Python also calls "rot13" and
# "zlib" encodings, and because it remembers each name for ever that it was asked for.
SINGLE = frozenset({"koi8_r", "koi8_u", "mac_roman", "mac_cyrillic", "tis_620", "euc_jp"}) | {
    *(f"cp{number}" for number in (437, 850, 852, 866, 874, *range(1250, 1259))),
    *(f"iso8859_{number}" for number in (*range(2, 9), 10, *range(13, 17))),
}
# Their second bytes may look like brackets and backslashes, so that such a text has to be decoded before it is parsed.
DOUBLE = frozenset(["cp932", "gb18030", "big5", "big5hkscs", "cp949", "iso2022_jp"])
WIDE = frozenset(["utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be"])
# What is labelled with the first is written in the second, which has all of its characters.
MEANT = {
    "latin_1": "cp1252",
    "iso8859_9": "cp1254",
    "iso8859_11": "cp874",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
}

BOMS = (
    (codecs.BOM_UTF32_LE, "utf_32"),
    (codecs.BOM_UTF32_BE, "utf_32"),
    (codecs.BOM_UTF16_LE, "utf_16"),
    (codecs.BOM_UTF16_BE, "utf_16"),
    # JSON begins with a brace, whose width tells the rest.
    (b"{\0\0\0", "utf_32_le"),
    (b"\0\0\0{", "utf_32_be"),
    (b"{\0", "utf_16_le"),
    (b"\0{", "utf_16_be"),
)
# The first two bytes of all of them: few bodies have to be looked at any longer.
WIDE_STARTS = frozenset(start[:2] for start, _ in BOMS)

CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([^\"';\s]*)", re.I)

GUESS = "cp1252"


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    """Five bytes of Windows-1252 stand for nothing: browsers read them as control characters."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("as_latin_1", _as_latin_1)


def charset_of(content_type: str) -> str | None:
    """The charset that a Content-Type declares, as `find_charset` names it."""
    found = CHARSET.search(content_type) if ";" in content_type else None
    return find_charset(found[1]) if found else None


def find_charset(label: str) -> str | None:
    """Python's name of a charset that a request declares; None for UTF-8, and for one that we do not know."""
    name = re.sub("[^a-z0-9]+", "_", label[:40].lower()).strip("_").removeprefix("x_")
    name = aliases.get(name, name)
    name = MEANT.get(name, name)
    return name if name in SINGLE or name in DOUBLE or name in WIDE else None


def decode(raw: bytes, charset: str | None) -> tuple[str, bool]:
    """The text of a name or a value, and whether its charset had to be guessed."""
    try:
        return raw.decode(), False
    except UnicodeDecodeError:
        pass
    if charset is not None and charset != GUESS:
        try:
            return raw.decode(charset), False
        except UnicodeDecodeError:
            pass
    return raw.decode(GUESS, "as_latin_1"), charset != GUESS


def to_utf_8(body: bytes, charset: str | None) -> bytes:
    """The body in UTF-8, if its charset is one in which not every byte below 128 is ASCII; else as it is."""
    wide = _wide_charset(body, charset)
    if wide is not None:
        try:
            return body.decode(wide).removeprefix("\ufeff").encode()
        except UnicodeError as error:
            message = f"The body is no valid {wide[:6].replace('_', '-').upper()}. Send UTF-8."
            raise Unreadable("malformed_body", message) from error
    if charset in DOUBLE and (b"\x1b" in body or not _is_utf_8(body)):
        try:
            return body.decode(charset).encode()
        except UnicodeError:
            pass
    return body


def _wide_charset(body: bytes, charset: str | None) -> str | None:
    """UTF-16 or UTF-32, by the first bytes, or by what was declared if there is more than ASCII."""
    if body[:2] in WIDE_STARTS:
        return next((name for start, name in BOMS if body.startswith(start)), None)
    return charset if charset in WIDE and b"\0" in body else None


def _is_utf_8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
