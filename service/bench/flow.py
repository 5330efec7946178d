"""The load and the reader of a measurement of the stream: articles in, and when they come out."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from service.bench.errors import BenchError
from service.bench.texts import Text
from service.kafka import client_options, reader_options
from service.settings import Settings

_POLL_S: Final = 0.02
# Beyond what the articles should take, before it is said that one did not come.
_PATIENCE_S: Final = 60.0


class Flow:
    """Publishes articles, each under a key of its own, and notes when each comes out labelled."""

    def __init__(
        self,
        settings: Settings,
        producer: AIOKafkaProducer,
        consumer: AIOKafkaConsumer,
        check: Callable[[], None],
    ) -> None:
        """Take clients that are started, and what raises when a worker has ended."""
        self._settings = settings
        self._producer = producer
        self._consumer = consumer
        self._check = check
        self._sent = 0
        self._arrived: dict[str, float] = {}
        self._dead = 0
        self.reading: asyncio.Task[None] | None = None

    async def send(
        self, texts: Sequence[Text], due: Sequence[float], expected_s: float
    ) -> list[float]:
        """Publish articles when they are due, and wait until all have come out.

        Args:
            texts: the articles.
            due: when each is due, in seconds from now, ascending.
            expected_s: what all of them should take at most.

        Returns:
            For each article the seconds from when it was due to when it came out.

        Raises:
            BenchError: one did not come out, or as a dead letter, or a worker ended.
            aiokafka.errors.KafkaError: the cluster failed.
        """
        start = time.monotonic()
        keys, confirmed = [], []
        for text, at in zip(texts, due, strict=True):
            if (early := start + at - time.monotonic()) > 0:
                await asyncio.sleep(early)
            keys.append(f"bench-{self._sent}")
            # A worker labels equal texts of a batch once; no two of these are equal.
            body = text.text + " " * self._sent
            value = json.dumps({"id": keys[-1], "body": body}, ensure_ascii=False).encode()
            # Dealt to the partitions in turn, so that all workers get the same.
            partition = self._sent % self._settings.topics.partitions
            self._sent += 1
            confirmed.append(
                await self._producer.send(
                    self._settings.topics.articles, value, keys[-1].encode(), partition
                )
            )
        await asyncio.gather(*confirmed)
        await self._wait(keys, start + due[-1] + expected_s + _PATIENCE_S)
        return [self._arrived[key] - start - at for key, at in zip(keys, due, strict=True)]

    async def read(self) -> None:
        """Note what comes out, for ever."""
        claims = self._settings.topics.claims
        async for record in self._consumer:
            if record.topic == claims:
                self._arrived.setdefault((record.key or b"").decode(), time.monotonic())
            else:
                self._dead += 1

    async def _wait(self, keys: Sequence[str], deadline: float) -> None:
        missing = set(keys)
        while missing := missing - self._arrived.keys():
            self._check()
            if self.reading is not None and self.reading.done():
                self.reading.result()
            if self._dead:
                raise BenchError(f"{self._dead} articles came out as dead letters")
            if time.monotonic() > deadline:
                raise BenchError(f"{len(missing)} of {len(keys)} articles did not come out")
            await asyncio.sleep(_POLL_S)


@asynccontextmanager
async def open_flow(settings: Settings, check: Callable[[], None]) -> AsyncIterator[Flow]:
    """Connect the load and the reader to a cluster.

    Args:
        settings: which cluster and topics.
        check: raises when a worker has ended.

    Raises:
        aiokafka.errors.KafkaError: the cluster cannot be used.
    """
    options = client_options(settings.kafka)
    most = settings.kafka.max_record_bytes
    names = (settings.topics.claims, settings.topics.dead_letters)
    partitions = range(settings.topics.partitions)
    async with (
        AIOKafkaProducer(**options, acks="all", max_request_size=most) as producer,
        AIOKafkaConsumer(
            **reader_options(settings.kafka), auto_offset_reset="earliest"
        ) as consumer,
    ):
        consumer.assign([TopicPartition(name, n) for name in names for n in partitions])
        flow = Flow(settings, producer, consumer, check)
        flow.reading = asyncio.create_task(flow.read())
        try:
            yield flow
        finally:
            flow.reading.cancel()
            await asyncio.wait({flow.reading})
