"""Sends what is replayed: in the order given, no faster than asked, each record at most once.

The broker drops what the client sends again after a lost answer (an idempotent producer). Where
it cannot, nothing is ever sent again, and a lost answer ends the replay.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError, MessageSizeTooLargeError

from service.dlq.records import DeadLetter
from service.kafka import HEADER_ROOM_BYTES, BrokerError, client_options
from service.records import SourceRecord
from service.settings import KafkaSettings

# Enough to keep the broker busy, few enough to bound memory with large articles.
_IN_FLIGHT: Final = 100
_IN_FLIGHT_BYTES: Final = 16 * 1024 * 1024
# aiokafka gives up on a record after the request timeout, and notices that a little later.
_GRACE_S: Final = 2.0
# So long a wait before the client sends again that it never does.
_NEVER_MS: Final = 24 * 60 * 60 * 1000
# How far a replay that fell behind its rate may catch up at once.
_BURST_S: Final = 0.1

# Told of each dead letter once the broker has it (None) or refused it (why).
Done = Callable[[DeadLetter, str | None], None]


class ReplayError(Exception):
    """The replay cannot go on; the message says why in one line."""


class _Sent(NamedTuple):
    letter: DeadLetter
    topic: str
    size: int
    future: asyncio.Future[Any]
    give_up_at: float


class Sender:
    """A producer that keeps a bounded number of records on their way."""

    def __init__(self, producer: AIOKafkaProducer, kafka: KafkaSettings, done: Done) -> None:
        """Take a started producer, and whom to tell of the outcomes."""
        self._producer = producer
        self._timeout_s = kafka.request_timeout_s + _GRACE_S
        self._done = done
        self._in_flight: deque[_Sent] = deque()

    async def send(
        self, letter: DeadLetter, record: SourceRecord, topic: str, partition: int | None
    ) -> None:
        """Hand a dead letter's record to the producer, when there is room for it.

        Args:
            letter: the dead letter, to tell of its outcome.
            record: what to send: key, value and headers.
            topic: where to.
            partition: which partition; the one that the key belongs to if not given.

        Raises:
            ReplayError: the broker refused this or an earlier one, or says nothing.
        """
        size = len(record.key or b"") + record.size
        while self._in_flight and (
            len(self._in_flight) >= _IN_FLIGHT or self._bytes + size > _IN_FLIGHT_BYTES
        ):
            await self._confirm_oldest()
        # Not older than the dead letter, whatever the clocks say: that is where marks are sought.
        timestamp_ms = max(time.time_ns() // 1_000_000, letter.timestamp_ms or 0)
        try:
            async with asyncio.timeout(self._timeout_s):
                if record.key is None and record.value is None:
                    future = await self._send_empty(record, topic, partition, timestamp_ms)
                else:
                    future = await self._producer.send(
                        topic,
                        record.value,
                        key=record.key,
                        partition=partition,
                        timestamp_ms=timestamp_ms,
                        headers=record.headers,
                    )
        except MessageSizeTooLargeError:
            self._done(letter, f"{size} bytes are more than may be sent")
            return
        except (KafkaError, TimeoutError) as error:
            raise self._failure(error) from error
        future.add_done_callback(_retrieve)
        give_up_at = time.monotonic() + self._timeout_s
        self._in_flight.append(_Sent(letter, topic, size, future, give_up_at))
        self._report_confirmed()

    async def confirm_all(self) -> None:
        """Wait for the broker's word on everything that is on its way.

        Raises:
            ReplayError: the broker refused a record, or says nothing.
        """
        while self._in_flight:
            await self._confirm_oldest()

    @property
    def _bytes(self) -> int:
        return sum(sent.size for sent in self._in_flight)

    async def _confirm_oldest(self) -> None:
        oldest = self._in_flight[0]
        await asyncio.wait([oldest.future], timeout=max(0.0, oldest.give_up_at - time.monotonic()))
        self._report_confirmed()

    def _report_confirmed(self) -> None:
        """Tell of those confirmed, up to the first that is not."""
        while self._in_flight and self._in_flight[0].future.done():
            sent = self._in_flight.popleft()
            error = sent.future.exception()
            if error is not None and not isinstance(error, MessageSizeTooLargeError):
                raise self._failure(error) from error
            refusal = (
                None if error is None else f"{sent.size} bytes are more than {sent.topic} takes"
            )
            self._done(sent.letter, refusal)
        if self._in_flight and time.monotonic() > self._in_flight[0].give_up_at:
            raise self._failure(TimeoutError())

    def tell_of_the_rest(self) -> None:
        """Tell of what was confirmed behind something that was not."""
        for sent in self._in_flight:
            if sent.future.done() and not sent.future.cancelled() and not sent.future.exception():
                self._done(sent.letter, None)

    def _failure(self, error: BaseException) -> ReplayError:
        if isinstance(error, TimeoutError):
            return ReplayError(f"the broker said nothing for {self._timeout_s:g} s")
        return ReplayError(f"the broker does not take it: {error}")

    async def _send_empty(
        self, record: SourceRecord, topic: str, partition: int | None, timestamp_ms: int
    ) -> asyncio.Future[Any]:
        """Send a record without key and value, which aiokafka takes only as a batch."""
        batch = self._producer.create_batch()
        batch.append(key=None, value=None, timestamp=timestamp_ms, headers=record.headers)
        if partition is None:
            partitions = await self._producer.partitions_for(topic)
            partition = random.choice(sorted(partitions))  # noqa: S311 - spreads, guards nothing
        future: asyncio.Future[Any] = await self._producer.send_batch(
            batch, topic, partition=partition
        )
        return future


class Pace:
    """Lets through so many a second, evenly."""

    def __init__(self, rate: float) -> None:
        """Take how many a second."""
        self._interval_s = 1 / rate
        self._next = time.monotonic()

    async def wait(self) -> None:
        """Wait for the next one's turn."""
        now = time.monotonic()
        turn = max(self._next, now - _BURST_S)
        self._next = turn + self._interval_s
        if turn > now:
            await asyncio.sleep(turn - now)


@asynccontextmanager
async def open_sender(kafka: KafkaSettings, done: Done) -> AsyncIterator[Sender]:
    """Connect a sender; what is on its way when an error ends it is given a moment.

    Raises:
        BrokerError: the cluster cannot be reached within ``connect_timeout_s`` seconds.
        ReplayError: the broker has no producer for us.
    """
    producer = await _start_producer(kafka)
    sender = Sender(producer, kafka, done)
    try:
        yield sender
    finally:
        await _stop(producer)
        sender.tell_of_the_rest()


async def _start_producer(kafka: KafkaSettings) -> AIOKafkaProducer:
    refusal: KafkaError | None = None
    for repeats in ({"enable_idempotence": True}, {"retry_backoff_ms": _NEVER_MS}):
        producer = AIOKafkaProducer(
            **client_options(kafka),
            acks="all",
            max_request_size=kafka.max_record_bytes + 2 * HEADER_ROOM_BYTES,
            request_timeout_ms=round(kafka.request_timeout_s * 1000),
            **repeats,
        )
        try:
            async with asyncio.timeout(kafka.connect_timeout_s):
                await producer.start()
        except (KafkaConnectionError, TimeoutError) as error:
            await _stop(producer)
            raise BrokerError(f"no broker at {kafka.bootstrap_servers}: {error}") from error
        except KafkaError as error:
            await _stop(producer)
            refusal = error
        else:
            return producer
    raise ReplayError(f"the broker takes nothing from us: {refusal}")


async def _stop(producer: AIOKafkaProducer) -> None:
    with suppress(TimeoutError, KafkaError):
        await asyncio.wait_for(producer.stop(), _GRACE_S)
    await producer.client.close()


def _retrieve(future: asyncio.Future[Any]) -> None:
    """Take an outcome that nobody may ask for any more, so that asyncio does not complain."""
    if not future.cancelled():
        future.exception()
