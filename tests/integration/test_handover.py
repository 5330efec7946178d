"""Orderly events: workers join and leave under load. Nothing is lost and nothing comes twice."""

import time

from tests.cluster import Cluster, articles
from tests.conftest import StartWorker

# Slow enough that the stream lasts through the events, fast enough to end.
SLOW = "SLEEP 0.01"


def test_a_worker_joins_and_the_first_leaves(
    cluster: Cluster, start_worker: StartWorker
) -> None:
    """A second worker joins mid-stream, then the first is told to stop: no loss, no duplicate."""
    places = cluster.publish(articles(1500, body=SLOW))
    first = start_worker(cluster.settings).wait_until_ready()
    second = start_worker(cluster.settings).wait_until_ready()
    time.sleep(2)
    assert first.stop() == 0
    outcomes = cluster.outcomes(1500, timeout_s=60)
    assert set(outcomes.by_source) == set(places)
    assert outcomes.duplicates == 0
    assert second.stop() == 0
    assert sum(cluster.committed().values()) == 1500


def test_sigterm_in_mid_stream_and_a_restart(
    cluster: Cluster, start_worker: StartWorker
) -> None:
    """Told to stop in mid-stream, a worker ends with 0; the next goes on where it ended."""
    places = cluster.publish(articles(400, body=SLOW))
    first = start_worker(cluster.settings).wait_until_ready()
    time.sleep(1.5)
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
