"""The alerts for real: something breaks, and whoever is paged is told that and nothing else.

Worker, broker, Prometheus and Alertmanager are real, and so are rules and configuration, but for
the time that they take: each window, and each time for which something must last, is a tenth of
the shipped one, windows at least 8 s.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from service.broker import EmbeddedBroker
from tests.alertmanagers import running_alertmanager
from tests.alerts import alerts
from tests.cluster import Cluster, articles
from tests.prometheuses import SERVER, Hurry, Prometheus, running_prometheus
from tests.workers import Worker

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(SERVER is None, reason="prometheus is not installed"),
    pytest.mark.timeout(600),
]

HURRY = Hurry(factor=10, scrape_s=2)
# How long all must have been well before, so that windows are full of it, and within what time.
WELL_S, WELL_WITHIN_S = 30.0, 180.0
# How long to wait for the page, on a machine that has other things to do.
PAGE_S = 180.0
# How long to look whether anything else is told.
LOOK_S = 20.0
START_S = 120.0
# Until what was published is done, or in hand.
QUIET_S = 3.0


class Watch(NamedTuple):
    """A worker that is watched, and who is paged."""

    worker: Worker
    cluster: Cluster
    prometheus: Prometheus
    alertmanager: str

    def pages(self) -> set[str]:
        """The alerts that page somebody now: firing, and not kept back by another."""
        with urllib.request.urlopen(f"{self.alertmanager}/api/v2/alerts", timeout=10) as answer:
            shown = json.load(answer)
        return {
            alert["labels"]["alertname"]
            for alert in shown
            if alert["labels"]["severity"] == "page" and not alert["status"]["inhibitedBy"]
        }

    def wait_until_well(self) -> None:
        """Label articles until nobody has been paged for a while."""
        begun = well_since = time.monotonic()
        for number in itertools.count():
            self.cluster.publish(articles(5, first=5 * number))
            now = time.monotonic()
            if (pages := self.pages()) or not self._gets_on():
                well_since = now
            if now - well_since > WELL_S:
                return
            assert now - begun < WELL_WITHIN_S, f"never well: {pages}"
            time.sleep(0.5)

    def _gets_on(self) -> bool:
        done = self.prometheus.ask("sum(increase(claimstream_articles_done_total[10s]))")
        return any(value > 0 for _, value in done)


@contextmanager
def _watched(cluster: Cluster, log: Path, **settings: str) -> Iterator[Watch]:
    """Run a worker with a Prometheus that scrapes it and an Alertmanager that is told."""
    cluster.create_topics()
    with Worker(cluster.settings, log, **settings) as worker:
        worker.wait_for("/readyz", 200, START_S)
        target = worker.address.removeprefix("http://")
        with (
            running_alertmanager() as alertmanager,
            running_prometheus([target], HURRY, alertmanager) as prometheus,
        ):
            watch = Watch(worker, cluster, prometheus, alertmanager)
            watch.wait_until_well()
            yield watch


@pytest.fixture
def tell(
    request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], None]:
    """Says something to whoever runs the tests."""

    def say(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{request.node.name}: {text}\n")

    return say


def _expect(watch: Watch, wanted: set[str], tell: Callable[[str], None]) -> None:
    """Wait for a page, see that it is one of those wanted, and that no other follows."""
    broken = time.monotonic()
    while not (told := watch.pages()):
        assert time.monotonic() - broken < PAGE_S, f"nobody was told within {PAGE_S:g} s"
        time.sleep(0.2)
    took = time.monotonic() - broken
    lasting = ", ".join(f"{name} for {alerts()[name]['for']}" for name in sorted(told))
    tell(f"paged after {took:.1f} s in a hurry ({lasting} as shipped, times 1/{HURRY.factor:g})")
    end = time.monotonic() + LOOK_S
    while time.monotonic() < end:
        assert told <= wanted
        time.sleep(0.2)
        told = watch.pages()
    assert told, "it was over by itself"


def test_the_worker_is_killed(
    bootstrap_servers: str, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    """The only worker is killed and does not come back: no worker is up, and that is the page."""
    with _watched(Cluster(bootstrap_servers), tmp_path / "log") as watch:
        watch.worker.process.kill()
        _expect(watch, {"ClaimstreamDown"}, tell)


def test_the_model_hangs(
    bootstrap_servers: str, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    """An article wedges the model while others wait: the worker stalls, and that is the page."""
    with _watched(Cluster(bootstrap_servers), tmp_path / "log") as watch:
        watch.cluster.publish(articles(1, first=90_000, body="WEDGE"))
        watch.cluster.publish(articles(50, first=91_000))
        _expect(watch, {"ClaimstreamStalled"}, tell)


def test_a_flood_of_bad_records(
    bootstrap_servers: str, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    """A producer sends rubbish among its articles: dead letters flood, and that is the page."""
    with _watched(Cluster(bootstrap_servers), tmp_path / "log") as watch:
        stop = threading.Event()

        def flood() -> None:
            for number in itertools.count():
                bad = [(f"bad-{number}-{n}".encode(), b"not an article") for n in range(20)]
                watch.cluster.publish([*bad, *articles(5, first=90_000 + 5 * number)])
                if stop.wait(0.5):
                    return

        producer = threading.Thread(target=flood)
        producer.start()
        try:
            _expect(watch, {"ClaimstreamDeadLetterFlood"}, tell)
        finally:
            stop.set()
            producer.join()


def test_the_model_fails(
    bootstrap_servers: str,
    tmp_path: Path,
    tell: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The model fails on everything: the worker holds its articles, and that is the page."""
    broken = tmp_path / "broken"
    monkeypatch.setenv("TEST_BROKEN_WHILE", str(broken))
    with _watched(Cluster(bootstrap_servers), tmp_path / "log") as watch:
        broken.touch()
        watch.cluster.publish(articles(100, first=90_000))
        _expect(watch, {"ClaimstreamBreakerOpen"}, tell)


def test_the_broker_stops_under_an_idle_worker(tmp_path: Path, tell: Callable[[str], None]) -> None:
    """The broker dies while there is nothing to do: the worker lives on, and that is the page."""
    with EmbeddedBroker(log=tmp_path / "broker.log") as broker:
        cluster = Cluster(broker.bootstrap_servers)
        with _watched(cluster, tmp_path / "log") as watch:
            time.sleep(QUIET_S)
            os.kill(broker.pid, signal.SIGKILL)
            _expect(watch, {"ClaimstreamNotConsuming"}, tell)
            assert watch.worker.process.poll() is None


def test_the_broker_stops_under_load(tmp_path: Path, tell: Callable[[str], None]) -> None:
    """The broker dies; the worker ends, and is started again by its supervisor.

    Then it waits for the cluster without a partition, which is one page. But the start of a process
    is not shortened as the rules are, and meanwhile no worker is up, which is another: either may
    be told, one after the other.
    """
    log, port = tmp_path / "log", str(_free_port())
    settings = {"KAFKA__REQUEST_TIMEOUT_S": "2", "HTTP__PORT": port}
    with EmbeddedBroker(log=tmp_path / "broker.log") as broker:
        cluster = Cluster(broker.bootstrap_servers)
        with _watched(cluster, log, **settings) as watch:
            stop = threading.Event()
            supervisor = threading.Thread(
                target=_supervise, args=(watch.worker, cluster, tmp_path, settings, stop)
            )
            cluster.publish(articles(500, first=90_000, body="SLEEP 0.05"))
            time.sleep(QUIET_S)  # until it has some of them in hand
            supervisor.start()
            try:
                os.kill(broker.pid, signal.SIGKILL)
                _expect(watch, {"ClaimstreamNotConsuming", "ClaimstreamDown"}, tell)
            finally:
                stop.set()
                supervisor.join()


def _supervise(
    worker: Worker, cluster: Cluster, folder: Path, settings: dict[str, str], stop: threading.Event
) -> None:
    """Start the worker again whenever it ends, as its supervisor does."""
    _wait_for_end(worker, stop)
    for number in itertools.count():
        if stop.is_set():
            return
        with Worker(cluster.settings, folder / f"again-{number}.log", **settings) as again:
            _wait_for_end(again, stop)


def _wait_for_end(worker: Worker, stop: threading.Event) -> None:
    while worker.process.poll() is None and not stop.wait(0.2):
        pass


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
    return port
