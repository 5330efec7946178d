"""Handles what the stream takes at once: label, send, and have it acknowledged in order.

The rules that make sure that nothing is lost:

1. Nothing is acknowledged before the broker confirmed its outcome, whatever the outcome is.
2. Acknowledgements are made in the order of the records; what comes after a record that is not
   acknowledged is not acknowledged either.
3. A failure of the article's own ends as a dead letter; any other error is raised, so that the
   worker ends and acknowledges nothing more. One that the model may be to blame for is held back
   (service.breaker).
4. Where a process died before, records are brought to their end one by one (service.poison).
5. What is sent and not confirmed is bounded, in bytes too: a slow broker slows the labelling.
6. Once draining, no further article is begun. Those not begun are left as they are: they have
   produced nothing, so whoever reads them next produces no duplicate.

An article is sent as soon as it is labelled, and the next is labelled while the broker writes it
(service.settling). So nothing in a batch waits for the rest of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from typing import Any

import structlog

from service.attempts import Attempts
from service.breaker import Breaker
from service.delivery import Outbox
from service.dispatch import Dispatch
from service.metrics import Metrics
from service.outcomes import Failure, Labelled, Outcome, Tombstone
from service.pipeline import Labeller
from service.poison import Guard
from service.progress import Progress
from service.records import SourceRecord
from service.settings import Settings
from service.settling import Sent, Settling
from service.tracing import NO_TRACES, Traces

log = structlog.get_logger(__name__)

Message = Any  # faust.types.tuples.Message, which has no type information
Acknowledge = Callable[[Message], None]


class Handler:
    """Brings records to their end, one after the other, in the inference thread."""

    def __init__(  # noqa: PLR0913 - the parts that meet here
        self,
        settings: Settings,
        *,
        labeller: Labeller,
        outbox: Outbox,
        executor: Executor,
        metrics: Metrics,
        progress: Progress,
        breaker: Breaker,
        guard: Guard,
        traces: Traces = NO_TRACES,
    ) -> None:
        """Take the parts; ``executor`` must have a single thread, for the labeller's sake."""
        self._worker = settings.worker
        self._labeller = labeller
        self._metrics = metrics
        self._progress = progress
        self._guard = guard
        self._traces = traces
        self._dispatch = Dispatch(settings.topics, outbox)
        self._settling = Settling(self._dispatch, self._count)
        self._attempts = Attempts(
            settings.worker,
            labeller=labeller,
            executor=executor,
            metrics=metrics,
            progress=progress,
            breaker=breaker,
            traces=traces,
        )
        self._leaving = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    async def handle(
        self,
        messages: Sequence[Message],
        is_current: Callable[[Message], bool],
        acknowledge: Acknowledge,
        commit: Callable[[], Awaitable[None]],
    ) -> None:
        """Label and send records; most are not yet acknowledged when this is done.

        Args:
            messages: the records, in order within each partition.
            is_current: whether a record's partition is still assigned as it was when it was read.
            acknowledge: called with each record that is done, in order.
            commit: commits what is acknowledged, where that cannot wait.

        Raises:
            DeliveryError: the broker did not confirm this or what went before; nothing of that was
                acknowledged.
            JournalError: the broker did not keep what is to be known should the process die.
        """
        self._idle.clear()
        self._metrics.batch_articles.observe(len(messages))
        self._progress.take([len(message.value or b"") for message in messages])
        self._show_in_flight()
        self._attempts.begin_batch()
        used = self._labeller.usage
        try:
            for message in messages:
                if self._leaving.is_set() or not is_current(message):
                    continue
                record = SourceRecord.from_message(message)
                is_alone = self._guard.watches(record)
                if is_alone:
                    await self._settling.wait_empty()
                await self._settling.wait_for_room(
                    record.size, self._worker.in_flight_bytes, self._worker.in_flight_articles
                )
                self._metrics.received.inc()
                self._progress.begin(record.size)
                self._traces.begin(record)
                if is_alone:
                    await self._alone(message, record, acknowledge, commit)
                    continue
                outcome = await self._attempts.label(record)
                if outcome is None:
                    outcome = await self._attempts.hold(record, self._leaving)
                if outcome is None:
                    self._traces.left(record)
                else:
                    await self._send(message, record, outcome, acknowledge)
            self._metrics.count_tokens(used, self._labeller.usage)
        finally:
            self._progress.put_back(len(self._settling), self._settling.record_bytes)
            self._show_in_flight()
            self._idle.set()

    async def drain(self) -> None:
        """Begin no further article, and wait until those begun are acknowledged."""
        self._leaving.set()
        await self._idle.wait()
        await self._settling.wait_empty()

    def resume(self) -> None:
        """Begin articles again."""
        self._leaving.clear()

    async def settled(self) -> None:
        """Wait until all that was sent is acknowledged.

        Raises:
            DeliveryError: the broker failed, and nothing more will be.
        """
        await self._settling.wait_empty()
        self._settling.check()

    async def broken(self) -> Exception:
        """Wait until the broker fails on what was sent, which may be never; what it failed with."""
        error = await self._settling.broken()
        self._progress.put_back()
        return error

    async def _alone(
        self,
        message: Message,
        record: SourceRecord,
        acknowledge: Acknowledge,
        commit: Callable[[], Awaitable[None]],
    ) -> None:
        """Bring a record that may kill the process to its end, with nothing else in hand."""
        poison = await self._guard.begin(record)
        outcome = poison or await self._attempts.label(record)
        if poison is None:
            await self._guard.end(record)
        if outcome is None:
            outcome = await self._attempts.hold(record, self._leaving)
        if outcome is None:
            self._traces.left(record)
            return
        await self._send(message, record, outcome, acknowledge)
        await self.settled()
        await commit()
        if poison is not None:
            await self._guard.end(record)

    async def _send(
        self, message: Message, record: SourceRecord, outcome: Outcome, acknowledge: Acknowledge
    ) -> None:
        """Send the outcome, and see to it that it is acknowledged in its turn."""
        record = self._traces.sending(record, outcome)
        became, confirmation = await self._dispatch.send(record, outcome)
        self._traces.sent(record, became, confirmation)
        self._progress.labelled()
        self._settling.add(
            Sent(message, record, became, confirmation, acknowledge, time.monotonic())
        )

    def _count(self, sent: Sent, outcome: Outcome, seconds: float) -> None:
        """Count a record that is done; the broker took so many seconds."""
        record, metrics = sent.record, self._metrics
        self._progress.done(record.size)
        self._traces.done(record, outcome)
        metrics.stage_seconds.labels("deliver").observe(seconds)
        match outcome:
            case Labelled():
                metrics.done.labels("labelled").inc()
                metrics.count_sentences(outcome)
            case Tombstone():
                metrics.done.labels("tombstone").inc()
            case Failure():
                metrics.done.labels("dead_letter").inc()
                metrics.dead_letters.labels(outcome.stage, outcome.reason).inc()
                log.warning(
                    "dead letter",
                    topic=record.topic,
                    partition=record.partition,
                    offset=record.offset,
                    stage=outcome.stage,
                    reason=outcome.reason,
                    error=outcome.class_name,
                    attempts=outcome.attempts,
                )
        now = time.time()
        metrics.last_progress.set(now)
        if record.timestamp_ms is not None:
            # The producer's clock may be ahead of ours.
            metrics.end_to_end_seconds.observe(max(0.0, now - record.timestamp_ms / 1000))
        self._show_in_flight()

    def _show_in_flight(self) -> None:
        self._metrics.in_flight_articles.set(self._progress.in_hand)
        self._metrics.in_flight_bytes.set(self._progress.in_hand_bytes)
