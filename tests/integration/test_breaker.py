"""A model that fails on everything: nothing is lost, and nothing drains into the dead letters."""

import time
from pathlib import Path

import pytest

from tests.cluster import Cluster, articles
from tests.conftest import StartWorker
from tests.workers import Worker

QUICK = {
    "WORKER__RETRY_WAIT_S": "0.01",
    "WORKER__BREAKER_WAIT_S": "0.2",
    "WORKER__BREAKER_MAX_WAIT_S": "0.5",
    # Shorter than the breaker is open: to be held on purpose is no stall.
    "WORKER__STALL_S": "2",
}


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """While this file exists the workers' model fails on everything; it exists at first."""
    file = tmp_path / "broken"
    file.touch()
    monkeypatch.setenv("TEST_BROKEN_WHILE", str(file))
    return file


def _wait_until_open(worker: Worker) -> None:
    deadline = time.monotonic() + 120
    while worker.metric("claimstream_breaker_open") != 1:
        assert time.monotonic() < deadline, worker.log
        time.sleep(0.05)


def test_a_broken_model_dead_letters_nothing(
    cluster: Cluster, start_worker: StartWorker, broken: Path
) -> None:
    """The breaker opens and holds all; it closes by itself, and every article is labelled once."""
    worker = start_worker(cluster.settings, **QUICK).wait_until_ready()
    places = cluster.publish(articles(60))
    _wait_until_open(worker)
    details = worker.wait_for("/readyz", 503)
    assert details["reason"] == "the model fails, on a text of our own too"
    until = time.monotonic() + 8  # longer than a session, too
    while time.monotonic() < until:
        assert worker.get("/healthz")[0] == 200
        assert worker.metric("claimstream_breaker_open") == 1
        time.sleep(0.2)
    assert worker.metric("claimstream_articles_done_total") == 0
    assert worker.metric("claimstream_rebalances_total") == 1
    assert sum(cluster.committed().values()) == 0
    broken.unlink()
    outcomes = cluster.outcomes(60, timeout_s=120)
    assert set(outcomes.by_source) == set(places)
    assert outcomes.dead_letters == []
    assert outcomes.duplicates == 0
    worker.wait_for("/readyz", 200)
    assert worker.metric("claimstream_breaker_open") == 0
    assert worker.metric("claimstream_breaker_openings_total") == 1
    assert worker.stop() == 0
    assert sum(cluster.committed().values()) == 60


def test_sigterm_while_it_is_open(
    cluster: Cluster, start_worker: StartWorker, broken: Path
) -> None:
    """What was labelled before is committed, the rest is left, and the worker ends with 0."""
    broken.unlink()
    worker = start_worker(cluster.settings, **QUICK)
    places = cluster.publish(articles(30))
    cluster.outcomes(30, timeout_s=120)
    broken.touch()
    places += cluster.publish(articles(30, first=30))
    _wait_until_open(worker)
    assert worker.stop() == 0
    assert sum(cluster.committed().values()) == 30
    broken.unlink()
    second = start_worker(cluster.settings, **QUICK)
    outcomes = cluster.outcomes(60, timeout_s=120)
    assert set(outcomes.by_source) == set(places)
    assert outcomes.dead_letters == []
    assert outcomes.duplicates == 0
    assert second.stop() == 0


def test_a_rebalance_while_it_is_open(
    cluster: Cluster, start_worker: StartWorker, broken: Path
) -> None:
    """A second worker joins and takes its share, the first stays in the group; both then label."""
    places = cluster.publish(articles(60))
    first = start_worker(cluster.settings, **QUICK)
    first.wait_for("/healthz", 200)
    _wait_until_open(first)
    second = start_worker(cluster.settings, **QUICK)
    second.wait_for("/healthz", 200)
    _wait_until_open(second)
    assert [worker.metric("claimstream_assigned_partitions") for worker in (first, second)] == [
        2,
        2,
    ]
    assert sum(cluster.committed().values()) == 0
    broken.unlink()
    outcomes = cluster.outcomes(60, timeout_s=120)
    assert set(outcomes.by_source) == set(places)
    assert outcomes.dead_letters == []
    assert outcomes.duplicates == 0
    assert [first.stop(), second.stop()] == [0, 0]


def test_bad_articles_in_a_row(bootstrap_servers: str, start_worker: StartWorker) -> None:
    """More bad ones in a row than open the breaker become dead letters, slowly; others go on."""
    cluster = Cluster(bootstrap_servers, partitions=1)
    cluster.create_topics()
    bad = cluster.publish(articles(8, body="RAISE ALWAYS"))
    good = cluster.publish(articles(20, first=8))
    worker = start_worker(cluster.settings, **QUICK)
    outcomes = cluster.outcomes(28, timeout_s=180)
    assert {out.source for out in outcomes.dead_letters} == set(bad)
    assert {out.source for out in outcomes.claims} == set(good)
    assert outcomes.duplicates == 0
    assert worker.metric("claimstream_breaker_openings_total") == 1
    worker.wait_for("/readyz", 200)
    assert worker.stop() == 0
