"""When a schedule's action is due: pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Step:
    """One action of a schedule as intake needs it."""

    id: int
    delay_seconds: int


def due(step: Step, entered_at: datetime) -> datetime:
    """When a step runs that a lead entered at that time."""
    return entered_at + timedelta(seconds=step.delay_seconds)
