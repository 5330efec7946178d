"""A worker that cannot start says so in one line and ends with 2."""

import socket
import time

from service.settings import KafkaSettings
from tests.cluster import Cluster
from tests.conftest import StartWorker
from tests.workers import Worker


def _only_line(worker: Worker) -> str:
    """What the worker said besides its own log."""
    (line,) = [line for line in worker.log.splitlines() if not line.startswith("{")]
    return line


def test_missing_topics(bootstrap_servers: str, start_worker: StartWorker) -> None:
    """Without its topics a worker tells to create them, and creates none."""
    cluster = Cluster(bootstrap_servers)
    for _ in range(2):
        worker = start_worker(cluster.settings)
        assert worker.wait() == 2
        line = _only_line(worker)
        assert cluster.settings.topics.articles in line
        assert "run 'claimstream topics create' first" in line


def test_no_broker(start_worker: StartWorker) -> None:
    """Where nothing listens a worker ends at once."""
    cluster = Cluster("127.0.0.1:1")
    worker = start_worker(cluster.settings)
    assert worker.wait() == 2
    assert _only_line(worker).startswith("claimstream: no broker at 127.0.0.1:1")


def test_a_broker_that_never_answers(start_worker: StartWorker) -> None:
    """Where something listens and says nothing a worker ends within the time set for it."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        worker = start_worker(Cluster(address).settings, KAFKA__CONNECT_TIMEOUT_S="2")
        started = time.monotonic()
        assert worker.wait() == 2
        assert time.monotonic() - started < 8
    assert _only_line(worker) == f"claimstream: no broker at {address} within 2 s"


def test_a_taken_port(cluster: Cluster, start_worker: StartWorker) -> None:
    """A second worker on the same port does not run half blind."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        worker = start_worker(cluster.settings, HTTP__PORT=str(port))
        assert worker.wait() == 2
    assert f"cannot listen on 127.0.0.1:{port}" in _only_line(worker)


def test_missing_model(cluster: Cluster, start_worker: StartWorker) -> None:
    """Without its model the real worker ends before it has read anything."""
    worker = start_worker(
        cluster.settings, module="tests.real_worker", MODEL__PATH="no-such-folder"
    )
    assert worker.wait() == 2
    assert "no model in no-such-folder" in _only_line(worker)


def test_the_default_client_settings_are_the_tested_ones() -> None:
    """Tests run with a short session only; everything else is as it is in production."""
    changed = Cluster("localhost:9092").settings.kafka.model_dump()
    default = KafkaSettings().model_dump()
    assert {name for name in changed if changed[name] != default[name]} == {
        "bootstrap_servers",
        "group",
        "session_timeout_s",
        "heartbeat_interval_s",
        "rebalance_timeout_s",
    }
