"""The campaign's own clients: what publishes, and what reads everything back.

They call themselves steady, so the proxy harms none of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from service.settings import Settings
from tests.cluster import MAX_BYTES, Out
from tests.reliability.history import (
    Committed,
    Entry,
    Outcome,
    Published,
    Seen,
    digest,
    digest_headers,
)
from tests.reliability.material import Expect, Record
from tests.reliability.proxy import STEADY

_TICK_S: Final = 0.1
_COMMITS_S: Final = 0.5
# A broker that is paused answers late; the campaign's own requests wait for it.
_PATIENCE_MS: Final = 60_000

Clock = Callable[[], float]
Keep = Callable[[Iterable[Entry]], None]


class Feeder:
    """Publishes records at an even pace, and others on demand."""

    def __init__(self, settings: Settings) -> None:
        """Take where to."""
        self._topic = settings.topics.articles
        self._producer = AIOKafkaProducer(
            bootstrap_servers=settings.kafka.bootstrap_servers,
            client_id=STEADY,
            acks="all",
            max_request_size=MAX_BYTES,
            request_timeout_ms=_PATIENCE_MS,
        )
        self.sent = 0
        # What was not confirmed may be there or not: the log says.
        self.unconfirmed = 0

    async def start(self) -> None:
        """Connect."""
        await self._producer.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._producer.stop()

    async def feed(self, records: Iterator[Record], count: int, seconds: float) -> None:
        """Publish so many records in so many seconds, or as fast as the broker takes them."""
        begun, fed = time.monotonic(), 0
        while fed < count:
            due = min(count, round(count * (time.monotonic() - begun) / max(seconds, _TICK_S)))
            await self.send([next(records) for _ in range(due - fed)])
            fed = max(fed, due)
            await asyncio.sleep(_TICK_S)

    async def send(self, records: Iterable[Record]) -> None:
        """Publish records, and wait until they are there."""
        waiting = [await self._producer.send(self._topic, value, key=key) for key, value in records]
        for done in await asyncio.gather(*waiting, return_exceptions=True):
            self.sent += 1
            self.unconfirmed += isinstance(done, BaseException)


class Reader:
    """Reads all topics from the beginning, and the group's commits, into a history."""

    def __init__(self, settings: Settings, clock: Clock, keep: Keep, expect: Expect) -> None:
        """Take where from, the campaign's clock, and what keeps what is read."""
        self._settings = settings
        self._clock = clock
        self._keep = keep
        self._expect = expect
        names = settings.topics
        self._partitions = [
            TopicPartition(name, number)
            for name in (names.articles, names.claims, names.dead_letters)
            for number in range(names.partitions)
        ]

    async def follow(self) -> None:
        """Read for ever."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka.bootstrap_servers,
            client_id=STEADY,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=MAX_BYTES,
            request_timeout_ms=_PATIENCE_MS,
        )
        await consumer.start()
        try:
            consumer.assign(self._partitions)
            while True:
                found = await consumer.getmany(timeout_ms=200, max_records=500)
                now = self._clock()
                self._keep(self._entry(now, one) for records in found.values() for one in records)
        finally:
            await consumer.stop()

    async def follow_commits(self) -> None:
        """Look at the group's committed offsets for ever."""
        while True:
            try:
                await self._follow_commits()
            except KafkaError:
                await asyncio.sleep(_COMMITS_S)

    async def _follow_commits(self) -> None:
        kafka, topic = self._settings.kafka, self._settings.topics.articles
        partitions = [tp for tp in self._partitions if tp.topic == topic]
        client = AIOKafkaAdminClient(
            bootstrap_servers=kafka.bootstrap_servers,
            client_id=STEADY,
            request_timeout_ms=_PATIENCE_MS,
        )
        known: dict[int, int] = {}
        await client.start()
        try:
            while True:
                found = await client.list_consumer_group_offsets(kafka.group, partitions=partitions)
                now = self._clock()
                fresh = {tp.partition: at.offset for tp, at in found.items() if at.offset >= 0}
                self._keep(
                    Committed(now, partition, offset)
                    for partition, offset in fresh.items()
                    if known.get(partition) != offset
                )
                known |= fresh
                await asyncio.sleep(_COMMITS_S)
        finally:
            await client.close()

    def _entry(self, now: float, record: Any) -> Entry:
        if record.topic == self._settings.topics.articles:
            expected = self._expect((record.key, record.value))
            key = _text(record.key)
            place = record.partition, record.offset
            return Published(
                now,
                *place,
                key,
                digest(record.value),
                expected.outcome,
                expected.key,
                expected.digest,
            )
        headers = dict(record.headers)
        out = Out(record.topic, record.partition, record.offset, record.key, record.value, headers)
        return Seen(
            now,
            self._outcome(out),
            out.partition,
            out.offset,
            _text(out.key),
            digest(out.value),
            digest_headers(record.headers),
            self._source(out),
        )

    def _outcome(self, out: Out) -> Outcome:
        if out.topic == self._settings.topics.dead_letters:
            return "dead_letter"
        return "tombstone" if out.value is None else "labelled"

    def _source(self, out: Out) -> tuple[int, int] | None:
        try:
            return out.source
        except (KeyError, ValueError):
            return None


def _text(key: bytes | None) -> str | None:
    return None if key is None else key.decode()
