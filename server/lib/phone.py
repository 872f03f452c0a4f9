"""Phone numbers as people type them, to E.164; the only module that knows the phonenumbers library."""

import re
import unicodedata
from typing import NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberFormat

# The library reads up to 250 characters and takes a quarter of a millisecond; no number is that long.
LONGEST = 64

BLANKS = " \t\r\n\f\v"
# Pasted along from address books and web pages: soft hyphen, zero-width characters, direction marks, BOM.
INVISIBLE = frozenset(map(chr, (0xAD, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0xFEFF)))
INVISIBLE |= frozenset(map(chr, (0x2060, *range(0x2066, 0x206A))))
WIDE = dict(zip("\uff0b\uff08\uff09\uff0e\uff0f\u2212", "+()./-", strict=True))

# How a number of the United States is mostly written; VALID_IN_US says which of them exist.
PLAIN = re.compile(r"\s*(?:(\+)?1[ .-]?)?\(?([2-9]\d\d)\)?[ .-]?([2-9]\d\d)[ .-]?(\d{4})\s*", re.A)

# Area codes of the United States in service, by the day, that the library does not know yet. It learns them late.
NEW_AREAS = {
    "861": "2023-02-24",
    "624": "2023-11-16",
    "436": "2024-03-01",
    "924": "2024-08-30",
    "621": "2025-01-23",
    "837": "2025-01-31",
    "357": "2025-03-26",
    "729": "2025-09-05",
    "457": "2025-09-25",
    "679": "2025-11-07",
    "471": "2026-01-30",
    "483": "2026-02-23",
    "465": "2026-06-18",
}
NEW = re.compile(rf"\+1(?:{'|'.join(NEW_AREAS)})[2-9](?!11)\d{{6}}", re.A)

# What spreadsheets, the exports of Meta, messengers and links put in front of a number, and what people call it.
LABEL = r"(?:phone|ph|tel|telephone|telefon|telefono|telefone|mobile|mobil|cell|handy|home|work)[.:]?"
MARKS = re.compile(rf"\s*(?:(?:(?:p|whatsapp|sms|callto):|{LABEL}|['`\u2018\u2019])\s*)+(?=[+(\d])", re.I)
# A number that a spreadsheet has calculated with.
CALCULATED = re.compile(r"(\+?\d{10,15})\.0", re.A)

# Dialled abroad before a country's code, in most of the world and in North America.
ABROAD = re.compile(r"\+?(?:00|011)(?=[ ().\-/]*[1-9])")
# Mobile numbers as they were written before, which WhatsApp still does: a 1 after Mexico's code, or 044, 045 and 01 at
# home, and in Brazil no 9 before the eight digits.
OLD_MEXICO = re.compile(r"\+52(?:1|01|04[45])(\d{10})", re.A)
OLD_BRAZIL = re.compile(r"(\+55[1-9]\d)([6-9]\d{7})", re.A)

# 555-0100 to 555-0199 of every North American area are reserved for fiction: nobody answers.
FICTIONAL = re.compile(r"\+1\d{3}55501\d\d", re.A)

EXTENSION = r"(?:[ ,]*(?:;ext=|ext(?:ension)?[.:]?|x|#)[ .]*\d{1,7})?(?: *\((?:mobile|cell|home|work|[mchw])\))?"
DIGITS = re.compile(rf"(?:tel:)? *(\(?\+? ?\(?\d[\d ().\-/]*?){EXTENSION}", re.A | re.I)
# At least three letters stand together: a single one is a slip of the finger, such as O for 0.
VANITY = re.compile(
    r"(?:tel:)? *((?:\+?1[ .-]*)?\(?\d{3}\)?[ .-]+(?=[\dA-Z .-]*[A-Z]{3})[\dA-Z][\dA-Z .-]*?)" + EXTENSION,
    re.A | re.I,
)


class Phone(NamedTuple):
    """A valid number. `test`: a fictional one, 555-01XX; `vanity`: it was spelt with letters."""

    e164: str
    test: bool
    vanity: bool


def parse(raw: str, region: str) -> Phone | None:
    """The number meant by the text, dialled from the region (ISO 3166); None when it is not a valid one."""
    if len(raw) > LONGEST:
        return None
    plain = PLAIN.fullmatch(raw)
    if plain and (region == "US" or plain[1]):
        national = plain[2] + plain[3] + plain[4]
        if VALID_IN_US.fullmatch(national):
            return Phone("+1" + national, national.startswith("55501", 3), False)
    return _parse_any(raw if raw.isascii() else "".join(map(_ascii, raw)), region)


def is_region(text: str) -> bool:
    """Whether it is a region (ISO 3166) whose numbers are known."""
    return text in phonenumbers.SUPPORTED_REGIONS


def region_of_code(code: int) -> str | None:
    """The main region of a country's calling code; None for a code that no region has."""
    region = phonenumbers.region_code_for_country_code(code)
    return region if is_region(region) else None


def region_of(e164: str) -> str | None:
    """The region (ISO 3166) that the number belongs to; None for a service of no region, such as +800."""
    if NEW.fullmatch(e164):
        return "US"
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(e164))
    except NumberParseException:
        return None
    return region if region in phonenumbers.SUPPORTED_REGIONS else None


def national_number(e164: str) -> str:
    """The digits of the number without its country's code."""
    return phonenumbers.national_significant_number(phonenumbers.parse(e164))


def _parse_any(text: str, region: str) -> Phone | None:
    mark = MARKS.match(text)
    written = (text[mark.end() :] if mark else text).strip(BLANKS)
    written = CALCULATED.sub(r"\1", written) if written.endswith(".0") else written
    match = DIGITS.fullmatch(written) or VANITY.fullmatch(written)
    if match is None:
        return None
    e164 = _valid_e164(match[1], region)
    if e164 is None and (text.startswith(" ") or ABROAD.match(match[1])):
        # The plus of a query string arrives as a space: one in front means it when nothing else fits.
        e164 = _valid_e164("+" + ABROAD.sub("", match[1]), region)
    vanity = match.re is VANITY
    # Words are for North America: where numbers vary in length, any word after an area code would make one.
    if e164 is None or (vanity and not e164.startswith("+1")):
        return None
    return Phone(e164, FICTIONAL.fullmatch(e164) is not None, vanity)


def _ascii(char: str) -> str:
    """The ASCII spelling of a character of phone numbers; any other stays, and no pattern takes it."""
    if char in INVISIBLE:
        return ""
    kind = unicodedata.category(char)
    if kind == "Nd":
        return str(unicodedata.decimal(char))
    if kind == "Zs":
        return " "
    return "-" if kind == "Pd" else WIDE.get(char, char)


def _valid_e164(written: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(written, region)
    except NumberParseException:
        return None
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if phonenumbers.is_valid_number(number) or NEW.fullmatch(e164):
        return e164
    today = OLD_BRAZIL.sub(r"\g<1>9\2", OLD_MEXICO.sub(r"+52\1", e164))
    if today != e164:
        return _valid_e164(today, region)
    # The library leaves out the fictional numbers of the smaller members of the North American plan.
    known_area = phonenumbers.region_code_for_number(number) is not None
    return e164 if FICTIONAL.fullmatch(e164) and known_area else None


def _valid_in_us() -> re.Pattern[str]:
    """From the library's own metadata, and a part of what it accepts; what is left out is asked of it."""
    metadata = PhoneMetadata.metadata_for_region("US")
    kinds = (metadata.fixed_line, metadata.toll_free) if metadata else ()
    return re.compile("|".join(kind.national_number_pattern or "" for kind in kinds if kind), re.A)


VALID_IN_US = _valid_in_us()
