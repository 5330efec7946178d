"""What is too large to be sent, and how much is in hand at once."""

from __future__ import annotations

import asyncio

import pytest

from service.delivery import DeliveryError
from tests.handlers import CLAIMS, DEAD, SETTINGS, Bench, message, run


@pytest.mark.parametrize("where", ["refuses", "finds_too_large"])
def test_an_output_that_is_too_large_is_a_dead_letter(where: str) -> None:
    """Whether our producer or the broker finds the output too large, the article is kept."""

    async def test() -> None:
        bench = Bench()
        setattr(bench.broker, where, {CLAIMS})
        await bench.handle(message(0))
        assert bench.broker.sent[-1] == (DEAD, b"k", message(0).value)
        assert bench.acknowledged == [0]
        labels = {"stage": "deliver", "reason": "too_large"}
        value = bench.metrics.registry.get_sample_value
        assert value("claimstream_dead_letters_total", labels) == 1

    run(test())


@pytest.mark.parametrize("where", ["refuses", "finds_too_large"])
def test_a_dead_letter_that_is_too_large_is_an_outage(where: str) -> None:
    """Where not even the dead letter can be kept, nothing is acknowledged."""

    async def test() -> None:
        bench = Bench()
        setattr(bench.broker, where, {CLAIMS, DEAD})
        with pytest.raises(DeliveryError, match="dead letter"):
            await bench.handle(message(0))
        assert bench.acknowledged == []

    run(test())


def test_what_is_sent_and_not_confirmed_is_bounded_in_bytes() -> None:
    """With a slow broker no article is begun that would be one too many bytes in hand."""

    async def test() -> None:
        bench = Bench()
        bench.broker.gate.clear()
        batch = [message(n, "It rained. " * 10) for n in range(8)]
        handling = asyncio.create_task(bench.handle(*batch))
        await asyncio.sleep(0.3)
        taken = zip(bench.broker.sent, batch, strict=False)
        sizes = [len(value or b"") + len(each.value) for (_, _, value), each in taken]
        assert 1 < len(sizes) < 8
        # What the last one's output would take was not known before it was labelled.
        assert sum(sizes[:-1]) <= SETTINGS.worker.in_flight_bytes < sum(sizes) + sizes[-1]
        assert bench.acknowledged == []
        bench.broker.gate.set()
        await handling
        assert bench.acknowledged == list(range(8))

    run(test())


def test_an_article_over_the_limit_goes_alone() -> None:
    """What is larger than all that may be in hand is labelled when nothing else is."""

    async def test() -> None:
        bench = Bench()
        await bench.handle(message(0), message(1, "It rained. " * 1000), message(2))
        assert bench.acknowledged == [0, 1, 2]
        assert [topic for topic, _, _ in bench.broker.sent] == [CLAIMS] * 3

    run(test())
