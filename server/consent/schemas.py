"""Disclosures and their versions, as the API and the console show them."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from marshmallow import Schema, ValidationError

from server.consent.rules import read_language, tidy
from server.lib.fields import Hash, RowId, Switch, Text, Time

MOST_BYTES = 8 * 1024
LONGEST_URL = 2048


class Language(Text):
    """A language as BCP 47 writes it."""

    def __init__(self, description: str, example: str = "en", **more: Any) -> None:
        super().__init__(description, example, **more)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str | None:  # type: ignore[override]
        text = super()._deserialize(value, attr, data)
        language = read_language(text) if text is not None else None
        if text is not None and language is None:
            raise ValidationError("is not a language, such as en or es-MX")
        return language


class Passage(Text):
    """Text that visitors read: white space counts as one blank, whatever it is."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str | None:  # type: ignore[override]
        text = super()._deserialize(value, attr, data)
        kept = tidy(text) if text is not None else None
        if kept is not None and len(kept.encode()) > MOST_BYTES:
            raise ValidationError(f"takes {len(kept.encode())} bytes in UTF-8; send {MOST_BYTES} at most")
        return kept


class Url(Text):
    """The address of a page that visitors can open."""

    def __init__(self, description: str, example: str, **more: Any) -> None:
        super().__init__(description, example, longest=LONGEST_URL, **more)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str | None:  # type: ignore[override]
        text = super()._deserialize(value, attr, data)
        if text is not None and not is_page(text):
            raise ValidationError("is not the address of a page; send it in full, such as https://shop.example/terms")
        return text


def is_page(url: str) -> bool:
    """Whether a browser opens a page by this address, and the one that people read in it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    plain = url.isprintable() and not {" ", "\\"} & {*url} and "@" not in parts.netloc
    return plain and parts.scheme in ("http", "https") and bool(parts.hostname)


class DisclosureSchema(Schema):
    """A disclosure: a consent text under a name, in as many languages as wanted."""

    name = Text("What people call it.", "Solar landing pages", required=True)
    default_language = Language("The language for visitors of whose own there is no text.", load_default="en")
    text = Passage(
        "The consent text in the default language, with `label`: it is published at once. Only when it is made; later"
        " texts are versions.",
        "I agree that Acme Solar may call and text me, also by automated means and with prerecorded messages. Consent"
        " is not a condition of purchase. Reply STOP to opt out.",
        longest=MOST_BYTES,
        allow_none=True,
        load_default=None,
        load_only=True,
    )
    label = Passage(
        "What stands beside the box of that text.",
        "Yes, contact me.",
        allow_none=True,
        load_default=None,
        load_only=True,
    )
    seller_name = Passage(
        "Who will contact the visitor, as that text names it.",
        "Acme Solar",
        allow_none=True,
        load_default=None,
        load_only=True,
    )
    terms_url = Url(
        "The page with the terms.", "https://shop.example/terms", allow_none=True, load_default=None, load_only=True
    )
    privacy_url = Url(
        "The page with the privacy policy.",
        "https://shop.example/privacy",
        allow_none=True,
        load_default=None,
        load_only=True,
    )
    current = Hash("The current version of each published language, by its id.", {"en": 1}, dump_only=True)


class DisclosureFilter(Schema):
    """The filters of the list of disclosures."""

    name = Text("Only disclosures of exactly this name.", "Solar landing pages")


class ContentSchema(Schema):
    """What a version says, and what is hashed."""

    language = Language(
        "The language of the text; the disclosure's default, unless it is said.",
        "en",
        allow_none=True,
        load_default=None,
    )
    text = Passage(
        "The consent text as visitors read it, in plain text.",
        "I agree that Acme Solar may call and text me, also by automated means and with prerecorded messages. Consent"
        " is not a condition of purchase. Reply STOP to opt out.",
        longest=MOST_BYTES,
        required=True,
    )
    label = Passage("What stands beside the box that visitors tick.", "Yes, contact me.", required=True)
    seller_name = Passage(
        "Who will contact the visitor, as the text names it.", "Acme Solar", allow_none=True, load_default=None
    )
    terms_url = Url("The page with the terms.", "https://shop.example/terms", allow_none=True, load_default=None)
    privacy_url = Url(
        "The page with the privacy policy.", "https://shop.example/privacy", allow_none=True, load_default=None
    )


class VersionSchema(ContentSchema):
    """A version of a disclosure."""

    disclosure_id = RowId("The disclosure that it is a version of.", 1, dump_only=True)
    content_hash = Text(
        "SHA-256 of the content's canonical JSON (RFC 8785).",
        "64118b3c15b051e07255304706f98457d9da7580186a380d12cdecd046e21149",
        dump_only=True,
    )
    is_current = Switch("Whether it is what visitors of its language are shown.", dump_only=True)
    reviewed_at = Time(
        "Since when somebody of the company stands by it; null while it was only learned from a page.",
        "2026-12-01T14:26:43Z",
        dump_only=True,
    )
    published_at = Time("When it was first published; null for a draft.", "2026-12-01T14:26:43Z", dump_only=True)


class ReviewSchema(Schema):
    """What a review takes."""

    release_leads = Switch("Whether the leads that are held for this text are released as well.", load_default=False)


class VersionFilter(Schema):
    """The filters of the list of a disclosure's versions."""

    language = Language("Only versions in exactly this language.", "es-MX")
    content_hash = Text(
        "Only the version with this content.", "64118b3c15b051e07255304706f98457d9da7580186a380d12cdecd046e21149"
    )
    is_current = Switch("Only the current versions, or only the others.")
    published = Switch("Only versions that were published, or only drafts.")


class PreviewFilter(Schema):
    """What a preview is asked for."""

    language = Language(
        "The visitor's language; without a text in it, one of less of it (`es` for `es-MX`), then the default's.",
        "es-MX",
    )
