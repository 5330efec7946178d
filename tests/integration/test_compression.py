"""Compressed records, as producers send them and as they are sent to readers."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.memory_records import _MemoryRecordsPy
from confluent_kafka import Producer

from service.delivery import Outbox
from service.metrics import build_metrics
from tests.cluster import Cluster, articles
from tests.conftest import StartWorker

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
GZIP = 1
EACH = 5


@pytest.fixture
def codecs_read(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """By their numbers, the codecs of all batches that a consumer of this process reads."""
    seen: set[int] = set()

    class Noting(_MemoryRecordsPy):  # type: ignore[misc]
        def next_batch(self) -> object:
            batch = super().next_batch()
            seen.add(batch.compression_type)
            return batch

    monkeypatch.setattr(fetcher, "MemoryRecords", Noting)
    return seen


def test_all_that_kafka_knows_is_read(
    cluster: Cluster, start_worker: StartWorker, codecs_read: set[int]
) -> None:
    """Whatever a producer compresses with, its articles are labelled; readers get gzip."""
    topic = cluster.settings.topics.articles
    for number, codec in enumerate(CODECS):
        producer = Producer(
            {
                "bootstrap.servers": cluster.settings.kafka.bootstrap_servers,
                "compression.type": codec,
            }
        )
        for key, value in articles(EACH, first=EACH * number, body="It rained. " * 100):
            producer.produce(topic, value, key)
        assert producer.flush(30) == 0
    worker = start_worker(cluster.settings)
    outcomes = cluster.outcomes(EACH * len(CODECS), timeout_s=120)
    assert (len(outcomes.claims), outcomes.dead_letters) == (EACH * len(CODECS), [])
    assert len(json.loads(outcomes.claims[0].value or b"")["sentences"]) > 100
    assert codecs_read == {GZIP}
    assert worker.stop() == 0


@pytest.mark.parametrize(("compression", "number"), [("none", 0), ("gzip", 1), ("zstd", 4)])
def test_readers_get_what_is_set(
    cluster: Cluster, codecs_read: set[int], compression: str, number: int
) -> None:
    """An operator may choose another codec, or none."""
    kafka = cluster.settings.kafka.model_copy(update={"compression": compression})
    settings = cluster.settings.model_copy(update={"kafka": kafka})
    headers = [(f"claimstream_source_{name}", b"0") for name in ("partition", "offset")]

    async def send() -> None:
        outbox = Outbox(settings, build_metrics())
        await outbox.start()
        sent = await outbox.send(settings.topics.claims, b"k", b"It rained. " * 100, headers)
        assert await outbox.confirmed([sent]) == [True]
        await outbox.stop()

    asyncio.run(send())
    assert cluster.outcomes(1).claims[0].value == b"It rained. " * 100
    assert codecs_read == {number}
