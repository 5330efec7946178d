"""Handling records: what is acknowledged, and when. The broker is a double that obeys the test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
import stamina

from service.delivery import Confirmation, DeliveryError, TooLargeError
from service.handling import Handler
from service.metrics import Metrics, build_metrics
from service.progress import Progress
from service.records import Headers
from service.settings import Settings, WorkerSettings
from tests.cheap_worker import ObedientLabeller

SETTINGS = Settings(worker=WorkerSettings(retry_wait_s=0))
CLAIMS, DEAD = SETTINGS.topics.claims, SETTINGS.topics.dead_letters


class Broker:
    """Takes what is sent, and confirms it when and as the test wants."""

    def __init__(self) -> None:
        """Confirm everything at once."""
        self.sent: list[tuple[str, bytes | None, bytes | None]] = []
        self.refuses: set[str] = set()
        self.finds_too_large: set[str] = set()
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers
    ) -> Confirmation:
        """Take a record."""
        assert headers
        if topic in self.refuses:
            raise TooLargeError("9 bytes are more than the broker takes")
        self.sent.append((topic, key, value))
        confirmation: Confirmation = asyncio.get_running_loop().create_future()
        confirmation.set_result(topic not in self.finds_too_large)
        return confirmation

    async def wait_for(self, count: int) -> None:
        """Wait until so many records were taken."""
        while len(self.sent) < count:  # noqa: ASYNC110 - an event for each count is no clearer
            await asyncio.sleep(0.001)

    async def confirmed(self, confirmations: Sequence[Confirmation]) -> list[bool]:
        """Confirm what was taken."""
        await self.gate.wait()
        if self.error:
            raise self.error
        return [confirmation.result() for confirmation in confirmations]


class Bench:
    """A handler between the doubles, and what it acknowledged."""

    def __init__(self) -> None:
        """Build it in the running loop."""
        self.broker = Broker()
        self.metrics: Metrics = build_metrics()
        self.progress = Progress(SETTINGS.worker)
        self.acknowledged: list[int] = []
        self.generation = 1
        self.executor = ThreadPoolExecutor(1)
        outbox: Any = self.broker
        self.handler = Handler(
            SETTINGS,
            labeller=ObedientLabeller(),
            outbox=outbox,
            executor=self.executor,
            metrics=self.metrics,
            progress=self.progress,
        )

    async def handle(self, *messages: Any) -> None:
        """Let the handler have messages."""
        await self.handler.handle(
            messages,
            lambda message: message.generation_id == self.generation,
            lambda message: self.acknowledged.append(message.offset),
        )


def message(offset: int, body: str = "It rained.", generation: int = 1) -> Any:
    """A message as Faust has it."""
    value = json.dumps({"id": f"a{offset}", "body": body}).encode()
    return SimpleNamespace(
        topic="t", partition=0, offset=offset, timestamp=1e9, key=b"k", value=value,
        headers=(), generation_id=generation,
    )  # fmt: skip


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a test in a loop of its own, with instant retries."""
    with stamina.set_testing(False):
        asyncio.run(test)


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
