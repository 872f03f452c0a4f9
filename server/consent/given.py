"""What a request says of its visitor's consent, in our words or in those of HubSpot's forms. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# A form of HubSpot's says it so, beside its fields.
HUBSPOT = "legalConsentOptions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A statement about consent; `said_in` is the parameter that made it."""

    said_in: str
    granted: bool | None = None
    text: str | None = None
    # A version, by its address or its id.
    disclosure: str | None = None
    language: str | None = None
    # How the box stood before the visitor touched it: `unticked` or `ticked`.
    default: str | None = None
    shown_at: datetime | None = None
    granted_at: datetime | None = None
    page_url: str | None = None
    stamp: str | None = None
    gpc: bool = False


def read_hubspot(options: object) -> Given | None:
    """What `legalConsentOptions` says; None where it is of no shape that HubSpot sends.

    `consent` holds consentToProcess, its text and one communication for each kind of message, each with its own
    value and text: consent to be contacted is consent to all of them. `legitimateInterest` claims none.
    """
    if not isinstance(options, dict):
        return None
    consent, interest = options.get("consent"), options.get("legitimateInterest")
    if isinstance(consent, dict):
        kinds = consent.get("communications")
        kinds = [each for each in kinds if isinstance(each, dict)] if isinstance(kinds, list) else []
        granted = consent.get("consentToProcess") is True and all(each.get("value") is True for each in kinds)
        return Given(said_in=HUBSPOT, granted=granted, text=joined(consent, *kinds))
    if isinstance(interest, dict):
        return Given(said_in=HUBSPOT, granted=False, text=joined(interest))
    return None


def joined(*parts: Mapping[str, Any]) -> str | None:
    """The texts of some parts as one."""
    return " ".join(part["text"] for part in parts if isinstance(part.get("text"), str)) or None
