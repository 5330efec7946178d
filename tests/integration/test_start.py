"""Starting: what a worker waits for, and what ends it with 2 and one line."""

import shutil
import socket
import time
from pathlib import Path

import pytest

from service.broker import EmbeddedBroker, free_port
from service.settings import KafkaSettings
from tests.cluster import Cluster, articles
from tests.conftest import StartWorker
from tests.refusing import make_certificate, refusing_broker
from tests.workers import Worker


def _only_line(worker: Worker) -> str:
    """What the worker said besides its own log."""
    (line,) = [line for line in worker.log.splitlines() if not line.startswith("{")]
    return line


def _wait_for_reason(worker: Worker) -> str:
    """Wait until the worker says what it waits for; it is alive meanwhile."""
    deadline = time.monotonic() + 90
    while "reason" not in (details := worker.wait_for("/readyz", 503)):
        assert time.monotonic() < deadline, worker.log
        time.sleep(0.1)
    assert worker.get("/healthz")[0] == 200
    return str(details["reason"])


def test_missing_topics(bootstrap_servers: str, start_worker: StartWorker) -> None:
    """Without its topics a worker waits, says which, creates none, and begins when they come."""
    cluster = Cluster(bootstrap_servers)
    worker = start_worker(cluster.settings)
    reason = _wait_for_reason(worker)
    assert cluster.settings.topics.articles in reason
    assert "run 'claimstream topics create' first" in reason
    cluster.create_topics()
    worker.wait_until_ready()
    cluster.publish(articles(3))
    assert len(cluster.outcomes(3).claims) == 3
    assert worker.stop() == 0


def test_a_broker_that_comes_ten_seconds_later(tmp_path: Path, start_worker: StartWorker) -> None:
    """A worker whose broker is down is alive, not ready and says why; then it labels."""
    port = free_port()
    cluster = Cluster(f"127.0.0.1:{port}")
    worker = start_worker(cluster.settings)
    assert _wait_for_reason(worker).startswith(f"no broker at 127.0.0.1:{port}")
    until = time.monotonic() + 10
    while time.monotonic() < until:
        assert worker.get("/healthz")[0] == 200
        assert worker.get("/readyz")[0] == 503
        time.sleep(0.5)
    with EmbeddedBroker(log=tmp_path / "broker.log", port=port):
        cluster.create_topics()
        details = worker.wait_until_ready().wait_for("/readyz", 200)
        assert "reason" not in details
        cluster.publish(articles(5))
        assert len(cluster.outcomes(5).claims) == 5
        assert worker.stop() == 0
    # Said once, and again a minute later; not at each of the many tries.
    assert worker.log.count('"event": "waiting"') == 1


def test_sigterm_while_waiting(start_worker: StartWorker) -> None:
    """Told to stop while it waits for its broker, a worker ends with 0."""
    worker = start_worker(Cluster("127.0.0.1:1").settings)
    _wait_for_reason(worker)
    assert worker.stop() == 0
    assert "Traceback" not in worker.log


def test_waiting_can_be_bounded(start_worker: StartWorker) -> None:
    """After the time set for it, a worker without broker says so in one line and ends with 2."""
    worker = start_worker(Cluster("127.0.0.1:1").settings, WORKER__START_WAIT_S="2")
    assert worker.wait() == 2
    assert _only_line(worker).startswith("claimstream: no broker at 127.0.0.1:1")


def test_a_broker_that_never_answers(start_worker: StartWorker) -> None:
    """Where something listens and says nothing each try ends within the time set for it."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        worker = start_worker(Cluster(address).settings, KAFKA__CONNECT_TIMEOUT_S="1")
        assert _wait_for_reason(worker) == f"no broker at {address} within 1 s"
        assert worker.stop() == 0


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_wrong_password_is_not_waited_out(tmp_path: Path, start_worker: StartWorker) -> None:
    """What no waiting mends ends the worker with 2 and one line, which tells no secret."""
    certificate = make_certificate(tmp_path)
    with refusing_broker(certificate) as address:
        worker = start_worker(
            Cluster(address).settings,
            KAFKA__SECURITY_PROTOCOL="SASL_SSL",
            KAFKA__SASL_MECHANISM="PLAIN",
            KAFKA__SASL_USERNAME="desk",
            KAFKA__SASL_PASSWORD="hush",  # noqa: S106 - a test's
            KAFKA__CA_FILE=str(certificate.file),
        )
        assert worker.wait() == 2
    line = _only_line(worker)
    assert line.startswith(f"claimstream: {address} refuses us: ")
    assert "wrong password" in line
    assert "hush" not in worker.log


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
