"""Logs: one JSON object a line on standard output."""

import logging
import sys
from typing import Any

import orjson
import structlog


def configure(level: str) -> None:
    """Sets the least level that is shown."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.BytesLoggerFactory(file=sys.stdout.buffer),
        cache_logger_on_first_use=False,
    )


log: Any = structlog.get_logger()
