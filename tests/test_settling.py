"""Waiting for the broker beside the labelling: what overlaps, and what a failure does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

import pytest

from service.delivery import DeliveryError
from service.dispatch import Dispatch
from service.outcomes import Tombstone
from service.pipeline import Prediction
from service.records import SourceRecord
from service.segmentation import Segment
from service.settling import Sent, Settling
from tests.cheap_worker import ObedientLabeller
from tests.handlers import CLAIMS, SETTINGS, Bench, Broker, message, run


async def handle(bench: Bench, *offsets: int) -> None:
    """Let the handler have messages, without waiting until they are acknowledged."""
    await bench.handler.handle(
        [message(offset) for offset in offsets],
        lambda _: True,
        lambda done: bench.acknowledged.append(done.offset),
        bench.commit,
    )


async def soon(something: Awaitable[None]) -> None:
    """Wait, but not for ever."""
    await asyncio.wait_for(something, 10)


def test_the_next_batch_is_labelled_while_the_broker_writes() -> None:
    """With nothing confirmed the next articles are labelled and sent, and none acknowledged."""

    async def test() -> None:
        bench = Bench()
        bench.broker.gate.clear()
        await soon(handle(bench, 0, 1))
        await soon(handle(bench, 2, 3))
        assert len(bench.broker.sent) == 4
        assert bench.acknowledged == []
        assert bench.progress.in_hand == 4
        bench.broker.gate.set()
        await soon(bench.handler.settled())
        assert bench.acknowledged == [0, 1, 2, 3]
        assert bench.progress.in_hand == 0

    run(test())


def test_articles_in_flight_are_bounded() -> None:
    """There is room for so many, and for one more only when one is confirmed."""

    async def test() -> None:
        broker = Broker()
        broker.gate.clear()
        outbox: Any = broker
        dispatch = Dispatch(SETTINGS.topics, outbox)
        settling = Settling(dispatch, lambda *_: None)
        record = SourceRecord.from_message(message(0))
        for number in range(3):
            await soon(settling.wait_for_room(record.size, 10**6, most=3))
            outcome, confirmation = await dispatch.send(record, Tombstone(b"k"))
            settling.add(Sent(number, record, outcome, confirmation, lambda _: None, 0.0))
        waiting = asyncio.create_task(settling.wait_for_room(record.size, 10**6, most=3))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        assert (len(settling), settling.record_bytes) == (3, 3 * record.size)
        broker.gate.set()
        await soon(waiting)
        assert len(settling) < 3

    run(test())


def test_a_failure_is_told_at_once() -> None:
    """Nobody has to bring another article to learn that the broker failed on the last."""

    async def test() -> None:
        bench = Bench()
        told = asyncio.create_task(bench.handler.broken())
        await asyncio.sleep(0)
        bench.broker.error = DeliveryError("away")
        await soon(handle(bench, 0))
        assert isinstance(await asyncio.wait_for(told, 10), DeliveryError)
        assert bench.progress.in_hand == 0

    run(test())


def test_after_a_failure_nothing_is_acknowledged() -> None:
    """What comes later is neither begun nor acknowledged, though the broker would confirm it."""

    async def test() -> None:
        bench = Bench()
        bench.broker.error = DeliveryError("away")
        await soon(handle(bench, 0))
        with pytest.raises(DeliveryError):
            await bench.handler.settled()
        bench.broker.error = None
        with pytest.raises(DeliveryError):
            await soon(handle(bench, 1))
        assert bench.acknowledged == []
        await soon(bench.handler.drain())

    run(test())


def test_a_drain_waits_for_the_broker() -> None:
    """Labelled and sent is not done: a drain is over when all is acknowledged."""

    async def test() -> None:
        bench = Bench()
        bench.broker.gate.clear()
        await soon(handle(bench, 0, 1))
        draining = asyncio.create_task(bench.handler.drain())
        await asyncio.sleep(0.05)
        assert not draining.done()
        bench.broker.gate.set()
        await soon(draining)
        assert bench.acknowledged == [0, 1]

    run(test())


def test_equal_articles_of_a_batch_come_out_alike() -> None:
    """Each has its own record and headers; the text is labelled once, and once more in the next."""

    async def test() -> None:
        bench = Bench()
        for offsets in ((0, 1, 2), (3,)):
            await soon(handle(bench, *offsets))
        await soon(bench.handler.settled())
        assert [(topic, key) for topic, key, _ in bench.broker.sent] == [
            (CLAIMS, f"a{n}".encode()) for n in range(4)
        ]
        value = bench.metrics.registry.get_sample_value
        # A token a word, of "It rained.": once in each batch.
        assert value("claimstream_batch_tokens_sum") == 2 + 2

    run(test())


def test_a_long_article_that_is_sent_is_no_stall() -> None:
    """While the broker writes an article that took an hour, the worker is not stuck."""

    async def test() -> None:
        now = 0.0

        class Slow(ObedientLabeller):
            def predict(self, text: str, segments: Sequence[Segment]) -> list[Prediction]:
                nonlocal now
                now += 3600
                return super().predict(text, segments)

        bench = Bench(Slow())
        bench.progress._clock = lambda: now  # noqa: SLF001 - an hour is too long for a test
        bench.broker.gate.clear()
        await soon(handle(bench, 0))
        assert bench.progress.in_hand == 1
        assert bench.progress.stuck_for(0) is None
        bench.broker.gate.set()
        await soon(bench.handler.settled())

    run(test())
