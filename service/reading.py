"""Reads topics from one offset to another, and never waits for what comes after.

A reader belongs to no consumer group and commits nothing: looking changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from service.kafka import (
    HEADER_ROOM_BYTES,
    admin_client,
    client_options,
    start_consumer,
    stop_consumer,
)
from service.records import SourceRecord
from service.settings import Settings
from service.topics import TopicsMissingError

_POLL_S: Final = 0.5
# At the end of a topic nothing is waited for.
_FETCH_WAIT_MS: Final = 50

Ranges = dict[
    TopicPartition, tuple[int, int]
]  # of each TopicPartition the first offset and the end


class ReadError(Exception):
    """A topic cannot be read; the message says which and why in one line."""


class Reader:
    """What is needed to read any topic of a cluster."""

    def __init__(self, consumer: Any, partitions: dict[str, int], settings: Settings) -> None:
        """Take a connected consumer, and how many partitions each topic has."""
        self._consumer = consumer
        self._partitions = partitions
        self._kafka = settings.kafka

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has.

        Raises:
            TopicsMissingError: there is no such topic.
        """
        if topic not in self._partitions:
            raise TopicsMissingError(f"no topic {topic} at {self._kafka.bootstrap_servers}")
        return self._partitions[topic]

    async def extent(self, topic: str) -> Ranges:
        """What a topic holds now, of each partition the first offset and the end.

        Raises:
            TopicsMissingError: there is no such topic.
            ReadError: the broker does not say.
        """
        partitions = [TopicPartition(topic, n) for n in range(self.partitions(topic))]
        with self._errors(topic):
            async with asyncio.timeout(self._kafka.request_timeout_s):
                starts = await self._consumer.beginning_offsets(partitions)
                ends = await self._ends(partitions)
        return {tp: (starts[tp], ends[tp]) for tp in partitions}

    async def since(self, ranges: Ranges, timestamp_ms: int) -> Ranges:
        """Narrow ranges to what begins with the first record of that time or later.

        Args:
            ranges: of one topic.
            timestamp_ms: in milliseconds since 1970.

        Raises:
            ReadError: the broker does not say where that is.
        """
        with self._errors(next(iter(ranges)).topic):
            async with asyncio.timeout(self._kafka.request_timeout_s):
                found = await self._consumer.offsets_for_times(
                    dict.fromkeys(ranges, max(0, timestamp_ms))
                )
        narrowed = {}
        for tp, (start, end) in ranges.items():
            if found[tp] is not None:
                narrowed[tp] = max(start, found[tp].offset), end
            else:
                # Not all that speak Kafka's protocol can find a time: do not take "none" on trust.
                is_so = await self._ends_before(tp, start, end, timestamp_ms)
                narrowed[tp] = end if is_so else start, end
        return narrowed

    async def read(self, ranges: Ranges) -> AsyncGenerator[SourceRecord]:
        """Yield what lies in ranges, in the order of offsets within each partition.

        Raises:
            ReadError: the broker refuses, or says nothing for ``request_timeout_s`` seconds.
        """
        left = {tp: end for tp, (start, end) in ranges.items() if start < end}
        if not left:
            return
        topic = next(iter(left)).topic
        self._consumer.assign(list(left))
        positions = {tp: ranges[tp][0] for tp in left}
        for tp, start in positions.items():
            self._consumer.seek(tp, start)
        silent_s = 0.0
        while left:
            with self._errors(topic):
                found = await self._consumer.getmany(timeout_ms=round(_POLL_S * 1000))
            for tp, records in found.items():
                for record in records:
                    if record.offset < left.get(tp, 0):
                        yield _own(record)
            with self._errors(topic):
                async with asyncio.timeout(self._kafka.request_timeout_s):
                    # Not the last record's offset: markers of transactions take offsets too.
                    now = {tp: await self._consumer.position(tp) for tp in left}
            silent_s = 0.0 if now != positions else silent_s + _POLL_S
            if silent_s > self._kafka.request_timeout_s:
                raise ReadError(f"{topic} cannot be read: the broker said nothing {silent_s:g} s")
            for tp in [tp for tp in left if now[tp] >= left[tp]]:
                self._consumer.pause(tp)
                del left[tp]
            positions = {tp: now[tp] for tp in left}

    async def _ends_before(self, tp: TopicPartition, start: int, end: int, time_ms: int) -> bool:
        """Say whether the last record of a range is older than a time."""
        if start < end:
            async with aclosing(self.read({tp: (end - 1, end)})) as last:
                async for record in last:
                    return (record.timestamp_ms or 0) < time_ms
        return True

    async def _ends(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        """Find the ends. The embedded broker's answer lies before its last batch.

        What every broker says rightly is how far a partition may be read, along with what is read.
        """
        ends = await self._consumer.end_offsets(partitions)
        self._consumer.assign(partitions)
        for tp in partitions:
            self._consumer.seek(tp, ends[tp])
        while any(self._consumer.highwater(tp) is None for tp in partitions):
            await self._consumer.getmany(timeout_ms=_FETCH_WAIT_MS)
        return {tp: max(ends[tp], self._consumer.highwater(tp)) for tp in partitions}

    @contextmanager
    def _errors(self, topic: str) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise ReadError(f"{topic} cannot be read: the broker does not answer") from error
        except (KafkaError, UnicodeDecodeError) as error:
            # A header's name that is no UTF-8 is beyond aiokafka.
            raise ReadError(f"{topic} cannot be read: {error}") from error


@asynccontextmanager
async def open_reader(settings: Settings) -> AsyncIterator[Reader]:
    """Connect a reader.

    Raises:
        BrokerError: the cluster cannot be reached within ``connect_timeout_s`` seconds.
    """
    async with admin_client(settings.kafka) as client:
        # All topics are listed, because asking for one by name makes some clusters create it.
        described = await client.describe_topics()
    partitions = {
        topic["topic"]: len(topic["partitions"]) for topic in described if not topic["error_code"]
    }
    consumer = AIOKafkaConsumer(
        **client_options(settings.kafka),
        # Where the first records of a range have just been deleted, go on with what is left.
        auto_offset_reset="earliest",
        fetch_max_wait_ms=_FETCH_WAIT_MS,
        max_partition_fetch_bytes=settings.kafka.max_record_bytes + HEADER_ROOM_BYTES,
        request_timeout_ms=round(settings.kafka.request_timeout_s * 1000),
    )
    try:
        await start_consumer(consumer)
        yield Reader(consumer, partitions, settings)
    finally:
        await stop_consumer(consumer)


def _own(record: Any) -> SourceRecord:
    return SourceRecord(
        record.topic,
        record.partition,
        record.offset,
        None if record.timestamp < 0 else record.timestamp,
        record.key,
        record.value,
        [(name, value or b"") for name, value in record.headers],
    )
