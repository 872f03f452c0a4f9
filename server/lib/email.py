"""E-mail addresses, judged by their syntax; nothing is looked up."""

import re

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

# Most addresses are this plain; a test holds this against the library, which costs forty times as much.
PLAIN = re.compile(
    r"[A-Za-z0-9_+-]{1,32}(?:\.[A-Za-z0-9_+-]{1,15}){0,2}@"
    r"(?=[a-z])([a-z0-9]{1,40}(?:\.[a-z0-9]{1,40}){0,2}\.([a-z]{2,20}))"
)


def normalise(text: str) -> str | None:
    """The address with its domain in one spelling; None if it is not an address."""
    if (plain := PLAIN.fullmatch(text)) and plain[2] not in SPECIAL_USE_DOMAIN_NAMES:
        return text
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        return None
