"""What an operator sees of a running worker over HTTP."""

import json
import shutil
import subprocess
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import Cluster, articles
from tests.conftest import StartWorker
from tests.workers import Worker


@pytest.fixture(scope="module")
def worker(bootstrap_servers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """A worker that has labelled ten articles and has nothing more to do."""
    cluster = Cluster(bootstrap_servers)
    cluster.create_topics()
    log = tmp_path_factory.mktemp("observed") / "worker.log"
    with Worker(cluster.settings, log) as worker:
        worker.wait_until_ready()
        cluster.publish(articles(10))
        cluster.outcomes(10)
        yield worker
        assert worker.stop() == 0


def test_only_three_paths_are_served(worker: Worker) -> None:
    """Metrics and health are there, and nothing else, Faust's own pages least of all."""
    assert worker.get("/healthz")[0] == 200
    for path in ("/", "/tables", "/graph", "/metrics/", "/healthz/x"):
        assert worker.get(path)[0] == 404


def test_ready_only_when_it_has_its_partitions(cluster: Cluster, start_worker: StartWorker) -> None:
    """A worker says from the start that it is not ready, and what it waits for."""
    worker = start_worker(cluster.settings)
    assert worker.wait_for("/readyz", 503)["assigned"] is False
    assert worker.wait_for("/readyz", 200) == {
        "model": True,
        "assigned": True,
        "producer": True,
        "partitions": 4,
    }


def test_metrics_tell_what_was_done(worker: Worker) -> None:
    """What the worker did shows in its metrics, and its lag goes to zero."""
    assert worker.metric("claimstream_end_to_end_duration_seconds_count") == 10
    assert worker.metric("claimstream_stage_duration_seconds_count", stage="infer") == 10
    assert worker.metric("claimstream_model_info", name="rules") == 1
    assert worker.metric("claimstream_build_info") == 1
    assert worker.metric("claimstream_consumer_info") == 1
    assert worker.metric("claimstream_broker_up") == 1
    assert worker.metric("claimstream_batch_tokens_sum") > 10
    assert worker.metric("claimstream_batch_fill_ratio_count") > 0
    assert worker.metric("claimstream_assigned_partitions") == 4
    assert worker.metric("claimstream_last_progress_timestamp_seconds") > time.time() - 60
    deadline = time.monotonic() + 60
    while worker.metric("claimstream_consumer_lag_records") or not worker.metric(
        "claimstream_commits_total"
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_logs_are_json(worker: Worker) -> None:
    """Every line is a JSON object, and none of a worker without trouble is an error."""
    for line in worker.log.splitlines():
        assert json.loads(line)["level"] in {"info", "warning"}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_has_no_complaint(worker: Worker) -> None:
    """Names, units and help of all metrics are as Prometheus wants them."""
    check = subprocess.run(
        ["promtool", "check", "metrics"],  # noqa: S607 - found on the path, or skipped
        input=worker.get("/metrics")[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (check.returncode, check.stdout + check.stderr) == (0, "")


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads Linux's /proc")
def test_only_loopback_is_listened_on(worker: Worker) -> None:
    """The worker listens on one port, on loopback."""
    sockets = {
        link.readlink().name.removeprefix("socket:[").removesuffix("]")
        for link in Path(f"/proc/{worker.process.pid}/fd").iterdir()
        if link.is_symlink() and str(link.readlink()).startswith("socket:")
    }
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                listening.append(fields[1])
    (address,) = listening
    host, port = address.split(":")
    assert host == "0100007F"
    assert urllib.parse.urlsplit(worker.address).port == int(port, 16)


def test_a_wedged_model(cluster: Cluster, start_worker: StartWorker) -> None:
    """When the model hangs the worker is no longer healthy, and a stop cuts it off with 1."""
    worker = start_worker(
        cluster.settings, WORKER__STALL_S="2", WORKER__STOP_TIMEOUT_S="1"
    ).wait_until_ready()
    cluster.publish(articles(5))
    cluster.outcomes(5)
    time.sleep(2.5)  # idle for longer than a stall: that is not one
    assert worker.get("/healthz")[0] == 200
    cluster.publish(articles(1, first=5, body="WEDGE"))
    details = worker.wait_for("/healthz", 503, timeout_s=10)
    assert details["in_hand"] == 1
    assert details["no progress for s"] > 2
    assert worker.stop() == 1
    assert "cut off" in worker.log
    assert sum(cluster.committed().values()) == 5
