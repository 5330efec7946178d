"""The viewer against a real broker: what arrives is there at once, and an outage passes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
from aiokafka import AIOKafkaProducer

from service.broker import EmbeddedBroker, free_port
from service.contracts import LabelledArticle
from service.settings import Settings
from service.viewer.server import Viewer, serve
from tests.cluster import Cluster, articles
from tests.conftest import StartWorker
from tests.viewer.samples import labelled
from tests.viewer.site import until


async def publish(
    settings: Settings,
    *records: LabelledArticle | tuple[str, bytes | None],
    headers: tuple[tuple[str, bytes], ...] = (),
) -> None:
    """Put labelled articles, or anything else by its key, on the labelled topic."""
    async with AIOKafkaProducer(
        bootstrap_servers=settings.kafka.bootstrap_servers, acks="all"
    ) as producer:
        for record in records:
            if isinstance(record, LabelledArticle):
                key, value = record.article_id, record.to_json().encode()
            else:
                key, value = record
            await producer.send_and_wait(
                settings.topics.claims, value, key=key.encode(), headers=list(headers)
            )


async def shown(viewer: Viewer, path: str) -> str:
    """What a reader gets at an address."""
    async with aiohttp.ClientSession() as client, client.get(f"{viewer.address}{path}") as answer:
        assert answer.status == 200
        return await answer.text()


@asynccontextmanager
async def listening(viewer: Viewer) -> AsyncIterator[list[dict[str, Any]]]:
    """The events that an open page hears, as they come."""
    heard: list[dict[str, Any]] = []

    async def listen(client: aiohttp.ClientSession) -> None:
        async with client.get(f"{viewer.address}/events") as answer:
            async for line in answer.content:
                heard.extend([json.loads(line[6:])] if line.startswith(b"data: ") else [])

    async with aiohttp.ClientSession() as client:
        task = asyncio.create_task(listen(client))
        try:
            await until(lambda: bool(heard))
            yield heard
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def test_what_arrives_is_told_and_shown(cluster: Cluster) -> None:
    """New articles, new versions, replays, tombstones, and records that are none of these."""
    settings = cluster.settings

    async def use() -> None:
        async with serve(settings) as viewer, listening(viewer) as heard:
            store = viewer.live.store
            await until(lambda: viewer.live.fault is None)
            article = labelled("a", title="Rain")
            await publish(settings, article)
            await until(lambda: len(store) == 1 and heard[-1]["notes"] == "1 article held")
            await publish(settings, article, labelled("b"), labelled("a", "It snowed."))
            await until(lambda: len(store) == 2 and viewer.live.counts["replaced"] == 1)
            assert viewer.live.counts["same"] == 1
            await publish(settings, ("a", b"rubbish"), ("c", b'{"id": 1}'), ("b", None))
            await until(lambda: len(store) == 1 and viewer.live.counts["strange"] == 2)
            await until(lambda: "2 records were no labelled article" in heard[-1]["notes"])
            assert store.get("b") is None

    asyncio.run(use())


def test_it_begins_at_the_end_or_at_the_start(cluster: Cluster) -> None:
    """By default with what comes next, with --from-start with the oldest record."""
    settings = cluster.settings

    async def use() -> None:
        await publish(settings, *(labelled(f"old-{n}") for n in range(20)))
        async with serve(settings) as at_end, serve(settings, from_start=True) as at_start:
            await until(lambda: len(at_start.live.store) == 20)
            await until(lambda: at_end.live.fault is None)
            await publish(settings, labelled("new"))
            await until(lambda: len(at_start.live.store) == 21)
            await until(lambda: at_end.live.store.get("new") is not None)
            assert len(at_end.live.store) == 1

    asyncio.run(use())


def test_the_worker_s_articles_are_shown(cluster: Cluster, start_worker: StartWorker) -> None:
    """What a worker labels appears on the page."""
    start_worker(cluster.settings)
    cluster.publish(articles(5))

    async def use() -> None:
        async with serve(cluster.settings, from_start=True) as viewer:
            await until(lambda: len(viewer.live.store) == 5, timeout_s=60)
            assert '<span class="source">He</span>' in await shown(viewer, "/articles/article-3")

    asyncio.run(use())


def test_the_text_is_shown_as_it_was_published(cluster: Cluster, start_worker: StartWorker) -> None:
    """With its furniture and its line breaks, which are on the articles topic only."""
    start_worker(cluster.settings)
    body = "It rained.\nIt snowed.\n\nRead more about rain &c."
    cluster.publish([(b"a", json.dumps({"id": "a", "body": body}).encode())])

    async def use() -> None:
        async with serve(cluster.settings, from_start=True) as viewer:
            await until(lambda: len(viewer.live.store) == 1, timeout_s=60)
            page = await shown(viewer, "/articles/a")
            assert "Read more about rain &amp;c.</span>" in page
            assert "furniture, 24 characters" not in page
            (held,) = viewer.live.store.newest_first()
            assert held.text == body

    asyncio.run(use())


def test_an_original_that_is_not_there_is_not_waited_for(cluster: Cluster) -> None:
    """Deleted by now, or never written: its length takes the place of furniture, at once."""
    topic = cluster.settings.topics.articles
    article = labelled("a", "It rained.\n\nRead more")
    # One record lies there, and it is another one.
    cluster.publish([(b"a", b'{"id": "a", "body": "It snowed."}')])

    async def use() -> None:
        async with serve(cluster.settings, from_start=True) as viewer:
            for number, (partition, offset) in enumerate([(0, 0), (1, 0), (0, 10**9), (99, 0)]):
                version = article.model_copy(update={"id": f"v{number}"})
                headers = (
                    ("claimstream_source_topic", topic.encode()),
                    ("claimstream_source_partition", str(partition).encode()),
                    ("claimstream_source_offset", str(offset).encode()),
                )
                await publish(cluster.settings, version, headers=headers)
                await until(lambda name=f"v{number}": is_held(viewer, name))
                started = time.monotonic()
                assert "furniture, 9 characters" in await shown(viewer, "/articles/a")
                assert time.monotonic() - started < 3
                held = viewer.live.store.get("a")
                assert held is not None
                assert held.place is None

    def is_held(viewer: Viewer, version: str) -> bool:
        return any(held.article.id == version for held in viewer.live.store.newest_first())

    asyncio.run(use())


def test_an_outage_of_the_broker_passes(tmp_path: Path) -> None:
    """It is said on the page, what is held stays, and what comes afterwards is shown."""
    port = free_port()
    log = tmp_path / "broker.log"

    async def use() -> None:
        broker = EmbeddedBroker(log=log, port=port)
        broker.__enter__()
        cluster = Cluster(broker.bootstrap_servers)
        await asyncio.to_thread(cluster.create_topics)
        try:
            async with serve(cluster.settings) as viewer, listening(viewer) as heard:
                await until(lambda: viewer.live.fault is None)
                await publish(cluster.settings, labelled("before"), labelled("before-2"))
                await until(lambda: len(viewer.live.store) == 2)
                broker.stop()
                await until(lambda: heard[-1]["kind"] == "away")
                assert heard[-1]["status"].startswith("Broker not reached since ")
                assert "/articles/before" in await shown(viewer, "/")
                # This broker forgets everything: its topics are made anew, and begin at 0.
                broker.__enter__()
                await asyncio.to_thread(cluster.create_topics)
                await publish(cluster.settings, labelled("after"))
                await until(lambda: heard[-1]["kind"] == "live", timeout_s=60)
                await until(lambda: viewer.live.store.get("after") is not None)
                assert len(viewer.live.store) == 3
        finally:
            broker.stop()

    asyncio.run(use())


def test_a_broker_that_hangs_is_told(tmp_path: Path) -> None:
    """Stopped and going on, it loses nothing and repeats nothing."""

    async def use() -> None:
        with EmbeddedBroker(log=tmp_path / "broker.log") as broker:
            cluster = Cluster(broker.bootstrap_servers)
            await asyncio.to_thread(cluster.create_topics)
            async with serve(cluster.settings) as viewer:
                await until(lambda: viewer.live.fault is None)
                await publish(cluster.settings, labelled("before"))
                await until(lambda: len(viewer.live.store) == 1)
                os.kill(broker.pid, signal.SIGSTOP)
                try:
                    await until(lambda: viewer.live.fault is not None)
                finally:
                    os.kill(broker.pid, signal.SIGCONT)
                await publish(cluster.settings, labelled("after"))
                await until(lambda: len(viewer.live.store) == 2, timeout_s=60)
                assert viewer.live.counts["same"] == 0

    asyncio.run(use())
