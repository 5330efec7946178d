"""Records that are held because the model fails: nothing of them is sent or acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from service.pipeline import Prediction
from service.segmentation import Segment
from tests.cheap_worker import ObedientLabeller
from tests.handlers import CLAIMS, Bench, message, run


class FailingLabeller(ObedientLabeller):
    """Fails on everything while it is broken."""

    is_broken = True

    def predict(self, text: str, segments: Sequence[Segment]) -> list[Prediction]:
        """Predict, or fail."""
        if self.is_broken:
            raise RuntimeError("broken")
        return super().predict(text, segments)


def test_a_broken_model_holds_the_stream() -> None:
    """While the model fails nothing is sent or acknowledged; then all is labelled, in order."""

    async def test() -> None:
        labeller = FailingLabeller()
        bench = Bench(labeller)
        handling = asyncio.create_task(bench.handle(*(message(n) for n in range(4))))
        await asyncio.sleep(0.3)
        assert bench.breaker.is_open
        assert (bench.broker.sent, bench.acknowledged) == ([], [])
        labeller.is_broken = False
        await handling
        assert not bench.breaker.is_open
        assert bench.acknowledged == [0, 1, 2, 3]
        assert [topic for topic, _, _ in bench.broker.sent] == [CLAIMS] * 4

    run(test())


def test_what_came_before_a_held_article_is_done() -> None:
    """Articles labelled before the model broke do not wait with the one that is held."""

    async def test() -> None:
        labeller = FailingLabeller()
        labeller.is_broken = False
        bench = Bench(labeller)
        handling = asyncio.create_task(bench.handle(message(0, "SLEEP 0.2"), message(1)))
        await asyncio.sleep(0.1)
        labeller.is_broken = True
        while not bench.breaker.is_open:  # noqa: ASYNC110 - the breaker has no event
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert bench.acknowledged == [0]
        await bench.handler.drain()
        await handling
        assert bench.acknowledged == [0]

    run(test())


def test_a_held_article_is_left_by_a_drain() -> None:
    """Told to drain, the handler leaves what is held as it is, and takes it again afterwards."""

    async def test() -> None:
        labeller = FailingLabeller()
        bench = Bench(labeller)
        handling = asyncio.create_task(bench.handle(message(0), message(1)))
        await asyncio.sleep(0.2)
        await asyncio.wait_for(bench.handler.drain(), 1)
        await handling
        assert (bench.broker.sent, bench.acknowledged) == ([], [])
        assert bench.breaker.is_open
        bench.handler.resume()
        labeller.is_broken = False
        await bench.handle(message(0), message(1))
        assert bench.acknowledged == [0, 1]

    run(test())
