"""The process is killed: what was not confirmed comes again, to the byte."""

import signal
import time

from tests.cluster import Cluster, articles
from tests.conftest import StartWorker


def test_kill_9_and_restart(cluster: Cluster, start_worker: StartWorker) -> None:
    """After a kill -9 in mid-stream nothing is lost, and what comes twice is identical."""
    places = cluster.publish(articles(600, body="SLEEP 0.005"))
    first = start_worker(cluster.settings).wait_until_ready()
    time.sleep(1.2)
    assert first.stop(signal.SIGKILL) == -signal.SIGKILL
    second = start_worker(cluster.settings)
    outcomes = cluster.outcomes(600, timeout_s=60)
    assert set(outcomes.by_source) == set(places)
    assert outcomes.are_identical()
    # At most what was done since the last commit (1 s) comes again.
    assert outcomes.duplicates <= 300
    assert second.stop() == 0
