"""What goes out stays in order when the network fails in the middle."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from service.broker import EmbeddedBroker
from service.delivery import DeliveryError, Outbox
from service.metrics import build_metrics
from tests.cluster import Cluster
from tests.reliability.proxy import STEADY, Proxy


def test_nothing_follows_what_was_given_up(tmp_path: Path) -> None:
    """When a record is not confirmed in time, those that wait behind it are not sent either."""

    async def run() -> None:
        async with Proxy() as proxy:
            with EmbeddedBroker(tmp_path / "log", advertised_port=proxy.port) as broker:
                proxy.upstream = "127.0.0.1", broker.port
                cluster = Cluster(f"127.0.0.1:{proxy.port}", partitions=1)
                await asyncio.to_thread(cluster.create_topics)
                kafka = cluster.settings.kafka.model_copy(update={"request_timeout_s": 1.0})
                settings = cluster.settings.model_copy(update={"kafka": kafka})
                outbox = Outbox(settings, build_metrics())
                await outbox.start()
                topic = settings.topics.claims
                with proxy.trouble("drop", kafka.client_id):
                    first = await outbox.send(topic, b"k", b"1", [])
                    await asyncio.sleep(0.7)
                    second = await outbox.send(topic, b"k", b"2", [])
                    with pytest.raises(DeliveryError):
                        await outbox.confirmed([first])
                # The network is back, before the second has waited for too long itself.
                with pytest.raises(DeliveryError):
                    await outbox.confirmed([second])
                with pytest.raises(DeliveryError):
                    await outbox.send(topic, b"k", b"3", [])
                assert await _stored(cluster, topic) == []
                await outbox.stop()

    asyncio.run(run())


async def _stored(cluster: Cluster, topic: str) -> list[bytes]:
    async with AIOKafkaConsumer(
        bootstrap_servers=cluster.settings.kafka.bootstrap_servers,
        client_id=STEADY,
        auto_offset_reset="earliest",
    ) as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        found = await consumer.getmany(timeout_ms=2000)
        return [record.value for records in found.values() for record in records]
