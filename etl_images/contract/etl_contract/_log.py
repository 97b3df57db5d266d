"""Sets up a stage's log: one JSON object a line, on standard output, which Airflow turns into its task log."""

import sys

import structlog


def configure_logging() -> None:
    """Send structlog's events to standard output as JSON, unbuffered."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
