"""The broker goes away while the worker runs."""

import os
import signal
import time
from pathlib import Path

from service.broker import EmbeddedBroker
from tests.cluster import Cluster, articles
from tests.conftest import StartWorker

SHORT = {"KAFKA__REQUEST_TIMEOUT_S": "2"}


def test_the_broker_dies(tmp_path: Path, start_worker: StartWorker) -> None:
    """When deliveries fail, the worker ends with 1 and has acknowledged nothing undelivered."""
    with EmbeddedBroker(log=tmp_path / "broker.log") as broker:
        cluster = Cluster(broker.bootstrap_servers)
        cluster.create_topics()
        worker = start_worker(cluster.settings, **SHORT).wait_until_ready()
        cluster.publish(articles(500, body="SLEEP 0.02"))
        time.sleep(1)
        os.kill(broker.pid, signal.SIGKILL)
        assert worker.wait() == 1
    assert "DeliveryError" in worker.log
    assert "dead letter" not in worker.log


def test_the_broker_hangs(tmp_path: Path, start_worker: StartWorker) -> None:
    """When the broker stops answering, the worker ends with 1; a restart loses nothing."""
    with EmbeddedBroker(log=tmp_path / "broker.log") as broker:
        cluster = Cluster(broker.bootstrap_servers)
        cluster.create_topics()
        worker = start_worker(cluster.settings, **SHORT).wait_until_ready()
        places = cluster.publish(articles(300, body="SLEEP 0.01"))
        time.sleep(1)
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            assert worker.wait() == 1
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        delivered = set(cluster.outcomes(1).by_source)
        committed = cluster.committed()
        assert {place for place in places if place[1] < committed.get(place[0], 0)} <= delivered
        second = start_worker(cluster.settings)
        outcomes = cluster.outcomes(300, timeout_s=60)
        assert set(outcomes.by_source) == set(places)
        assert outcomes.are_identical()
        assert second.stop() == 0
