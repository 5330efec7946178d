"""Orderly events: workers join and leave under load. Nothing is lost and nothing comes twice."""

import time
from pathlib import Path

from tests.cluster import Cluster, articles
from tests.conftest import StartWorker
from tests.workers import Worker

# Slow enough that the stream lasts through the events, fast enough to end.
SLOW = "SLEEP 0.01"
NEVER = "600"


def test_a_worker_joins_and_the_first_leaves(cluster: Cluster, start_worker: StartWorker) -> None:
    """A second worker joins mid-stream, then the first is told to stop: no loss, no duplicate."""
    places = cluster.publish(articles(900, body=SLOW))
    first = start_worker(cluster.settings).wait_until_ready()
    second = start_worker(cluster.settings).wait_until_ready()
    time.sleep(1)
    assert first.stop() == 0
    outcomes = cluster.outcomes(900, timeout_s=60)
    assert set(outcomes.by_source) == set(places)
    assert outcomes.duplicates == 0
    assert second.stop() == 0
    assert sum(cluster.committed().values()) == 900


def test_what_is_done_but_not_committed_survives_a_rebalance(
    cluster: Cluster, start_worker: StartWorker
) -> None:
    """Partitions that are taken away are committed first, also those with nothing in hand."""
    places = cluster.publish(articles(40))
    first = start_worker(cluster.settings, KAFKA__COMMIT_INTERVAL_S=NEVER)
    cluster.outcomes(40)
    assert cluster.committed() == {}
    second = start_worker(cluster.settings, KAFKA__COMMIT_INTERVAL_S=NEVER).wait_until_ready()
    assert sum(cluster.committed().values()) == 40
    places += cluster.publish(articles(40, first=40))
    outcomes = cluster.outcomes(80)
    assert set(outcomes.by_source) == set(places)
    assert outcomes.duplicates == 0
    assert [first.stop(), second.stop()] == [0, 0]
    assert sum(cluster.committed().values()) == 80


def test_a_worker_joins_while_another_is_stopping(
    cluster: Cluster, start_worker: StartWorker
) -> None:
    """A rebalance during the last article of a worker does not spoil its last commit."""
    places = cluster.publish(articles(40))
    first = start_worker(cluster.settings, KAFKA__COMMIT_INTERVAL_S=NEVER)
    cluster.outcomes(40)
    places += cluster.publish(articles(1, first=40, body="SLEEP 6"))
    time.sleep(1)
    first.process.terminate()
    second = start_worker(cluster.settings)
    places += cluster.publish(articles(10, first=41))
    assert first.wait() == 0
    outcomes = cluster.outcomes(51)
    assert set(outcomes.by_source) == set(places)
    assert outcomes.duplicates == 0
    assert second.stop() == 0


def test_sigterm_in_mid_stream_and_a_restart(cluster: Cluster, start_worker: StartWorker) -> None:
    """Told to stop in mid-stream, a worker ends with 0; the next goes on where it ended."""
    places = cluster.publish(articles(400, body=SLOW))
    first = start_worker(cluster.settings).wait_until_ready()
    time.sleep(1)
    assert first.stop() == 0
    committed = cluster.committed()
    done = cluster.outcomes(1).by_source
    assert 0 < len(done) < 400
    # Exactly what is committed is out: no gap, and nothing that a restart would repeat.
    assert set(done) == {place for place in places if place[1] < committed.get(place[0], 0)}
    second = start_worker(cluster.settings)
    outcomes = cluster.outcomes(400)
    assert set(outcomes.by_source) == set(places)
    assert outcomes.duplicates == 0
    assert second.stop() == 0


def test_sigterm_while_starting(cluster: Cluster, start_worker: StartWorker) -> None:
    """Told to stop before it has joined its group, a worker ends with 0."""
    worker = start_worker(cluster.settings)
    worker.wait_for("/readyz", 503)
    assert worker.stop() == 0


def test_what_arrives_while_a_rebalance_holds_the_stream(cluster: Cluster, tmp_path: Path) -> None:
    """It is fetched again, also where nothing was committed yet: nothing lost, nothing repeated."""
    places = cluster.publish(articles(40))
    module = "tests.reliability.held_worker"
    with Worker(cluster.settings, tmp_path / "worker.log", module=module) as worker:
        outcomes = cluster.outcomes(40, timeout_s=30)
        assert set(outcomes.by_source) == set(places)
        assert outcomes.duplicates == 0
        assert worker.stop() == 0
