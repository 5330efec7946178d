"""Handles what the stream takes at once: label, send, wait for the broker, acknowledge in order.

The rules that make sure that nothing is lost:

1. Nothing is acknowledged before the broker confirmed its outcome, whatever the outcome is.
2. Acknowledgements are made in the order of the records; what comes after a record that is not
   acknowledged is not acknowledged either.
3. A failure of the article's own ends as a dead letter; any other error is raised, so that the
   worker ends with nothing acknowledged.
4. Once draining, no further article is begun. Those not begun are left as they are: they have
   produced nothing, so whoever reads them next produces no duplicate.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple

import stamina
import structlog

from service.deadletters import dead_letter_headers
from service.delivery import Confirmation, DeliveryError, Outbox, TooLargeError
from service.headers import labelled_headers, tombstone_headers
from service.metrics import Metrics
from service.outcomes import (
    Failure,
    Labelled,
    Outcome,
    StageClock,
    Tombstone,
    process,
    with_attempts,
)
from service.pipeline import Labeller
from service.progress import Progress
from service.records import SourceRecord
from service.settings import Settings

log = structlog.get_logger(__name__)

Message = Any  # faust.types.tuples.Message, which has no type information


class _TransientError(Exception):
    """Carries a failure that another try may cure through the retries."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.class_name)
        self.failure = failure


class _Sent(NamedTuple):
    message: Message
    record: SourceRecord
    outcome: Outcome
    confirmation: Confirmation


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
    ) -> None:
        """Take the parts; ``executor`` must have a single thread, for the labeller's sake."""
        self._settings = settings
        self._labeller = labeller
        self._outbox = outbox
        self._executor = executor
        self._metrics = metrics
        self._progress = progress
        self._draining = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def handle(
        self,
        messages: Sequence[Message],
        is_current: Callable[[Message], bool],
        acknowledge: Callable[[Message], None],
    ) -> None:
        """Bring records to their end.

        Args:
            messages: the records, in order within each partition.
            is_current: whether a record's partition is still assigned as it was when it was read.
            acknowledge: called with each record that is done, in order.

        Raises:
            DeliveryError: the broker did not confirm; nothing was acknowledged.
        """
        self._idle.clear()
        self._metrics.batch_articles.observe(len(messages))
        self._progress.take([len(message.value or b"") for message in messages])
        self._show_in_flight()
        try:
            sent = [
                await self._bring_to_end(message)
                for message in messages
                if is_current(message) and not self._draining
            ]
            for message, record, outcome in await self._confirm(sent):
                acknowledge(message)
                self._count(record, outcome)
        finally:
            self._progress.put_back()
            self._show_in_flight()
            self._idle.set()

    async def drain(self) -> None:
        """Begin no further article, and wait until those begun are acknowledged."""
        self._draining = True
        await self._idle.wait()

    def resume(self) -> None:
        """Begin articles again."""
        self._draining = False

    async def _bring_to_end(self, message: Message) -> _Sent:
        record = SourceRecord.from_message(message)
        self._metrics.received.inc()
        self._progress.begin(record.size)
        outcome = await self._label(record)
        outcome, confirmation = await self._send(record, outcome)
        return _Sent(message, record, outcome, confirmation)

    async def _label(self, record: SourceRecord) -> Outcome:
        """Label, again if that may help."""
        worker = self._settings.worker
        tries = stamina.retry_context(
            on=_TransientError,
            attempts=worker.attempts,
            timeout=None,
            wait_initial=worker.retry_wait_s,
            wait_jitter=worker.retry_wait_s,
        )
        try:
            async for attempt in tries:
                with attempt:
                    return await self._try_to_label(record, attempt.num)
        except _TransientError as last:
            return last.failure
        raise AssertionError("no attempt was made")

    async def _try_to_label(self, record: SourceRecord, number: int) -> Outcome:
        """Label in the inference thread.

        Raises:
            _TransientError: it failed in a way that another try may cure.
        """
        if number > 1:
            self._metrics.retries.inc()
        clock = StageClock()
        outcome = await asyncio.get_running_loop().run_in_executor(
            self._executor, process, record, self._labeller, clock
        )
        self._metrics.observe_stages(clock.seconds)
        if not isinstance(outcome, Failure):
            return outcome
        outcome = with_attempts(outcome, number)
        if outcome.is_transient:
            if outcome.reason == "out_of_memory":
                gc.collect()
            raise _TransientError(outcome)
        return outcome

    async def _send(self, record: SourceRecord, outcome: Outcome) -> tuple[Outcome, Confirmation]:
        """Send the outcome; what is too large becomes a dead letter."""
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

    def _show_in_flight(self) -> None:
        self._metrics.in_flight_articles.set(self._progress.in_hand)
        self._metrics.in_flight_bytes.set(self._progress.in_hand_bytes)


def _too_large(message: str) -> Failure:
    return Failure("deliver", "too_large", "service.delivery.TooLargeError", message)
