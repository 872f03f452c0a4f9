"""The stamp of a hosted script: it shows that our file was fetched lately for one token and its disclosure, not that a
person saw it. Pure."""

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from server.periods import STAMP_VALID

# All that fetch the file within it get the same stamp, so that caches may keep it.
BUCKET = timedelta(minutes=10)
STAMP = re.compile(r"([0-9a-f]{1,8})-([0-9a-f]{32})", re.A)


class Freshness(StrEnum):
    """What a stamp shows; `forged` is also one of another token or disclosure."""

    FRESH = "fresh"
    STALE = "stale"
    FORGED = "forged"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A stamp that was read; `fetched_at` is the beginning of its ten minutes, unless it is forged."""

    freshness: Freshness
    fetched_at: datetime | None = None


def make_stamp(key: bytes, token: str, disclosure_id: int | None, now: datetime) -> str:
    """The stamp of a file that is fetched now."""
    return signed(key, token, disclosure_id, int(now.timestamp() // BUCKET.total_seconds()))


def read_stamp(key: bytes, token: str, disclosure_id: int | None, text: str, now: datetime) -> Stamp:
    """What the stamp of a request shows that came `now`."""
    found = STAMP.fullmatch(text)
    if found is None:
        return Stamp(Freshness.FORGED)
    bucket = int(found[1], 16)
    if not hmac.compare_digest(signed(key, token, disclosure_id, bucket), text):
        return Stamp(Freshness.FORGED)
    fetched_at = datetime.fromtimestamp(bucket * BUCKET.total_seconds(), UTC)
    # Two machines of ours may disagree by some minutes.
    fresh = fetched_at - BUCKET <= now < fetched_at + BUCKET + STAMP_VALID
    return Stamp(Freshness.FRESH if fresh else Freshness.STALE, fetched_at)


def signed(key: bytes, token: str, disclosure_id: int | None, bucket: int) -> str:
    """The stamp of one bucket."""
    mac = hmac.digest(key, f"{token} {disclosure_id or 0} {bucket}".encode(), "sha256")
    return f"{bucket:x}-{mac[:16].hex()}"
