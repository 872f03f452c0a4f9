"""How well a consent is evidenced. It is computed, never taken from input. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

TRUSTEDFORM_HOST = "cert.trustedform.com"
CERTIFICATE = re.compile(r"/[0-9a-f]{40}/?", re.A | re.I)
LEADID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.A | re.I)
# A LeadiD under any of the names that forms and vendors have for it, once `_` is taken out. `leadid` alone is what many
# vendors call an id of their own.
LEADID_NAMES = frozenset(
    ["leadidtoken", "universalleadid", "jornayaleadid", "jornayaleadidtoken", "jornayatoken", "jornayaid"]
)

NEAR = ("trusted", "leadid", "jornaya")


class Evidence(StrEnum):
    """From the best to none.

    `witnessed` means that our own script brought it, in a file that was fetched lately for this token and disclosure;
    it does not mean that a person saw it.
    """

    WITNESSED = "witnessed"
    THIRD_PARTY = "third_party"
    ASSERTED = "asserted"
    IMPORTED = "imported"
    NONE = "none"


RANKS: Mapping[str, int] = {level.value: rank for rank, level in enumerate(Evidence)}


def attached(tokens: Mapping[str, Any]) -> list[dict[str, str]]:
    """What others have certified, by the tokens that name it: TrustedForm's certificates and Jornaya's LeadiDs."""
    return [{"kind": kind, "token": name, "value": value} for name, kind, value in certified(tokens.items())]


@lru_cache(maxsize=4096)
def comes_near(name: str) -> bool:
    """Whether the name of a token might be a certificate's: few are, and forms have the same names each time."""
    return any(near in name for near in NEAR)


def certified(tokens: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """The tokens that are a certificate by name and by shape."""
    for name, value in tokens:
        if not isinstance(value, str) or not comes_near(name):
            continue
        spelt, text = name.replace("_", ""), value.strip()
        if "trustedform" in spelt and is_certificate(text):
            yield name, "trustedform", text
        elif spelt in LEADID_NAMES and LEADID.fullmatch(text):
            yield name, "leadid", text


def is_certificate(url: str) -> bool:
    """Whether it is the address of a certificate at TrustedForm itself."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return (parts.scheme, parts.netloc.lower()) == ("https", TRUSTEDFORM_HOST) and bool(
        CERTIFICATE.fullmatch(parts.path)
    )


def level(*, granted: bool | None, witnessed: bool, certified: bool) -> Evidence:
    """The evidence of one consent. Who says no has given none, whatever comes along."""
    if granted is False:
        return Evidence.NONE
    if granted and witnessed:
        return Evidence.WITNESSED
    if certified:
        return Evidence.THIRD_PARTY
    return Evidence.ASSERTED if granted else Evidence.NONE
