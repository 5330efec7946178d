"""Handling records: what is acknowledged, and when. The broker is a double that obeys the test."""

from __future__ import annotations

import asyncio

import pytest

from service.delivery import DeliveryError
from tests.handlers import CLAIMS, DEAD, Bench, message, run


def test_acknowledged_in_order_after_confirmation() -> None:
    """Nothing is acknowledged before the broker has confirmed; then all is, in order."""

    async def test() -> None:
        bench = Bench()
        bench.broker.gate.clear()
        handling = asyncio.create_task(bench.handle(*(message(n) for n in range(5))))
        await bench.broker.wait_for(5)
        assert bench.acknowledged == []
        bench.broker.gate.set()
        await handling
        assert bench.acknowledged == [0, 1, 2, 3, 4]
        assert bench.progress.in_hand == 0

    run(test())


def test_an_outage_acknowledges_nothing() -> None:
    """A delivery that fails is raised, and not one record of the batch is acknowledged."""

    async def test() -> None:
        bench = Bench()
        bench.broker.error = DeliveryError("away")
        with pytest.raises(DeliveryError):
            await bench.handle(message(0), message(1, "RAISE ALWAYS"))
        assert bench.acknowledged == []
        assert bench.progress.in_hand == 0
        await asyncio.wait_for(bench.handler.drain(), 1)

    run(test())


def test_a_failing_article_does_not_hurt_its_neighbours() -> None:
    """What raises each time is dead-lettered after its attempts; the others are labelled."""

    async def test() -> None:
        bench = Bench()
        await bench.handle(message(0), message(1, "RAISE ALWAYS"), message(2, "RAISE ONCE"))
        assert [topic for topic, _, _ in bench.broker.sent] == [CLAIMS, DEAD, CLAIMS]
        assert bench.acknowledged == [0, 1, 2]
        value = bench.metrics.registry.get_sample_value
        assert value("claimstream_retries_total") == 3
        assert value("claimstream_articles_received_total") == 3
        labels = {"stage": "infer", "reason": "error"}
        assert value("claimstream_dead_letters_total", labels) == 1

    run(test())


def test_tokens_are_counted_by_batch() -> None:
    """What the network was given is told once for all records taken at once, bad ones included."""

    async def test() -> None:
        bench = Bench()
        for body in ("It rained.", "It rained all day."):
            bad = message(1)
            bad.value = b"not an article"
            await bench.handle(message(0, body), bad)
        value = bench.metrics.registry.get_sample_value
        assert value("claimstream_batch_tokens_count") == 2
        assert value("claimstream_batch_tokens_sum") == 2 + 4  # a token a word
        assert value("claimstream_batch_fill_ratio_count") == 2
        assert value("claimstream_batch_fill_ratio_sum") == 2 * 0.5

    run(test())


def test_a_drain_finishes_what_is_begun_and_no_more() -> None:
    """Told to drain, the handler ends the article in hand and leaves the rest untouched."""

    async def test() -> None:
        bench = Bench()
        batch = [message(0), message(1, "SLEEP 0.3"), message(2), message(3)]
        handling = asyncio.create_task(bench.handle(*batch))
        await bench.broker.wait_for(1)
        await bench.handler.drain()
        # When the drain is over, everything begun is acknowledged already.
        assert bench.acknowledged == [0, 1]
        await handling
        await bench.handle(message(4))
        assert [key for _, key, _ in bench.broker.sent] == [b"a0", b"a1"]
        bench.handler.resume()
        await bench.handle(message(2))
        assert bench.acknowledged == [0, 1, 2]

    run(test())


def test_records_of_an_assignment_before_are_left() -> None:
    """What was read before a rebalance is not begun after it; it is read again."""

    async def test() -> None:
        bench = Bench()
        bench.generation = 2
        await bench.handle(message(7, generation=1), message(5, generation=2))
        assert bench.acknowledged == [5]
        assert [key for _, key, _ in bench.broker.sent] == [b"a5"]

    run(test())


def test_the_loop_stays_free_while_an_article_is_labelled() -> None:
    """Inference runs in its own thread: the event loop goes on ticking."""

    async def test() -> None:
        bench = Bench()
        handling = asyncio.create_task(bench.handle(message(0, "SLEEP 0.3")))
        ticks = 0
        while not handling.done():
            await asyncio.sleep(0.01)
            ticks += 1
        assert ticks > 10

    run(test())
