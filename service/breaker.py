"""Tells a broken model from a bad article, and holds the stream while the model is broken.

An article that fails in all its tries becomes a dead letter; if the model fails on every article,
that would drain the input into the dead letters. So each such failure is judged first:

1. The model labels a text of our own (`CONTROL`). Fails that too, the breaker opens at once.
2. Does it pass, the article is to blame, and becomes a dead letter. But the breaker opens as well
   at the so manyth (``breaker_failures``) in a row with none between that was labelled: the model
   may fail on all but the simplest text.
3. While it is open the article that opened it is kept: neither dead-lettered nor committed, and
   nothing after it is begun. It is tried once after each wait; waits double.
4. The breaker closes when an article is labelled. If the one kept fails ``attempts`` times more
   while our own text passes, it is to blame after all and becomes a dead letter, so that a bad
   article cannot hold the stream for ever; the breaker stays open, and the next article is tried.

A breaker outlives rebalances, for it is about the model. It does not outlive the process.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final

import structlog

from service.metrics import Metrics
from service.records import SourceRecord
from service.settings import WorkerSettings

log = structlog.get_logger(__name__)

# Two plain sentences that any model must be able to label. It is never sent anywhere.
CONTROL: Final = SourceRecord(
    topic="",
    partition=0,
    offset=0,
    timestamp_ms=None,
    key=b"control",
    value=b'{"id": "control", "body": "The council met on Monday. The mayor said it went well."}',
    headers=[],
)

_MODEL_FAILS: Final = "the model fails, on a text of our own too"


class Breaker:
    """Judges failures; open, it says when to try again."""

    def __init__(
        self,
        settings: WorkerSettings,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin closed, with the clock to go by in seconds."""
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._in_a_row = 0
        self._passes = 0
        self._wait_s = settings.breaker_wait_s
        self._due = 0.0
        self._opened = 0.0
        self.reason: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether the stream is held."""
        return self.reason is not None

    @property
    def due_in_s(self) -> float:
        """Seconds until the next try; 0 if it is due."""
        return max(0.0, self._due - self._clock())

    def judge(self, *, control_passes: bool) -> bool:
        """Judge an article that failed.

        Args:
            control_passes: whether the model labelled a text of our own just after.

        Returns:
            Whether the article is to blame; if not, it is to be kept and tried again.
        """
        if self.is_open:
            return self._judge_again(control_passes=control_passes)
        if control_passes:
            self._in_a_row += 1
            if self._in_a_row < self._settings.breaker_failures:
                return True
            self._open(f"the model fails on {self._in_a_row} articles in a row")
        else:
            self._open(_MODEL_FAILS)
        return False

    def succeeded(self) -> None:
        """An article was labelled: the model works."""
        self._in_a_row = 0
        if not self.is_open:
            return
        self.reason = None
        self._wait_s = self._settings.breaker_wait_s
        self._metrics.breaker_open.set(0)
        log.info(
            "breaker closed, the model works again", open_s=round(self._clock() - self._opened)
        )

    def _open(self, reason: str) -> None:
        self.reason = reason
        self._passes = 0
        self._opened = self._clock()
        self._metrics.breaker_open.set(1)
        self._metrics.breaker_openings.inc()
        self._plan()
        log.error("breaker open, holding the stream", reason=reason)

    def _judge_again(self, *, control_passes: bool) -> bool:
        self._wait_s = min(2 * self._wait_s, self._settings.breaker_max_wait_s)
        self._plan()
        log.warning("breaker stays open", next_try_s=round(self.due_in_s, 1))
        self._passes += control_passes
        if self._passes < self._settings.attempts:
            return False
        self._passes = 0
        return True

    def _plan(self) -> None:
        # Jittered, so that many workers with the same broken model do not try in step.
        self._due = self._clock() + self._wait_s * random.uniform(0.75, 1.25)  # noqa: S311
