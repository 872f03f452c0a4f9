"""A state of a script: its bytes, its hashes, and the same bytes packed as browsers take them. Pure."""

import gzip
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha384
from typing import Any

from server.embed.script import with_configuration

# Of the hash so much tells builds apart for people.
VERSION_LENGTH = 12
# How many files a process keeps packed, each of some 15 KB.
KEPT = 512
# How well brotli and gzip pack what is kept: that takes 30 ms. What is packed for one answer alone takes one.
BEST = (11, 9)
QUICK = (5, 6)


@dataclass(frozen=True, slots=True)
class Build:
    """The script of a configuration; `hash` is that of its bytes, as its address holds it."""

    body: bytes
    version: str

    @property
    def hash(self) -> str:
        """SHA-384 of the bytes, as base64url spells it."""
        return urlsafe_b64encode(sha384(self.body).digest()).decode()


@dataclass(frozen=True, slots=True)
class Packed:
    """A file in each of its encodings."""

    etag: str
    plain: bytes
    br: bytes
    gzip: bytes


def version_of(known: dict[str, Any]) -> str:
    """What `handraiser.version` says: the same for the same script with the same configuration, stamped or not."""
    digest = sha384(with_configuration(known)).digest()
    return urlsafe_b64encode(digest).decode()[:VERSION_LENGTH]


def build(known: dict[str, Any]) -> Build:
    """The script that never changes, which has no stamp."""
    version = version_of(known)
    return Build(with_configuration(known | {"build": version}), version)


def integrity(named: str) -> str:
    """The hash of a build as a page's `integrity` wants it."""
    return "sha384-" + named.replace("-", "+").replace("_", "/")


@lru_cache(maxsize=KEPT)
def packed(body: bytes) -> Packed:
    """A file as it is sent; each is packed once."""
    return pack(body, *BEST)


def pack(body: bytes, brotli_quality: int, gzip_level: int) -> Packed:
    """A file as it is sent."""
    import brotli  # noqa: PLC0415 - for whoever serves scripts

    return Packed(
        etag=b64encode(sha384(body).digest()[:15]).decode(),
        plain=body,
        br=brotli.compress(body, quality=brotli_quality),
        gzip=gzip.compress(body, gzip_level, mtime=0),
    )
