"""How long things count: every period that people are told of, which the documentation prints from here.

What is past its time is neither shown nor taken once more, though nothing may have removed it yet.
"""

from datetime import timedelta

# Within this time the same content again, on a lead that has not changed since, is a double click.
DOUBLE_CLICK = timedelta(minutes=10)
# An Idempotency-Key answers as it did before.
KEY_KEPT = timedelta(days=7)
# A refused submission can be replayed.
REFUSED_KEPT = timedelta(days=14)
# A suspicious one can be released.
QUARANTINED_KEPT = timedelta(days=30)
# How many were refused of which nothing else is kept.
COUNTS_KEPT = timedelta(days=92)
# A deleted lead can be restored.
RESTORABLE = timedelta(days=30)
# A page that was loaded counts as loaded lately.
STAMP_VALID = timedelta(hours=24)

# As the documentation names them: `{{ period.refused }}`.
NAMED = {
    "double_click": DOUBLE_CLICK,
    "key": KEY_KEPT,
    "refused": REFUSED_KEPT,
    "quarantined": QUARANTINED_KEPT,
    "counts": COUNTS_KEPT,
    "restorable": RESTORABLE,
    "stamp": STAMP_VALID,
}
UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def spoken(period: timedelta | int) -> str:
    """A period, or so many seconds, in the largest unit that it is a whole number of: `14 days`."""
    seconds = period if isinstance(period, int) else round(period.total_seconds())
    unit, size = next((unit, size) for unit, size in UNITS if seconds % size == 0)
    return f"{seconds // size} {unit}{'s' if seconds != size else ''}"
