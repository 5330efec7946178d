"""The worker's vital signs: looked at twice a second, to say whether it is alive and ready."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any, Final, NamedTuple

from service.breaker import Breaker
from service.consumer import DrainingConsumer
from service.delivery import Outbox
from service.journal import Journal, JournalError
from service.metrics import Metrics
from service.progress import Progress
from service.settings import Settings

_TICK_S: Final = 0.5
_PING_EVERY_S: Final = 5.0


class Verdict(NamedTuple):
    """Whether all is well, and what it was judged by."""

    is_well: bool
    details: dict[str, Any]


class Vitals:
    """Watches the parts of a worker as they come to life."""

    def __init__(
        self, settings: Settings, metrics: Metrics, progress: Progress, breaker: Breaker
    ) -> None:
        """Take what is there from the start; the rest is set when it is built."""
        self._settings = settings
        self._metrics = metrics
        self._progress = progress
        self._breaker = breaker
        self._waiting_for: str | None = None
        self.outbox: Outbox | None = None
        self.journal: Journal | None = None
        self.consumer: DrainingConsumer | None = None
        self.has_model = False
        self.broker_answers = False
        self._waiting = 0
        self._member_since: float | None = None
        self._outside_since = time.monotonic()

    def liveness(self) -> Verdict:
        """Say whether the worker should live on.

        It should not when there is work and none gets done, when nothing polls the broker, and
        when the broker answers but the worker stays outside its group. Whether there is work is
        asked of the broker, too: a fetcher that is dead sees none. That it answers at all
        shows that the event loop runs.

        A start that waits for the cluster is alive, and so is a worker whose breaker is open: a
        restart would bring back neither the cluster nor, from the same files, a model that works;
        it would lose the waits and begin again with the same articles.
        """
        worker, kafka = self._settings.worker, self._settings.kafka
        faults = {}
        if (seconds := self._progress.stuck_for(self._waiting)) is not None:
            faults["no progress for s"] = round(seconds, 1)
        if self.consumer is not None and self.broker_answers:
            now = time.monotonic()
            if self._progress.in_hand == 0 and self._is_member():
                idle = now - self.consumer.last_poll
                if idle > worker.stall_s:
                    faults["no poll for s"] = round(idle, 1)
            outside = now - self._outside_since
            if not self._is_member() and outside > worker.stall_s + kafka.rebalance_timeout_s:
                faults["outside the group for s"] = round(outside, 1)
        details = {"in_hand": self._progress.in_hand, "waiting": self._waiting, **faults}
        return Verdict(not faults, details)

    def readiness(self) -> Verdict:
        """Say whether the worker does its part.

        A member of the group that got no partition is ready: it takes over when another goes. To
        call it unready would block a rollout that starts the new before it ends the old. One whose
        breaker is open is not: a rollout of a broken model stops there.
        """
        signs = {
            "model": self.has_model,
            "assigned": self._is_member(),
            "producer": self.outbox is not None and self.broker_answers,
        }
        assigned = self.consumer.assigned if self.consumer else None
        details = {**signs, "partitions": len(assigned or ())}
        reason = self._breaker.reason or self._waiting_for
        if reason is not None:
            return Verdict(is_well=False, details={**details, "reason": reason})
        return Verdict(all(signs.values()), details)

    def wait_for(self, reason: str | None) -> None:
        """The start waits, and why; None when it waits no longer."""
        self._waiting_for = reason

    async def watch(self) -> None:
        """Look at the signs for ever."""
        ping: asyncio.Task[None] | None = None
        next_ping = due = time.monotonic()
        while True:
            due += _TICK_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            now = time.monotonic()
            self._metrics.loop_lag_seconds.observe(max(0.0, now - due))
            # After the loop was blocked, go on from here rather than catch up.
            due = max(due, now - _TICK_S)
            self._look()
            if self.outbox is not None and now >= next_ping and (ping is None or ping.done()):
                next_ping = now + _PING_EVERY_S
                ping = asyncio.create_task(self._ping(self.outbox))

    def _look(self) -> None:
        if self.consumer is None:
            return
        self._waiting = 0
        oldest = self.consumer.oldest()
        for partition, lag in self.consumer.lag().items():
            labels = partition.topic, str(partition.partition)
            self._metrics.lag.labels(*labels).set(lag)
            # What waits at the broker alone has an age that nobody here knows.
            if lag == 0 or partition in oldest:
                age = time.time() - oldest[partition] if lag else 0.0
                # The producer's clock may be ahead of ours.
                self._metrics.lag_seconds.labels(*labels).set(max(0.0, age))
            self._waiting += lag
        if self._is_member():
            self._outside_since = time.monotonic()
        # Sets the time from which a stall counts, while there is nothing to do.
        self._progress.stuck_for(self._waiting)

    def _is_member(self) -> bool:
        return self.consumer is not None and self.consumer.assigned is not None

    async def _ping(self, outbox: Outbox) -> None:
        self.broker_answers = await outbox.ping(self._settings.kafka.connect_timeout_s)
        self._metrics.broker_up.set(self.broker_answers)
        if self.broker_answers and self.journal is not None and self.consumer is not None:
            with suppress(JournalError):
                places = [tuple(partition) for partition in self.consumer.assigned or ()]
                self.consumer.learn_ends(await self.journal.ends(places) if places else {})
