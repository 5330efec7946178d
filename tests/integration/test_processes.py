"""Several worker processes under one parent, against a real broker."""

import re
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from service.broker import free_port
from service.settings import HttpSettings, ModelSettings
from tests.cluster import Cluster, articles
from tests.workers import Worker

_READY_S = 120.0


class Parent:
    """A parent and its two workers."""

    def __init__(self, worker: Worker) -> None:
        """Take the started parent and wait until both workers have their partitions."""
        self.worker = worker
        deadline = time.monotonic() + _READY_S
        while not all(self.partitions()):
            assert worker.process.poll() is None, worker.log
            assert time.monotonic() < deadline, worker.log
            time.sleep(0.2)
        self.children = psutil.Process(worker.process.pid).children(recursive=True)

    def addresses(self) -> list[str]:
        """Where the workers' metrics are, from the lines that the parent logged."""
        return re.findall(r'"metrics": "(http://\S+)"', self.worker.log)

    def partitions(self) -> list[int]:
        """How many partitions each worker has."""
        return [_partitions(address) for address in self.addresses()] or [0]

    def done(self) -> list[float]:
        """How many articles each worker has labelled."""
        name = r'claimstream_articles_done_total\{outcome="labelled"\} (\S+)'
        return [
            float(found[1]) if (found := re.search(name, _get(address))) else 0.0
            for address in self.addresses()
        ]


def free_ports() -> int:
    """A port that is free right now, and the one after it too."""
    while True:
        port = free_port()
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port + 1))
            return port


def _get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=30) as answer:
        return str(answer.read().decode())


def _partitions(address: str) -> int:
    try:
        found = re.search(r"^claimstream_assigned_partitions (\S+)", _get(address), re.MULTILINE)
    except OSError:
        return 0
    return int(float(found[1])) if found else 0


@pytest.fixture
def parent(cluster: Cluster, tmp_path: Path) -> Iterator[Parent]:
    """Two cheap workers under one parent, ready."""
    settings = cluster.settings.model_copy(update={"http": HttpSettings(port=free_ports())})
    with Worker(settings, tmp_path / "log", module="tests.cheap_processes") as worker:
        yield Parent(worker)


def gone(processes: list[psutil.Process]) -> bool:
    """Say whether all have ended within a minute."""
    return not psutil.wait_procs(processes, timeout=60)[1]


def test_two_processes_share_the_partitions(parent: Parent, cluster: Cluster) -> None:
    """Each labels what is in its partitions, nothing comes twice, and SIGTERM ends all with 0."""
    assert sum(parent.partitions()) == cluster.settings.topics.partitions
    first, second = parent.addresses()
    assert int(second.split(":")[2].split("/")[0]) == int(first.split(":")[2].split("/")[0]) + 1
    places = cluster.publish(articles(60))
    outcomes = cluster.outcomes(60)
    assert set(outcomes.by_source) == set(places)
    assert outcomes.duplicates == 0
    assert sum(parent.done()) == 60
    assert all(parent.done())
    assert parent.worker.stop(signal.SIGTERM) == 0
    assert gone(parent.children)
    assert sum(cluster.committed().values()) == 60


def test_a_killed_worker_ends_the_parent(parent: Parent) -> None:
    """The other is told to end in order, the parent says it failed, and nothing is left."""
    killed, other = parent.children
    killed.kill()
    assert parent.worker.wait() == 1
    assert gone([killed, other])
    assert '"event": "stopped"' in parent.worker.log


def test_a_killed_parent_takes_its_workers_with_it(parent: Parent) -> None:
    """After a kill -9 of the parent no worker goes on unsupervised."""
    parent.worker.process.kill()
    assert parent.worker.wait() == -signal.SIGKILL
    assert gone(parent.children)


def test_the_command_runs_real_workers(cluster: Cluster, tmp_path: Path) -> None:
    """``claimstream worker --processes 2`` labels with the released model."""
    settings = cluster.settings.model_copy(
        update={"http": HttpSettings(port=free_ports()), "model": ModelSettings(size="small")}
    )
    with Worker(settings, tmp_path / "log", module="tests.real_processes") as worker:
        parent = Parent(worker)
        cluster.publish(articles(8))
        outcomes = cluster.outcomes(8)
        assert len(outcomes.claims) == 8
        assert worker.stop(signal.SIGINT) == 0
        assert gone(parent.children)


def test_workers_that_cannot_start_say_so(bootstrap_servers: str, tmp_path: Path) -> None:
    """Without topics the parent ends with 2, as a single worker does."""
    settings = Cluster(bootstrap_servers).settings
    log = tmp_path / "log"
    with Worker(
        settings, log, module="tests.cheap_processes", WORKER__START_WAIT_S="0.5"
    ) as worker:
        assert worker.wait(60) == 2
    assert "run 'claimstream topics create' first" in worker.log
