"""The breaker: which failures are the article's, when it opens and when it closes."""

from __future__ import annotations

import pytest

from service.breaker import Breaker
from service.metrics import build_metrics
from service.settings import WorkerSettings


class Bench:
    """A breaker on a clock that the test moves."""

    def __init__(self) -> None:
        """Begin closed, at second zero."""
        self.now = 0.0
        metrics = build_metrics()
        self.value = metrics.registry.get_sample_value
        settings = WorkerSettings(
            breaker_failures=3, breaker_wait_s=4, breaker_max_wait_s=10, attempts=2
        )
        self.breaker = Breaker(settings, metrics, lambda: self.now)


@pytest.fixture
def bench() -> Bench:
    """A closed breaker."""
    return Bench()


def test_one_bad_article_is_to_blame(bench: Bench) -> None:
    """An article that fails while our own text passes is to blame, as often as others work."""
    for _ in range(20):
        assert bench.breaker.judge(control_passes=True)
        bench.breaker.succeeded()
    assert not bench.breaker.is_open


def test_a_model_that_fails_on_our_text_blames_nobody(bench: Bench) -> None:
    """The very first failure opens the breaker when the model fails on our own text too."""
    assert not bench.breaker.judge(control_passes=False)
    assert bench.breaker.is_open
    assert bench.value("claimstream_breaker_open") == 1
    for _ in range(50):
        assert not bench.breaker.judge(control_passes=False)
    assert bench.value("claimstream_breaker_openings_total") == 1


def test_several_in_a_row_open_it(bench: Bench) -> None:
    """The third failure in a row opens it, and is not blamed; a success between starts anew."""
    assert bench.breaker.judge(control_passes=True)
    bench.breaker.succeeded()
    assert bench.breaker.judge(control_passes=True)
    assert bench.breaker.judge(control_passes=True)
    assert not bench.breaker.judge(control_passes=True)
    assert bench.breaker.reason == "the model fails on 3 articles in a row"


def test_a_success_closes_it(bench: Bench) -> None:
    """One article that is labelled closes it, and the next failures are counted from nothing."""
    bench.breaker.judge(control_passes=False)
    bench.breaker.succeeded()
    assert not bench.breaker.is_open
    assert bench.breaker.reason is None
    assert bench.value("claimstream_breaker_open") == 0
    assert bench.breaker.judge(control_passes=True)


def test_waits_grow_to_the_longest(bench: Bench) -> None:
    """Waits double up to the longest, jittered by a quarter, and begin anew once it closed."""
    for _ in range(2):
        bench.breaker.judge(control_passes=False)
        for wait in (4, 8, 10, 10):
            assert wait * 0.75 <= bench.breaker.due_in_s <= wait * 1.25
            bench.now += 100
            assert bench.breaker.due_in_s == 0
            bench.breaker.judge(control_passes=False)
        bench.breaker.succeeded()


def test_a_bad_article_does_not_keep_it_open_for_ever(bench: Bench) -> None:
    """The one kept is to blame after as many further tries as an article has, if ours pass."""
    for _ in range(3):
        bench.breaker.judge(control_passes=True)
    assert bench.breaker.is_open
    assert not bench.breaker.judge(control_passes=False)
    assert not bench.breaker.judge(control_passes=True)
    assert bench.breaker.judge(control_passes=True)
    # Nothing was labelled yet, so the next article has to wait its turn too.
    assert bench.breaker.is_open
    assert not bench.breaker.judge(control_passes=True)
