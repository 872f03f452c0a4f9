"""Logs: one JSON object a line on standard output."""

import logging
import sys
from typing import Any, BinaryIO

import orjson
import structlog


class Spendable:
    """A file whose lines may get lost, as on a full disk: a request that is done must not fail at being told of."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def write(self, line: bytes) -> None:
        """Writes a line at once, if there is room for it."""
        try:
            self.file.write(line)
            self.file.flush()
        except OSError:
            pass  # Nobody is left to hear of it: this is where one would be told.

    def flush(self) -> None:
        """Does nothing: there is never anything left to do."""


def configure(level: str) -> None:
    """Sets the least level that is shown."""
    lines: Any = Spendable(sys.stdout.buffer)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.BytesLoggerFactory(file=lines),
        cache_logger_on_first_use=False,
    )


log: Any = structlog.get_logger()
