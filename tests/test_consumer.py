"""The consumer's bookkeeping, on a Faust app that is not connected."""

# ruff: noqa: SLF001 - what is tested is how the parts of Faust behave that it overrides

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from faust.types import TP, ConsumerMessage

from service.breaker import Breaker
from service.consumer import DrainingConsumer
from service.handling import Handler
from service.metrics import build_metrics
from service.poison import Guard
from service.progress import Progress
from service.settings import Settings
from service.stream import WorkerApp, build_app
from tests.journals import MemoryJournal
from tests.labellers import RuleLabeller

PARTITION = TP("news.articles.v1", 0)


Test = Callable[[WorkerApp, DrainingConsumer, Handler], Awaitable[None]]


def _on_app(test: Test) -> None:
    """Run a test on an app that is built and not started."""

    async def run() -> None:
        settings, metrics = Settings(), build_metrics()
        outbox: Any = None
        guard = Guard(settings, MemoryJournal())
        with ThreadPoolExecutor(1) as executor:
            handler = Handler(
                settings,
                labeller=RuleLabeller(),
                outbox=outbox,
                executor=executor,
                metrics=metrics,
                progress=Progress(settings.worker),
                breaker=Breaker(settings.worker, metrics),
                guard=guard,
            )
            app = build_app(settings, handler, guard, metrics)
            app.topics.acking_topics.add(PARTITION.topic)
            consumer = app.consumer
            try:
                await test(app, consumer, handler)
            finally:
                # Made with the consumer, closed when its thread ends; here it never starts.
                consumer._thread.thread_loop.close()

    asyncio.run(run())


def _message(offset: int) -> Any:
    return ConsumerMessage(PARTITION.topic, 0, offset, 0.0, 0, None, b"k", b"v", None)


def _record(offset: int, timestamp: int | None) -> Any:
    """A record as aiokafka has it; its timestamp is in milliseconds."""
    place = TopicPartition(PARTITION.topic, PARTITION.partition)
    return ConsumerRecord(*place, offset, timestamp, 0, b"k", b"v", None, 1, 1, ())


def test_only_the_handler_acknowledges() -> None:
    """What Faust acknowledges by itself is not committed; what the handler does is."""

    async def test(_: WorkerApp, consumer: DrainingConsumer, ___: Handler) -> None:
        consumer._committed_offset[PARTITION] = 3
        assert consumer.ack(_message(3)) is False
        assert consumer._new_offset(PARTITION) is None
        consumer.acknowledge(_message(3))
        consumer.acknowledge(_message(4))
        assert consumer._new_offset(PARTITION) == 5

    _on_app(test)


def test_a_drain_commits_after_a_commit_under_way() -> None:
    """A commit that began before the last article was done does not stand in for the final one."""

    async def test(_: WorkerApp, consumer: DrainingConsumer, ___: Handler) -> None:
        commits: list[str] = []

        async def force_commit(*_: object, **__: object) -> bool:
            commits.append("begun")
            await asyncio.sleep(0.05)
            return True

        consumer.force_commit = force_commit
        periodic = asyncio.create_task(consumer.commit())
        await asyncio.sleep(0.01)
        await consumer.wait_empty()
        await periodic
        assert commits == ["begun", "begun"]

    _on_app(test)


def test_a_broken_worker_commits_nothing_more() -> None:
    """After a crash a drain neither waits nor commits."""

    async def test(app: WorkerApp, consumer: DrainingConsumer, handler: Handler) -> None:
        handler._idle.clear()
        await app.crash(RuntimeError("broken"))
        consumer._crashed.set()
        await asyncio.wait_for(consumer.wait_empty(), 1)

    _on_app(test)


def test_the_oldest_record_not_done() -> None:
    """Of what is fetched, the time of the first record that is not done is known, and no other."""

    async def test(_: WorkerApp, consumer: DrainingConsumer, ___: Handler) -> None:
        for offset, timestamp in ((5, 1000), (6, 2000), (8, -1), (9, None), (10, 3000)):
            record: Any = _record(offset, timestamp)
            consumer._to_message(PARTITION, record)
        assert consumer.oldest() == {PARTITION: 1.0}
        consumer.acknowledge(_message(5))
        assert consumer.oldest() == {PARTITION: 2.0}
        consumer.acknowledge(_message(9))
        assert consumer.oldest() == {PARTITION: 3.0}
        consumer.acknowledge(_message(10))
        assert consumer.oldest() == {}

    _on_app(test)


def test_lag_counts_from_what_is_done() -> None:
    """The lag of a partition is what the broker has after the last record done or committed."""

    async def test(_: WorkerApp, consumer: DrainingConsumer, ___: Handler) -> None:
        consumer.highwater = lambda _: 20
        assert consumer.lag() == {}
        consumer._assigned = frozenset({PARTITION})
        assert consumer.lag() == {}
        consumer._committed_offset[PARTITION] = 5
        assert consumer.lag() == {PARTITION: 15}
        consumer.acknowledge(_message(5))
        assert consumer.lag() == {PARTITION: 14}

    _on_app(test)


def test_lag_is_known_without_the_fetcher() -> None:
    """What the broker says of a partition's end counts, should the fetcher see no further."""

    async def test(_: WorkerApp, consumer: DrainingConsumer, ___: Handler) -> None:
        consumer._assigned = frozenset({PARTITION})
        consumer._committed_offset[PARTITION] = 5
        for seen, told, lag in ((None, 9, 4), (20, 9, 15), (6, 9, 4), (6, 3, 1)):
            consumer.highwater = lambda _, seen=seen: seen
            consumer.learn_ends({(PARTITION.topic, PARTITION.partition): told})
            assert consumer.lag() == {PARTITION: lag}

    _on_app(test)


def test_faust_listens_nowhere_and_writes_nothing() -> None:
    """Faust's web server and its own producer are off, and it makes no folder."""

    async def test(app: WorkerApp, __: DrainingConsumer, ___: Handler) -> None:
        assert app.conf.web_enabled is False
        assert not list(app.boot_strategy.web_server())
        assert not list(app.boot_strategy.kafka_producer())
        await app.on_first_start()
        assert not app.conf.datadir.exists()

    _on_app(test)


def test_fetching_goes_on_as_soon_as_there_is_room() -> None:
    """With a full buffer the fetcher waits for room, and not for a second as Faust does."""

    async def test(app: WorkerApp, consumer: DrainingConsumer, _: Handler) -> None:
        async def fetch(**_: object) -> dict[TP, list[object]]:
            return {PARTITION: []}

        app.in_recovery = False
        consumer._getmany = fetch
        consumer._set_active_tps({PARTITION})
        consumer.on_buffer_full(PARTITION)
        waiting = asyncio.create_task(consumer._wait_next_records(5))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        consumer.on_buffer_drop(PARTITION)
        records, partitions = await asyncio.wait_for(waiting, 0.5)
        assert (records, partitions) == ({PARTITION: []}, {PARTITION})

    _on_app(test)


def test_fetching_pauses_while_there_are_bytes_enough() -> None:
    """With as many bytes fetched and not done as may be, nothing more is fetched until some are."""

    async def test(app: WorkerApp, consumer: DrainingConsumer, _: Handler) -> None:
        async def fetch(**_: object) -> dict[TP, list[object]]:
            return {PARTITION: []}

        app.in_recovery = False
        consumer._getmany = fetch
        consumer._set_active_tps({PARTITION})
        consumer._most_bytes = 4
        for offset in (5, 6):
            consumer._to_message(PARTITION, _record(offset, 1000))  # two bytes each
        assert await consumer._wait_next_records(0.05) == ({}, set())
        waiting = asyncio.create_task(consumer._wait_next_records(5))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        consumer.acknowledge(_message(5))
        records, _partitions = await asyncio.wait_for(waiting, 0.5)
        assert records == {PARTITION: []}

    _on_app(test)
