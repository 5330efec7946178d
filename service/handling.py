"""Handles what the stream takes at once: label, send, wait for the broker, acknowledge in order.

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
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple

import structlog

from service.attempts import Attempts
from service.breaker import Breaker
from service.deadletters import dead_letter_headers
from service.delivery import Confirmation, DeliveryError, Outbox, TooLargeError
from service.headers import labelled_headers, tombstone_headers
from service.metrics import Metrics
from service.outcomes import Failure, Labelled, Outcome, Tombstone
from service.pipeline import Labeller
from service.poison import Guard
from service.progress import Progress
from service.records import SourceRecord
from service.settings import Settings

log = structlog.get_logger(__name__)

Message = Any  # faust.types.tuples.Message, which has no type information


class _Sent(NamedTuple):
    message: Message
    record: SourceRecord
    outcome: Outcome
    confirmation: Confirmation

    @property
    def size(self) -> int:
        """Bytes that it holds in memory until it is confirmed."""
        value = self.outcome.value if isinstance(self.outcome, Labelled) else b""
        return self.record.size + len(value)


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
    ) -> None:
        """Take the parts; ``executor`` must have a single thread, for the labeller's sake."""
        self._settings = settings
        self._labeller = labeller
        self._outbox = outbox
        self._metrics = metrics
        self._progress = progress
        self._guard = guard
        self._attempts = Attempts(
            settings.worker,
            labeller=labeller,
            executor=executor,
            metrics=metrics,
            progress=progress,
            breaker=breaker,
        )
        self._leaving = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    async def handle(
        self,
        messages: Sequence[Message],
        is_current: Callable[[Message], bool],
        acknowledge: Callable[[Message], None],
        commit: Callable[[], Awaitable[None]],
    ) -> None:
        """Bring records to their end.

        Args:
            messages: the records, in order within each partition.
            is_current: whether a record's partition is still assigned as it was when it was read.
            acknowledge: called with each record that is done, in order.
            commit: commits what is acknowledged, where that cannot wait.

        Raises:
            DeliveryError: the broker did not confirm; nothing of that was acknowledged.
            JournalError: the broker did not keep what is to be known should the process die.
        """
        self._idle.clear()
        self._metrics.batch_articles.observe(len(messages))
        self._progress.take([len(message.value or b"") for message in messages])
        self._show_in_flight()
        used = self._labeller.usage
        try:
            sent: list[_Sent] = []
            for message in messages:
                if self._leaving.is_set() or not is_current(message):
                    continue
                record = SourceRecord.from_message(message)
                is_alone = self._guard.watches(record)
                if is_alone or not self._has_room(sent, record):
                    await self._finish(sent, acknowledge)
                self._metrics.received.inc()
                self._progress.begin(record.size)
                if is_alone:
                    await self._alone(message, record, acknowledge, commit)
                    continue
                outcome = await self._attempts.label(record)
                if outcome is None:
                    await self._finish(sent, acknowledge)
                    outcome = await self._attempts.hold(record, self._leaving)
                if outcome is not None:
                    sent.append(await self._send(message, record, outcome))
            self._metrics.count_tokens(used, self._labeller.usage)
            await self._finish(sent, acknowledge)
        finally:
            self._progress.put_back()
            self._show_in_flight()
            self._idle.set()

    async def drain(self) -> None:
        """Begin no further article, and wait until those begun are acknowledged."""
        self._leaving.set()
        await self._idle.wait()

    def resume(self) -> None:
        """Begin articles again."""
        self._leaving.clear()

    async def _alone(
        self,
        message: Message,
        record: SourceRecord,
        acknowledge: Callable[[Message], None],
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
            return
        await self._finish([await self._send(message, record, outcome)], acknowledge)
        await commit()
        if poison is not None:
            await self._guard.end(record)

    async def _finish(self, sent: list[_Sent], acknowledge: Callable[[Message], None]) -> None:
        """Wait until what was sent is safe, acknowledge it, and forget it."""
        if not sent:
            return
        for message, record, outcome in await self._confirm(sent):
            acknowledge(message)
            self._count(record, outcome)
        sent.clear()
        self._show_in_flight()

    async def _send(self, message: Message, record: SourceRecord, outcome: Outcome) -> _Sent:
        """Send the outcome; what is too large becomes a dead letter."""
        return _Sent(message, record, *await self._send_outcome(record, outcome))

    async def _send_outcome(
        self, record: SourceRecord, outcome: Outcome
    ) -> tuple[Outcome, Confirmation]:
        topic = self._settings.topics.claims
        match outcome:
            case Labelled(key, labelled_id, value):
                headers = labelled_headers(record, labelled_id)
                try:
                    return outcome, await self._outbox.send(topic, key, value, headers)
                except TooLargeError as error:
                    failure = _too_large(str(error))
                    return failure, await self._send_dead_letter(record, failure)
            case Tombstone(key):
                headers = tombstone_headers(record)
                return outcome, await self._outbox.send(topic, key, None, headers)
            case Failure():
                return outcome, await self._send_dead_letter(record, outcome)

    async def _send_dead_letter(self, record: SourceRecord, failure: Failure) -> Confirmation:
        topic = self._settings.topics.dead_letters
        headers = dead_letter_headers(record, failure)
        try:
            return await self._outbox.send(topic, record.key, record.value, headers)
        except TooLargeError as error:
            raise DeliveryError(f"{topic} does not take a dead letter: {error}") from error

    async def _confirm(self, sent: Sequence[_Sent]) -> list[tuple[Message, SourceRecord, Outcome]]:
        """Wait for the broker; what it finds too large is sent again as a dead letter."""
        started = time.perf_counter()
        done = []
        safe = await self._outbox.confirmed([one.confirmation for one in sent])
        for (message, record, outcome, _), is_safe in zip(sent, safe, strict=True):
            if is_safe:
                done.append((message, record, outcome))
                continue
            topic = self._settings.topics.dead_letters
            if isinstance(outcome, Failure):
                raise DeliveryError(f"{topic} does not take a dead letter: it is too large")
            failure = _too_large("the broker found the labelled article too large")
            again = await self._send_dead_letter(record, failure)
            if not all(await self._outbox.confirmed([again])):
                raise DeliveryError(f"{topic} does not take a dead letter: it is too large")
            done.append((message, record, failure))
        self._metrics.stage_seconds.labels("deliver").observe(time.perf_counter() - started)
        return done

    def _count(self, record: SourceRecord, outcome: Outcome) -> None:
        metrics = self._metrics
        self._progress.done(record.size)
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

    def _has_room(self, sent: Sequence[_Sent], record: SourceRecord) -> bool:
        """Say whether one more may be begun before what was sent is confirmed."""
        most = self._settings.worker.in_flight_bytes
        return record.size + sum(one.size for one in sent) <= most

    def _show_in_flight(self) -> None:
        self._metrics.in_flight_articles.set(self._progress.in_hand)
        self._metrics.in_flight_bytes.set(self._progress.in_hand_bytes)


def _too_large(message: str) -> Failure:
    return Failure("deliver", "too_large", "service.delivery.TooLargeError", message)
