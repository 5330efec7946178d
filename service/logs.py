"""Logs: one JSON object a line on standard error, or coloured lines for people.

The libraries' own logs take the same way. What an article says is never logged, nor are secrets:
aiokafka writes whole records at DEBUG, so it never gets there.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from structlog.typing import Processor

from service.settings import LogSettings

# They tell every step of their own life at INFO. Rebalances and commits we log ourselves.
_TALKATIVE: Final = ("faust", "mode", "aiokafka", "aiohttp", "asyncio")
# While a broker is away aiokafka logs some hundred lines a second.
_REPEAT_AFTER_S: Final = 10.0

log = structlog.get_logger(__name__)


class RepeatFilter(logging.Filter):
    """Lets each kind of message of the libraries through once in so many seconds."""

    def __init__(
        self, seconds: float = _REPEAT_AFTER_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take how long a kind of message stays silent."""
        super().__init__()
        self._seconds = seconds
        self._clock = clock
        self._last: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a message is to be logged. A kind is the text before its arguments."""
        if not record.name.startswith(_TALKATIVE):
            return True
        kind, now = (record.name, str(record.msg)), self._clock()
        if now - self._last.get(kind, -self._seconds) < self._seconds:
            return False
        self._last[kind] = now
        return True


def configure_logs(settings: LogSettings) -> None:
    """Send the logs of this process, ours and the libraries', to standard error."""
    shared: Sequence[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if settings.format == "json":
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        # Its own way with tracebacks shows every local variable: passwords, and articles.
        plain = structlog.dev.plain_traceback
        last += [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
        ]
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(RepeatFilter())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last)
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.level)
    least = logging.INFO if settings.level == "DEBUG" else logging.WARNING
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(least, logging.getLevelName(settings.level)))
    threading.excepthook = _log_dead_thread


def _log_dead_thread(failure: threading.ExceptHookArgs) -> None:
    """Log a thread that ended with an exception, as anything else is logged."""
    name = failure.thread.name if failure.thread else "unknown"
    log.error("a thread died", thread=name, error=repr(failure.exc_value))
