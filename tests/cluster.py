"""A cluster as tests see it: topics of their own, publishing, and what came out."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.record.util import calc_crc32c

from service import topics
from service.settings import KafkaSettings, Settings, TopicSettings

MAX_BYTES = 12 * 1024 * 1024
# Where a batch of records (version 2) has its checksum, and from where it is taken.
_CHECKSUM_AT, _CHECKED_FROM = 17, 21
# How long nothing must come before it is believed that nothing comes.
QUIET_S = 1.0

Place = tuple[int, int]  # partition and offset in the articles topic


def articles(count: int, *, first: int = 0, body: str = "") -> list[tuple[bytes, bytes]]:
    """Keys and values of distinct articles; ``body`` comes after what makes each its own."""
    return [
        (
            f"article-{n}".encode(),
            json.dumps(
                {"id": f"article-{n}", "body": f"He said {n} came. We should go. {body}"}
            ).encode(),
        )
        for n in range(first, first + count)
    ]


class Out(NamedTuple):
    """A record of an output topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]

    @property
    def source(self) -> Place:
        """The place of the record that this one is the outcome of."""
        prefix = "claimstream_source_"
        if f"{prefix}offset" not in self.headers:
            prefix = "__connect.errors."
        return int(self.headers[f"{prefix}partition"]), int(self.headers[f"{prefix}offset"])


class Outcomes:
    """All outcomes of one stream, by the place they come from."""

    def __init__(self, claims: list[Out], dead_letters: list[Out]) -> None:
        """Sort the outcomes."""
        self.claims = claims
        self.dead_letters = dead_letters
        self.by_source: dict[Place, list[Out]] = defaultdict(list)
        for out in (*claims, *dead_letters):
            self.by_source[out.source].append(out)

    @property
    def duplicates(self) -> int:
        """How many records came out more often than once, counted by the surplus."""
        return sum(len(outs) - 1 for outs in self.by_source.values())

    def are_identical(self) -> bool:
        """Say whether every duplicate is the same to the byte: topic, key, value and headers."""
        return all(
            out[0] == outs[0][0] and out[3:] == outs[0][3:]
            for outs in self.by_source.values()
            for out in outs[1:]
        )


class Cluster:
    """Topics and a consumer group that no other test uses."""

    def __init__(self, bootstrap_servers: str, partitions: int = 4) -> None:
        """Name the topics; they do not exist yet."""
        name = f"test-{uuid.uuid4().hex[:12]}"
        self.settings = Settings(
            kafka=KafkaSettings(
                bootstrap_servers=bootstrap_servers,
                group=name,
                session_timeout_s=6,
                heartbeat_interval_s=1,
                rebalance_timeout_s=10,
            ),
            topics=TopicSettings(
                articles=f"{name}.articles",
                claims=f"{name}.claims",
                dead_letters=f"{name}.dlq",
                partitions=partitions,
            ),
        )

    def create_topics(self) -> None:
        """Create the topics as our own command does."""
        asyncio.run(topics.create(self.settings))

    def publish(
        self,
        records: Iterable[tuple[bytes | None, bytes | None]],
        headers: Mapping[str, bytes] | None = None,
    ) -> list[Place]:
        """Publish records to the articles topic and say where they went."""
        return asyncio.run(self._publish(list(records), list((headers or {}).items())))

    def publish_with_header(self, key: bytes, value: bytes, name: bytes) -> Place:
        """Publish a record with a header whose name may be any bytes; it goes to partition 0."""
        return asyncio.run(self._publish_with_header(key, value, name))

    def outcomes(self, count: int, timeout_s: float = 120.0) -> Outcomes:
        """Read what came out until so many sources have an outcome, and nothing more comes."""
        names = self.settings.topics
        read = asyncio.run(
            self._read(
                [names.claims, names.dead_letters],
                lambda outs: len({out.source for out in outs}) >= count,
                timeout_s,
            )
        )
        return Outcomes(
            [out for out in read if out.topic == names.claims],
            [out for out in read if out.topic == names.dead_letters],
        )

    def committed(self) -> dict[int, int]:
        """The group's committed offset of each partition that has one."""
        return asyncio.run(self._committed())

    async def _publish(
        self,
        records: list[tuple[bytes | None, bytes | None]],
        headers: list[tuple[str, bytes]],
    ) -> list[Place]:
        topic = self.settings.topics.articles
        async with AIOKafkaProducer(
            bootstrap_servers=self.settings.kafka.bootstrap_servers,
            max_request_size=MAX_BYTES,
            acks="all",
        ) as producer:
            sent = []
            for key, value in records:
                if key is None and value is None:
                    batch = producer.create_batch()
                    batch.append(key=None, value=None, timestamp=None, headers=headers)
                    sent.append(await producer.send_batch(batch, topic, partition=0))
                else:
                    sent.append(await producer.send(topic, value, key=key, headers=headers))
            return [(done.partition, done.offset) for done in await asyncio.gather(*sent)]

    async def _publish_with_header(self, key: bytes, value: bytes, name: bytes) -> Place:
        async with AIOKafkaProducer(
            bootstrap_servers=self.settings.kafka.bootstrap_servers, acks="all"
        ) as producer:
            batch = producer.create_batch()
            # aiokafka encodes names itself, so another of the same length is put in its place.
            stand_in = "~" * len(name)
            batch.append(key=key, value=value, timestamp=None, headers=[(stand_in, b"value")])
            written = bytearray(batch._build()).replace(stand_in.encode(), name)  # noqa: SLF001
            body = bytes(written[_CHECKED_FROM:])
            written[_CHECKSUM_AT:_CHECKED_FROM] = calc_crc32c(body).to_bytes(4, "big")
            batch._buffer = written  # noqa: SLF001
            future = await producer.send_batch(batch, self.settings.topics.articles, partition=0)
            done = await future
            return done.partition, done.offset

    async def _read(
        self, names: list[str], is_enough: Callable[[list[Out]], bool], timeout_s: float
    ) -> list[Out]:
        read: list[Out] = []
        deadline = time.monotonic() + timeout_s
        async with AIOKafkaConsumer(
            bootstrap_servers=self.settings.kafka.bootstrap_servers,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=50,
            max_partition_fetch_bytes=MAX_BYTES,
        ) as consumer:
            partitions = range(self.settings.topics.partitions)
            consumer.assign([TopicPartition(name, n) for name in names for n in partitions])
            quiet_since = time.monotonic()
            while time.monotonic() < deadline:
                found: dict[Any, list[Any]] = await consumer.getmany(timeout_ms=200)
                for record in (record for records in found.values() for record in records):
                    place = record.topic, record.partition, record.offset
                    read.append(Out(*place, record.key, record.value, dict(record.headers)))
                if found or not is_enough(read):
                    quiet_since = time.monotonic()
                elif time.monotonic() - quiet_since > QUIET_S:
                    return read
        raise AssertionError(f"only {len(read)} outcomes within {timeout_s} s")

    async def _committed(self) -> dict[int, int]:
        kafka = self.settings.kafka
        client = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
        await client.start()
        try:
            topic = self.settings.topics.articles
            partitions = [TopicPartition(topic, n) for n in range(self.settings.topics.partitions)]
            found = await client.list_consumer_group_offsets(kafka.group, partitions=partitions)
        finally:
            await client.close()
        return {tp.partition: at.offset for tp, at in found.items() if at.offset >= 0}
