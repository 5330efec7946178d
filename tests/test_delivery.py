"""Sending, against a real broker."""

# ruff: noqa: SLF001 - which kind of producer it is shows nowhere else

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from aiokafka.errors import MessageSizeTooLargeError
from confluent_kafka import Producer

from service.broker import free_port
from service.delivery import DeliveryError, Outbox, TooLargeError
from service.kafka import BrokerError, RefusedError
from service.metrics import Metrics, build_metrics
from service.settings import Settings
from tests.cluster import Cluster


def _with_outbox(
    settings: Settings, use: Callable[[Outbox], Awaitable[None]], metrics: Metrics | None = None
) -> None:
    """Connect an outbox and use it."""

    async def run() -> None:
        outbox = Outbox(settings, metrics or build_metrics())
        await outbox.start()
        try:
            await use(outbox)
        finally:
            await outbox.stop()

    asyncio.run(run())


def test_what_is_confirmed_is_there(cluster: Cluster) -> None:
    """Records of all shapes are confirmed and can be read, also without key, value or both."""
    topic = cluster.settings.topics.dead_letters
    shapes: list[tuple[bytes | None, bytes | None]] = [
        (b"k", b"v"),
        (None, b"v"),
        (b"k", None),
        (None, None),
    ]

    async def use(outbox: Outbox) -> None:
        headers = [("__connect.errors.partition", b"0")]
        sent = [
            await outbox.send(
                topic, key, value, [*headers, ("__connect.errors.offset", str(n).encode())]
            )
            for n, (key, value) in enumerate(shapes)
        ]
        assert await outbox.confirmed(sent) == [True] * 4
        assert await outbox.confirmed([]) == []

    _with_outbox(cluster.settings, use)
    read = cluster.outcomes(4).by_source
    assert [(read[0, n][0].key, read[0, n][0].value) for n in range(4)] == shapes


def test_too_large_is_the_records_fault(cluster: Cluster) -> None:
    """A record over the limit is refused by itself; others go on."""
    kafka = cluster.settings.kafka.model_copy(update={"max_record_bytes": 1000})
    settings = cluster.settings.model_copy(update={"kafka": kafka})

    async def use(outbox: Outbox) -> None:
        with pytest.raises(TooLargeError, match="100000 bytes"):
            await outbox.send(settings.topics.claims, b"k", b"x" * 100_000, [])
        sent = await outbox.send(settings.topics.claims, b"k", b"x", [])
        assert await outbox.confirmed([sent]) == [True]

    _with_outbox(settings, use)


def test_no_broker_is_the_clusters_fault() -> None:
    """A producer that finds no cluster says so."""
    settings = Cluster(f"127.0.0.1:{free_port()}").settings
    with pytest.raises(BrokerError):
        _with_outbox(settings, lambda _: asyncio.sleep(0))


def test_a_silent_broker_is_the_clusters_fault(cluster: Cluster) -> None:
    """What is not confirmed in time is an error, never taken as sent."""
    kafka = cluster.settings.kafka.model_copy(update={"request_timeout_s": 0.1})
    settings = cluster.settings.model_copy(update={"kafka": kafka})

    async def use(outbox: Outbox) -> None:
        with pytest.raises(DeliveryError, match="said nothing"):
            await outbox.confirmed([asyncio.get_running_loop().create_future()])

    _with_outbox(settings, use)


def test_a_refusal_is_counted(cluster: Cluster) -> None:
    """An error of the broker's is raised and counted."""
    metrics = build_metrics()

    async def use(outbox: Outbox) -> None:
        sent = await outbox.send(cluster.settings.topics.claims, b"k", b"x", [])
        # Before the loop turns, and so before the broker can have answered.
        sent.set_exception(OSError("away"))
        with pytest.raises(DeliveryError, match="away"):
            await outbox.confirmed([sent])

    _with_outbox(cluster.settings, use, metrics)
    assert metrics.registry.get_sample_value("claimstream_producer_errors_total") == 1


def test_ping(cluster: Cluster) -> None:
    """A cluster that answers answers a ping."""

    async def use(outbox: Outbox) -> None:
        assert await outbox.ping(5)

    _with_outbox(cluster.settings, use)


@pytest.fixture(scope="module")
def idempotent_broker() -> Iterator[str]:
    """A broker that has idempotent producers, as Kafka has and the embedded one has not."""
    client = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "replaced"})
    (broker,) = client.list_topics(timeout=10).brokers.values()
    yield f"{broker.host}:{broker.port}"
    client.flush()


def _set(settings: Settings, **kafka: Any) -> Settings:
    return settings.model_copy(update={"kafka": settings.kafka.model_copy(update=kafka)})


@pytest.mark.parametrize(
    ("idempotence", "expected"), [("auto", True), ("on", True), ("off", False)]
)
def test_idempotent_where_the_broker_can(
    idempotent_broker: str, idempotence: str, *, expected: bool
) -> None:
    """Where the broker drops what is sent twice, it is asked to, unless it is set otherwise."""
    settings = _set(Cluster(idempotent_broker).settings, idempotence=idempotence)

    async def use(outbox: Outbox) -> None:
        assert (outbox._producer._txn_manager is not None) is expected
        sent = [await outbox.send(settings.topics.claims, b"k", b"x", []) for _ in range(3)]
        assert await outbox.confirmed(sent) == [True] * 3

    _with_outbox(settings, use)


def test_after_a_refusal_an_idempotent_producer_begins_anew(idempotent_broker: str) -> None:
    """A record that the broker found too large does not spoil the ones after it."""
    settings = Cluster(idempotent_broker).settings

    async def use(outbox: Outbox) -> None:
        first = outbox._producer
        sent = await outbox.send(settings.topics.claims, b"k", b"x", [])
        # Before the loop turns, and so before the broker can have answered.
        sent.set_exception(MessageSizeTooLargeError())
        assert await outbox.confirmed([sent]) == [False]
        again = await outbox.send(settings.topics.claims, b"k", b"y", [])
        assert outbox._producer is not first
        assert await outbox.confirmed([again]) == [True]

    _with_outbox(settings, use)


def test_a_broker_without_idempotence(bootstrap_servers: str) -> None:
    """Where we insist on what the broker has not, it is a wrong setting; else we do without."""
    if os.environ.get("CLAIMSTREAM_TEST_BOOTSTRAP"):
        pytest.skip("the external cluster may have idempotent producers")
    settings = Cluster(bootstrap_servers).settings
    with pytest.raises(RefusedError, match="no idempotent producer"):
        _with_outbox(_set(settings, idempotence="on"), lambda _: asyncio.sleep(0))

    async def use(outbox: Outbox) -> None:
        assert outbox._producer._txn_manager is None

    _with_outbox(settings, use)
