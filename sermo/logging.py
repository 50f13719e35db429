"""Logs as one JSON object a line, each with the id of the request it belongs to. Ids and outcomes, never content."""

import logging
import re

import structlog

QUIET = ("django.server", "httpx", "celery.app.trace", "celery.beat", "celery.worker.strategy")

UNNAMED = (
    "/polls/",
)  # who asks for an address below these is known to a request's log lines by its outcome alone

KEYS = re.compile(
    r"(/news/feed/|/rewards/left/|/observe/join/|/verify/not-me/)[^\s\"']+", re.IGNORECASE
)  # in addresses that are themselves a secret

ROWS = re.compile(
    r"\n(?:DETAIL|CONTEXT):.*?(?=\n\nThe above exception|\n\nDuring handling|\nTraceback |\Z)", re.DOTALL
)  # what the database adds to a fault: the very row, with what somebody typed

shared = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
]


def unnamed(record: logging.LogRecord) -> bool:
    """A filter that lets all pass, and shortens addresses that would say which poll somebody was at, or are a key."""
    if isinstance(record.args, tuple):
        record.args = tuple(_short(one) if isinstance(one, str) else one for one in record.args)
    return True


def _short(text: str) -> str:
    text = next((f"{start}..." for start in UNNAMED if text.startswith(start)), text)
    return KEYS.sub(r"\1...", text)


def keyless(logger, method, event: dict) -> dict:
    """The last look at a line, with its traceback: no secret address leaves, and no row of the database."""
    return {name: _clean(said) if isinstance(said, str) else said for name, said in event.items()}


def _clean(text: str) -> str:
    return ROWS.sub("", KEYS.sub(r"\1...", text))


def log_config(*, readable: bool) -> dict:
    """A LOGGING dictionary for Django; it also prepares structlog. `readable` writes for eyes in place of JSON."""
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    for_eyes = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    renderer = for_eyes if readable else structlog.processors.JSONRenderer()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, keyless, renderer],
                "foreign_pre_chain": shared,
            },
        },
        "filters": {"unnamed": {"()": lambda: unnamed}},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "structured", "filters": ["unnamed"]}
        },
        "root": {"handlers": ["console"], "level": "INFO"},
        "loggers": {
            **{name: {"level": "WARNING"} for name in QUIET},
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.security.DisallowedHost": {"level": "ERROR"},
        },
    }


logging.captureWarnings(True)
