"""The open loop: when articles are due, and that latency counts from then."""

import itertools
from statistics import fmean, stdev

import pytest

from service.bench.arrivals import due_times, open_loop


def test_the_same_seed_gives_the_same_times() -> None:
    """The schedule is repeatable, ascending, and another seed gives another."""
    times = due_times(2.0, 50, seed=7)
    assert times == due_times(2.0, 50, seed=7)
    assert times != due_times(2.0, 50, seed=8)
    assert len(times) == 50
    assert times == sorted(times)
    assert times[0] > 0


def test_it_is_a_poisson_process() -> None:
    """Gaps have the mean of the rate, and spread as much as their mean, as exponential ones do."""
    times = [0.0, *due_times(4.0, 20_000, seed=1)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert fmean(gaps) == pytest.approx(0.25, rel=0.03)
    assert stdev(gaps) == pytest.approx(0.25, rel=0.03)


class Clock:
    """A clock that only goes on when somebody sleeps or works."""

    def __init__(self) -> None:
        """Start at some time that is not 0."""
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.slept.append(seconds)
        self.now += seconds

    def latencies(self, due: list[float], work: list[float]) -> list[float]:
        """Serve articles that take so long."""

        def serve(number: int) -> None:
            self.now += work[number]

        return open_loop(due, serve, lambda: self.now, self.sleep)


def test_waiting_for_another_counts() -> None:
    """One that is due while another is in hand has waited since then; the load does not slow."""
    clock = Clock()
    assert clock.latencies([1.0, 2.0, 3.0], [5.0, 1.0, 1.0]) == pytest.approx([5.0, 5.0, 5.0])
    assert clock.slept == [1.0]


def test_none_starts_before_it_is_due() -> None:
    """Where there is time between them each takes what it takes alone."""
    clock = Clock()
    assert clock.latencies([1.0, 10.0], [2.0, 3.0]) == pytest.approx([2.0, 3.0])
    assert clock.slept == pytest.approx([1.0, 7.0])
