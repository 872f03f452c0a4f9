"""The one clock: every instant in the product is aware UTC and comes from here."""

from datetime import UTC, datetime, timedelta

MILLISECOND = timedelta(milliseconds=1)


def now() -> datetime:
    """This instant, in whole milliseconds: what an answer can show is what is stored."""
    instant = datetime.now(UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def after(last: datetime) -> datetime:
    """This instant, or the first that an answer tells from `last`, so that two states never look alike."""
    return max(now(), last + MILLISECOND)


def text(instant: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, as the API shows every time: `2026-11-23T06:00:00.000+00:00`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds")
