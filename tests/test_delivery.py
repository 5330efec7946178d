"""Sending, against a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from service.broker import free_port
from service.delivery import DeliveryError, Outbox, TooLargeError
from service.kafka import BrokerError
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
