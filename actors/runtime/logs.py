"""Structured logs on standard output: one line per event, as text or as JSON."""

import logging
import sys

import structlog

from settings import Settings


def configure(config: Settings, role: str) -> None:
    """Configure structlog for this process, and send the standard library's logging through it."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    as_json = config.log_format == "json"
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        # Plain tracebacks: rich ones print local variables, which include configs with secrets.
        else structlog.dev.ConsoleRenderer(
            colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    level = logging.getLevelName(config.log_level)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                lambda _logger, _method, event: {"process": role, **event},
                *([structlog.processors.format_exc_info] if as_json else []),
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    _quiet_libraries(level)


def _quiet_libraries(level: int) -> None:
    # These libraries log URL paths, and paths may contain tokens.
    for name in ("urllib3", "apprise"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    # They log a line per second without information.
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("dramatiq").setLevel(max(level, logging.WARNING))
