"""Structured logs: one JSON line per event, to standard error."""

from __future__ import annotations

import logging
import sys

import structlog


def set_up_logging(level: str, *, role: str) -> None:
    """Configure structlog and the standard library's logging once per process.

    role: who speaks (api, worker-film-0, sweeper), in every line.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(role=role)
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr, force=True)
