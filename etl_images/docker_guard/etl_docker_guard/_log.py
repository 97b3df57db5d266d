"""Sets up the guard's log: one JSON object a line, on standard output."""

import logging
import sys

import structlog
from aiohttp.http_exceptions import HttpProcessingError


def configure_logging() -> None:
    """Write structlog's events as JSON, and with them what aiohttp has to say."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_ToStructlog()], level=logging.WARNING, force=True)
    # What is no HTTP at all, such as TLS, aiohttp only tells at this level.
    logging.getLogger("aiohttp.server").setLevel(logging.DEBUG)


class _ToStructlog(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            log.warning("malformed", reason=str(error.message)[:300], status=error.code)
        elif record.levelno >= logging.WARNING:
            log.log(record.levelno, record.getMessage(), exc_info=record.exc_info)
