"""One log for the product's own lines and those of its libraries: structlog, with standard logging routed through it.

An event is a fixed lower-case phrase and facts are keys: `log.info("job accepted", job_id=..., plugin=...)`. Lines go
to stderr, because stdout belongs to what a command prints for its user. Never media, never secrets.
"""

import logging
import sys
from typing import TYPE_CHECKING, Literal, TextIO

import orjson
import structlog

from .settings import ProcessSettings

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

QUIET = ("uvicorn.access", "uvicorn.error", "httpx", "httpcore", "asyncio")
"""Loggers whose INFO lines say nothing about a job; their warnings are kept."""


def configure(
    settings: ProcessSettings | None = None,
    *,
    service: str | None = None,
    log_format: Literal["auto", "json", "console"] = "auto",
    log_level: str = "INFO",
    stream: TextIO | None = None,
) -> None:
    """Set up logging for this process; a second call replaces the first.

    Args:
        settings: provides format and level; without it the two arguments below apply.
        service: written into every line as `service`.
        log_format: `auto` is colour on a terminal and JSON elsewhere.
        log_level: the lowest level that is written.
        stream: where lines go; None means stderr.
    """
    if settings is not None:
        log_format, log_level = settings.log_format, settings.log_level
    out = stream or sys.stderr
    as_json = log_format == "json" or (log_format == "auto" and not out.isatty())
    before = _processors(service)
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(log_level),
        cache_logger_on_first_use=False,  # module-level loggers exist before this call, and tests configure again
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(_formatter(before, as_json=as_json, colours=out.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(log_level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _processors(service: str | None) -> list["Processor"]:
    def name_service(_logger: "WrappedLogger", _method: str, event: "EventDict") -> "EventDict":
        if service is not None:
            event.setdefault("service", service)
        return event

    return [
        structlog.contextvars.merge_contextvars,
        name_service,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def _formatter(before: list["Processor"], *, as_json: bool, colours: bool) -> logging.Formatter:
    ending: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if as_json:
        ending += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json_text)]
    else:
        ending.append(structlog.dev.ConsoleRenderer(colors=colours))
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*before, structlog.stdlib.ExtraAdder()], processors=ending
    )


def _json_text(event: object, **_: object) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
