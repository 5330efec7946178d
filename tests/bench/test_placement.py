"""Which core each process is kept to."""

import os
import subprocess
import sys
from contextlib import nullcontext

import pytest

from service.bench.placement import Placement, allowed_cores, pin, pinned, place

needs_affinity = pytest.mark.skipif(not allowed_cores(), reason="no affinity on this platform")


@pytest.mark.parametrize(
    ("workers", "cores", "placement", "worker_cores"),
    [
        (1, {0, 1}, Placement([0], frozenset({1})), 1),
        (2, {0, 1}, Placement([0, 1], frozenset({0, 1})), 2),
        (3, {0, 1}, Placement([0, 1, 0], frozenset({0, 1})), 2),
        (2, {3, 5, 4}, Placement([3, 4], frozenset({5})), 2),
        (3, {0, 1, 2}, Placement([0, 1, 2], frozenset({0, 1, 2})), 3),
        (2, {0}, Placement([None, None], frozenset()), 2),
        (1, set(), Placement([None], frozenset()), 1),
    ],
)
def test_a_core_for_each_worker_and_one_for_broker_and_load(
    workers: int, cores: set[int], placement: Placement, worker_cores: int
) -> None:
    """Without one to spare, broker and load share the workers'; a single core pins nobody."""
    assert place(workers, cores) == placement
    assert placement.worker_cores == worker_cores


def test_it_is_said_in_words() -> None:
    """The words name the cores, or say that nothing is pinned."""
    alone, shared = Placement([0, 2], frozenset({3})), Placement([0, 1], frozenset({0, 1}))
    assert str(alone) == "workers on core 0, 2, broker and load on core 3"
    assert str(shared) == "2 workers on cores 0, 1, which broker and load share"
    assert (alone.is_shared, shared.is_shared) == (False, True)
    assert "not pinned" in str(Placement([None], frozenset()))


@needs_affinity
def test_a_process_and_what_it_starts_stay_on_the_core() -> None:
    """A pinned process has that core only; so has a child of a pinned thread; then all is back."""
    before = os.sched_getaffinity(0)
    core = max(before)
    tell = [sys.executable, "-c", "import os; print(*os.sched_getaffinity(0))"]
    with pinned({core}):
        told = subprocess.run(tell, capture_output=True, text=True, check=True).stdout
        assert told.split() == [str(core)]
    assert os.sched_getaffinity(0) == before
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        pin(child.pid, [core])
        assert os.sched_getaffinity(child.pid) == {core}
        pin(child.pid, [None])
        assert os.sched_getaffinity(child.pid) == {core}
        child.communicate(b"\n")


def test_no_core_leaves_things_as_they_are() -> None:
    """Where nothing can be pinned nothing is tried."""
    with pinned(()), nullcontext():
        pin(os.getpid(), [])
