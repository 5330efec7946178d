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

from service.breaker import Breaker
from service.delivery import Confirmation, DeliveryError, TooLargeError
from service.handling import Handler
from service.journal import JournalError
from service.metrics import Metrics, build_metrics
from service.pipeline import Labeller, Prediction
from service.poison import Guard
from service.progress import Progress
from service.records import Headers
from service.segmentation import Segment
from service.settings import Settings, WorkerSettings
from tests.cheap_worker import ObedientLabeller
from tests.journals import MemoryJournal

SETTINGS = Settings(
    worker=WorkerSettings(retry_wait_s=0, breaker_wait_s=0.01, in_flight_bytes=8000)
)
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

    def __init__(self, labeller: Labeller | None = None) -> None:
        """Build it in the running loop."""
        self.broker = Broker()
        self.metrics: Metrics = build_metrics()
        self.breaker = Breaker(SETTINGS.worker, self.metrics)
        self.journal = MemoryJournal()
        self.guard = Guard(SETTINGS, self.journal)
        self.commits: list[list[int]] = []
        self.progress = Progress(SETTINGS.worker)
        self.acknowledged: list[int] = []
        self.generation = 1
        self.executor = ThreadPoolExecutor(1)
        outbox: Any = self.broker
        self.handler = Handler(
            SETTINGS,
            labeller=labeller or ObedientLabeller(),
            outbox=outbox,
            executor=self.executor,
            metrics=self.metrics,
            progress=self.progress,
            breaker=self.breaker,
            guard=self.guard,
        )

    async def commit(self) -> None:
        """Commit what is acknowledged by now."""
        self.commits.append(list(self.acknowledged))

    async def handle(self, *messages: Any) -> None:
        """Let the handler have messages."""
        await self.handler.handle(
            messages,
            lambda message: message.generation_id == self.generation,
            lambda message: self.acknowledged.append(message.offset),
            self.commit,
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


class FailingLabeller(ObedientLabeller):
    """Fails on everything while it is broken."""

    is_broken = True

    def predict(self, text: str, segments: Sequence[Segment]) -> list[Prediction]:
        """Predict, or fail."""
        if self.is_broken:
            raise RuntimeError("broken")
        return super().predict(text, segments)


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


def test_watched_articles_go_one_by_one() -> None:
    """After a death each article is marked, confirmed and committed before the next is begun."""

    async def test() -> None:
        bench = Bench()
        bench.journal.numbers["t", 0] = 0  # open
        await bench.guard.take([("t", 0)])
        await bench.handle(*(message(n) for n in range(3)))
        assert bench.commits == [[0], [0, 1], [0, 1, 2]]
        assert bench.journal.writes == 6
        assert bench.journal.numbers["t", 0] == 0

    run(test())


def test_the_article_that_kills_is_a_dead_letter() -> None:
    """One that was begun too often without an end is not begun again; its neighbours are."""

    async def test() -> None:
        bench = Bench()
        bench.journal.numbers["t", 0] = 13  # offset 1, begun 3 times
        await bench.guard.take([("t", 0)])
        await bench.handle(message(1), message(2))
        assert [topic for topic, _, _ in bench.broker.sent] == [DEAD, CLAIMS]
        assert bench.acknowledged == [1, 2]
        labels = {"stage": "infer", "reason": "poison"}
        value = bench.metrics.registry.get_sample_value
        assert value("claimstream_dead_letters_total", labels) == 1

    run(test())


def test_without_a_mark_no_watched_article_is_begun() -> None:
    """Where the journal cannot be written an article that may kill is not begun: an outage."""

    async def test() -> None:
        bench = Bench()
        bench.journal.numbers["t", 0] = 0
        await bench.guard.take([("t", 0)])
        bench.journal.is_away = True
        with pytest.raises(JournalError):
            await bench.handle(message(0))
        assert (bench.broker.sent, bench.acknowledged) == ([], [])

    run(test())
