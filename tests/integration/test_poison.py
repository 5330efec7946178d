"""An article that kills its worker, and the next, until it is found."""

import json
import signal
import time
from collections.abc import Callable

from tests.cluster import Cluster, Out, Outcomes, Place, articles
from tests.conftest import StartWorker
from tests.workers import Worker

MOST_RESTARTS = 5
PREFIX = "__connect.errors."
PATIENCE_S = 600.0
HASTY = {"WORKER__STALL_S": "2", "WORKER__STOP_TIMEOUT_S": "1"}
COMMIT_S = 0.2
# Ten commits: so long a partition that nothing comes on stays watched.
WATCHED_S = 10 * COMMIT_S


def _restart_until(
    start: Callable[[], Worker], count: int, is_done: Callable[[], bool]
) -> tuple[list[Worker], int]:
    """Supervise workers: start one for each that dies, until all is done.

    Returns:
        Those running at the end, and how many were started in place of one that died.
    """
    workers = [start() for _ in range(count)]
    restarts = 0
    deadline = time.monotonic() + PATIENCE_S
    while not is_done():
        assert time.monotonic() < deadline, workers[-1].log
        for at, worker in enumerate(workers):
            if worker.process.poll() is not None:
                assert worker.process.returncode == -signal.SIGABRT, worker.log
                restarts += 1
                assert restarts <= MOST_RESTARTS, worker.log
                workers[at] = start()
        time.sleep(0.2)
    return workers, restarts


def _has(cluster: Cluster, count: int) -> Callable[[], bool]:
    """Say whether so many records are committed."""
    return lambda: sum(cluster.committed().values()) == count


def _check(outcomes: Outcomes, good: list[Place], bad: Place, value: bytes) -> None:
    """The bad one is the only dead letter, the good ones are labelled, and repeats identical."""
    assert set(outcomes.by_source) == {*good, bad}
    assert {out.source for out in outcomes.claims} == set(good)
    assert outcomes.are_identical()
    (letter,) = outcomes.dead_letters
    assert (letter.source, letter.value) == (bad, value)
    assert _error(letter, "stage") == "infer"
    assert _error(letter, "exception.class.name") == "service.poison.PoisonError"
    assert _error(letter, "attempts") == "3"
    assert "died 3 times" in _error(letter, "exception.message")


def _error(letter: Out, name: str) -> str:
    return letter.headers[PREFIX + name].decode()


def test_it_is_found_among_its_neighbours(cluster: Cluster, start_worker: StartWorker) -> None:
    """After at most five restarts it is the one dead letter, and the stream goes on."""
    good = cluster.publish(articles(30))
    ((key, value),) = articles(1, first=30, body="ABORT")
    (bad,) = cluster.publish([(key, value)])
    good += cluster.publish(articles(30, first=31))
    (worker,), restarts = _restart_until(
        lambda: start_worker(cluster.settings, KAFKA__COMMIT_INTERVAL_S=str(COMMIT_S)),
        1,
        _has(cluster, 61),
    )
    assert restarts == 4
    good += cluster.publish(articles(10, first=61))
    _check(cluster.outcomes(71, timeout_s=120), good, bad, value)
    labels = {"stage": "infer", "reason": "poison"}
    assert worker.metric("claimstream_dead_letters_total", **labels) == 1
    time.sleep(WATCHED_S)
    assert worker.stop() == 0
    # It ended in order, and no partition was still watched: the next one has nothing to watch.
    after = start_worker(cluster.settings).wait_until_ready()
    assert "watching" not in after.log
    assert after.stop() == 0


def test_it_is_found_whoever_has_it(cluster: Cluster, start_worker: StartWorker) -> None:
    """Of two workers now the one, now the other dies of it: what is known goes with it."""
    good = cluster.publish(articles(20))
    ((key, value),) = articles(1, first=20, body="ABORT")
    (bad,) = cluster.publish([(key, value)])
    workers, restarts = _restart_until(lambda: start_worker(cluster.settings), 2, _has(cluster, 21))
    assert restarts <= MOST_RESTARTS
    _check(cluster.outcomes(21, timeout_s=120), good, bad, value)
    for worker in workers:
        worker.process.terminate()
    assert [worker.wait() for worker in workers] == [0, 0]


def test_what_hangs_until_it_is_killed_is_found_too(
    cluster: Cluster, start_worker: StartWorker
) -> None:
    """An article that never ends, for which the supervisor kills the worker, is found as well."""
    ((key, value),) = articles(1, body="WEDGE")
    (bad,) = cluster.publish([(key, value)])
    good = cluster.publish(articles(5, first=1))
    killed = 0
    worker = start_worker(cluster.settings, **HASTY)
    deadline = time.monotonic() + PATIENCE_S
    while not _has(cluster, 6)():
        assert time.monotonic() < deadline, worker.log
        if _is_stuck(worker):
            # It does not end in order, with an article in hand that does not end.
            assert worker.stop() == 1
            killed += 1
            assert killed <= MOST_RESTARTS, worker.log
            worker = start_worker(cluster.settings, **HASTY)
        time.sleep(0.2)
    assert killed == 4
    _check(cluster.outcomes(6, timeout_s=120), good, bad, value)
    assert worker.stop() == 0


def _is_stuck(worker: Worker) -> bool:
    """Ask as a supervisor does, but do not take a slow start for a stall."""
    try:
        status, text = worker.get("/healthz")
    except OSError:
        return False
    return status == 503 and json.loads(text)["in_hand"] > 0
