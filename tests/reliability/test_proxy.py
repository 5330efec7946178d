"""The proxy, between a real client and a real broker."""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    NotEnoughReplicasError,
    TopicAuthorizationFailedError,
)

from service.broker import EmbeddedBroker
from tests.cluster import Cluster
from tests.reliability.proxy import STEADY, Proxy

Use = Callable[[Proxy, str, AIOKafkaProducer, str], Awaitable[None]]


def _run(folder: Path, use: Use) -> None:
    """Use a producer called ``one`` behind a proxy, and a topic."""

    async def run() -> None:
        async with Proxy() as proxy:
            with EmbeddedBroker(folder / "log", advertised_port=proxy.port) as broker:
                proxy.upstream = "127.0.0.1", broker.port
                servers = f"127.0.0.1:{proxy.port}"
                cluster = Cluster(servers, partitions=1)
                await asyncio.to_thread(cluster.create_topics)
                async with _producer(servers, "one") as producer:
                    await use(proxy, servers, producer, cluster.settings.topics.claims)

    asyncio.run(run())


@asynccontextmanager
async def _producer(servers: str, client_id: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=servers, client_id=client_id, acks="all", request_timeout_ms=3000
    )
    try:
        await producer.start()
        yield producer
    finally:
        await producer.stop()


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - a test may look
        await asyncio.sleep(0.01)


async def _stored(servers: str, topic: str, count: int) -> list[bytes]:
    """The values that are there, in order, once there are so many and no more come."""
    async with AIOKafkaConsumer(
        bootstrap_servers=servers, client_id=STEADY, auto_offset_reset="earliest"
    ) as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        values: list[bytes] = []
        while found := await consumer.getmany(timeout_ms=500 if len(values) >= count else 20_000):
            values += [record.value for records in found.values() for record in records]
        return values


def test_it_passes_on_and_knows_who_talks(tmp_path: Path) -> None:
    """Without trouble all comes through, and nobody gets past the proxy."""

    async def use(proxy: Proxy, servers: str, producer: AIOKafkaProducer, topic: str) -> None:
        await producer.send_and_wait(topic, b"v" * 100_000)
        assert proxy.clients == {"one"}
        assert await _stored(servers, topic, 1) == [b"v" * 100_000]
        hosts = {(node.host, node.port) for node in producer.client.cluster.brokers()}
        assert hosts == {("127.0.0.1", proxy.port)}

    _run(tmp_path, use)


@pytest.mark.parametrize("turns", range(6))
def test_it_leaves_no_connection_open(turns: int) -> None:
    """Nor one that came just before its end, so many turns of the event loop."""

    async def use() -> None:
        async with Proxy() as proxy:
            client = socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
            for _ in range(turns):
                await asyncio.sleep(0)
        client.close()

    asyncio.run(use())
    gc.collect()  # what is left open is an error now


def test_a_cut_is_survived(tmp_path: Path) -> None:
    """Connections are reset, those of the client that is meant; it connects again."""

    async def use(proxy: Proxy, _: str, producer: AIOKafkaProducer, topic: str) -> None:
        async with _producer(f"127.0.0.1:{proxy.port}", STEADY) as steady:
            await producer.send_and_wait(topic, b"a")
            await steady.send_and_wait(topic, b"b")
            before = proxy.connections.copy()
            assert proxy.cut("other") == 0
            assert proxy.cut() >= 1
            await steady.send_and_wait(topic, b"c")
            assert proxy.connections[STEADY] == before[STEADY]
            await producer.send_and_wait(topic, b"d")
            assert proxy.connections["one"] > before["one"]

    _run(tmp_path, use)


@pytest.mark.parametrize(("kind", "amount"), [("delay", 0.5), ("throttle", 20_000)])
def test_slow_networks(tmp_path: Path, kind: str, amount: float) -> None:
    """With a delay, or so few bytes a second, a large record takes its time; afterwards not."""

    async def use(proxy: Proxy, _: str, producer: AIOKafkaProducer, topic: str) -> None:
        await producer.send_and_wait(topic, b"warm")
        with proxy.trouble(kind, amount=amount):  # type: ignore[arg-type] # one of the two
            begun = time.monotonic()
            await producer.send_and_wait(topic, b"v" * 20_000)
            assert time.monotonic() - begun >= 0.9

    _run(tmp_path, use)


def test_what_stands_still_goes_on(tmp_path: Path) -> None:
    """Nothing moves while it is held; then what was sent arrives."""

    async def use(proxy: Proxy, servers: str, producer: AIOKafkaProducer, topic: str) -> None:
        with proxy.trouble("hold", "one"):
            sent = await producer.send(topic, b"v")
            await asyncio.sleep(0.5)
            assert not sent.done()
        await sent
        assert await _stored(servers, topic, 1) == [b"v"]

    _run(tmp_path, use)


def test_a_black_hole(tmp_path: Path) -> None:
    """What is sent meanwhile is gone, and the client sends it again on a connection of its own."""

    async def use(proxy: Proxy, servers: str, producer: AIOKafkaProducer, topic: str) -> None:
        with proxy.trouble("drop", "one"):
            sent = await producer.send(topic, b"v")
            await asyncio.sleep(0.5)
            assert not sent.done()
            assert await _stored(servers, topic, 0) == []
        await sent
        assert await _stored(servers, topic, 1) == [b"v"]

    _run(tmp_path, use)


def test_refused_connections(tmp_path: Path) -> None:
    """Nobody but the steady gets in; who is in stays."""

    async def use(proxy: Proxy, servers: str, producer: AIOKafkaProducer, topic: str) -> None:
        await producer.send_and_wait(topic, b"a")
        with proxy.trouble("refuse connections"):
            with pytest.raises(KafkaConnectionError):
                async with _producer(servers, "two"):
                    pass
            async with _producer(servers, STEADY):
                await producer.send_and_wait(topic, b"b")

    _run(tmp_path, use)


def test_a_lost_answer_makes_a_duplicate(tmp_path: Path) -> None:
    """The record is stored, the client does not hear of it and sends it again."""

    async def use(proxy: Proxy, servers: str, producer: AIOKafkaProducer, topic: str) -> None:
        await producer.send_and_wait(topic, b"a")
        with proxy.trouble("lose answers"):
            sent = await producer.send(topic, b"b")
            await _until(lambda: proxy.counts["answers lost"] > 0)
        await sent
        lost = proxy.counts["answers lost"]
        assert await _stored(servers, topic, 2 + lost) == [b"a"] + [b"b"] * (1 + lost)

    _run(tmp_path, use)


def test_a_torn_request_stores_nothing(tmp_path: Path) -> None:
    """Half a request is none; the client sends it again."""

    async def use(proxy: Proxy, servers: str, producer: AIOKafkaProducer, topic: str) -> None:
        with proxy.trouble("tear"):
            sent = await producer.send(topic, b"v" * 1000)
            await _until(lambda: proxy.counts["torn"] > 0)
        await sent
        assert await _stored(servers, topic, 1) == [b"v" * 1000]

    _run(tmp_path, use)


def test_those_that_leave_their_group_can_be_answered_here(tmp_path: Path) -> None:
    """A member that leaves is told that it has left, and the broker is told only if so wanted."""

    async def use(proxy: Proxy, _: str, __: AIOKafkaProducer, ___: str) -> None:
        for proxy.dismisses in (True, False):
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            request = struct.pack(">hhih1sh1sh1s", 13, 1, 7, 1, b"c", 1, b"g", 1, b"m")
            writer.write(struct.pack(">i", len(request)) + request)
            assert (await reader.readexactly(12))[:8] == struct.pack(">ii", 10, 7)
            writer.close()
            await writer.wait_closed()
        assert proxy.counts["dismissed"] == 1

    _run(tmp_path, use)


@pytest.mark.parametrize(
    ("code", "error"), [(29, TopicAuthorizationFailedError), (19, NotEnoughReplicasError)]
)
def test_refused_records(tmp_path: Path, code: int, error: type[KafkaError]) -> None:
    """A refusal for good is an error at once; another is tried again, and an error in the end."""

    async def use(proxy: Proxy, servers: str, producer: AIOKafkaProducer, topic: str) -> None:
        with proxy.trouble("refuse records", amount=code), pytest.raises(error):
            await producer.send_and_wait(topic, b"a")
        assert proxy.counts["refused"] >= 1
        await producer.send_and_wait(topic, b"b")
        assert await _stored(servers, topic, 1) == [b"b"]

    _run(tmp_path, use)
