"""Labelling one record: which failures are tried again, and which are held."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.attempts import Attempts
from service.breaker import CONTROL, Breaker
from service.metrics import build_metrics
from service.outcomes import Failure, Labelled
from service.pipeline import Prediction
from service.progress import Progress
from service.records import SourceRecord
from service.segmentation import Segment
from service.settings import WorkerSettings
from tests.cheap_worker import ObedientLabeller

WORKER = WorkerSettings(retry_wait_s=0, breaker_wait_s=0.01, breaker_max_wait_s=0.02, stall_s=0.1)


class Labeller(ObedientLabeller):
    """Obeys articles, and can be broken altogether."""

    is_broken = False
    calls = 0

    def predict(self, text: str, segments: Sequence[Segment]) -> list[Prediction]:
        """Predict, or fail."""
        self.calls += 1
        if self.is_broken:
            raise RuntimeError("broken")
        return super().predict(text, segments)


class Bench:
    """Attempts with a labeller that the test breaks and mends."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        """Begin with a labeller that works."""
        self.labeller = Labeller()
        self.progress = Progress(WORKER)
        self.leaving = asyncio.Event()
        metrics = build_metrics()
        self.breaker = Breaker(WORKER, metrics)
        self.attempts = Attempts(
            WORKER,
            labeller=self.labeller,
            executor=executor,
            metrics=metrics,
            progress=self.progress,
            breaker=self.breaker,
        )


def record(body: str) -> SourceRecord:
    """An article's record."""
    return SourceRecord("t", 0, 0, None, b"k", json.dumps({"id": "a", "body": body}).encode(), [])


def run(test: Callable[[Bench], Awaitable[None]]) -> None:
    """Run a test."""

    async def main() -> None:
        with ThreadPoolExecutor(1) as executor:
            await test(Bench(executor))

    asyncio.run(main())


def test_a_transient_error_is_tried_again() -> None:
    """What fails once comes through at the second try, and nobody asks our own text."""

    async def test(bench: Bench) -> None:
        assert isinstance(await bench.attempts.label(record("RAISE ONCE")), Labelled)
        assert bench.labeller.calls == 2

    run(test)


@pytest.mark.parametrize(("body", "tries"), [("RAISE ALWAYS", 3), ("RECURSE", 1)])
def test_a_bad_article_is_a_failure_after_its_tries(body: str, tries: int) -> None:
    """A bad article has its tries, then our own text tells that the model works."""

    async def test(bench: Bench) -> None:
        outcome = await bench.attempts.label(record(body))
        assert isinstance(outcome, Failure)
        assert outcome.attempts == tries
        assert bench.labeller.calls == tries + 1

    run(test)


def test_data_errors_are_not_the_models() -> None:
    """What is no article is a failure at once, also while the breaker is open."""

    async def test(bench: Bench) -> None:
        rubbish = record("")._replace(value=b"rubbish")
        for _ in range(WORKER.breaker_failures + 1):
            assert isinstance(await bench.attempts.label(rubbish), Failure)
        assert bench.labeller.calls == 0
        assert not bench.breaker.is_open
        bench.breaker.judge(control_passes=False)
        assert await bench.attempts.label(rubbish) is None
        outcome = await bench.attempts.hold(rubbish, bench.leaving)
        assert isinstance(outcome, Failure)
        assert bench.breaker.is_open

    run(test)


def test_a_broken_model_has_no_outcome() -> None:
    """While the model fails the article is held; once it works the same article is labelled."""

    async def test(bench: Bench) -> None:
        bench.labeller.is_broken = True
        assert await bench.attempts.label(record("It rained.")) is None
        holding = asyncio.create_task(bench.attempts.hold(record("It rained."), bench.leaving))
        await asyncio.sleep(0.3)
        assert not holding.done()
        # Longer than a stall, and yet none.
        assert bench.progress.stuck_for(1) is None
        bench.labeller.is_broken = False
        assert isinstance(await asyncio.wait_for(holding, 1), Labelled)
        assert not bench.breaker.is_open

    run(test)


def test_a_held_article_can_be_left() -> None:
    """Told to leave, it is left at once, without an outcome."""

    async def test(bench: Bench) -> None:
        bench.labeller.is_broken = True
        await bench.attempts.label(record("It rained."))
        holding = asyncio.create_task(bench.attempts.hold(record("It rained."), bench.leaving))
        await asyncio.sleep(0.05)
        bench.leaving.set()
        assert await asyncio.wait_for(holding, 1) is None

    run(test)


def test_only_bad_articles_are_let_go_slowly() -> None:
    """When all fail but our own text, one after the other is a failure, each after more tries."""

    async def test(bench: Bench) -> None:
        bad = record("RAISE ALWAYS")
        at_once = [await bench.attempts.label(bad) for _ in range(WORKER.breaker_failures)]
        assert [outcome is None for outcome in at_once] == [False] * 4 + [True]
        for _ in range(2):
            outcome = await asyncio.wait_for(bench.attempts.hold(bad, bench.leaving), 1)
            assert isinstance(outcome, Failure)
            assert outcome.attempts == WORKER.attempts
            assert await bench.attempts.label(bad) is None
        good = await bench.attempts.hold(record("It rained."), bench.leaving)
        assert isinstance(good, Labelled)
        assert not bench.breaker.is_open

    run(test)


def test_a_hang_while_it_is_tried_again_is_a_stall() -> None:
    """Only the wait is on purpose: a try that does not come back counts as stuck."""

    async def test(bench: Bench) -> None:
        bench.breaker.judge(control_passes=False)
        slow = record("SLEEP 0.5")
        bench.progress.take([slow.size])
        holding = asyncio.create_task(bench.attempts.hold(slow, bench.leaving))
        await asyncio.sleep(0.35)
        assert bench.progress.stuck_for(0) is not None
        assert isinstance(await holding, Labelled)

    run(test)


def test_our_own_text_is_an_article() -> None:
    """What the model is asked to prove itself on can be labelled."""

    async def test(bench: Bench) -> None:
        assert isinstance(await bench.attempts.label(CONTROL), Labelled)

    run(test)
