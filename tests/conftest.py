"""Fixtures: a real broker for the whole run, and topics and workers of its own for each test."""

from __future__ import annotations

import itertools
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest
import structlog

from service.broker import EmbeddedBroker
from service.settings import Settings
from tests.cluster import Cluster
from tests.workers import Worker

StartWorker = Callable[..., Worker]

# The machine may be busy. CI judges a change, and tries the same examples each time; whoever runs
# the tests otherwise tries others each time.
hypothesis.settings.register_profile(
    "busy",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
hypothesis.settings.load_profile("busy")

# A shell that runs the tests in the background has them ignore Ctrl-C, and all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A test that sends the logs elsewhere does not do so for those after it."""
    root, hook = logging.getLogger(), threading.excepthook
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    for handler in list(root.handlers):
        if type(handler) is logging.StreamHandler and handler not in handlers:
            root.removeHandler(handler)
    root.setLevel(level)
    threading.excepthook = hook


@pytest.fixture(scope="session")
def bootstrap_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The cluster to test against: the one in CLAIMSTREAM_TEST_BOOTSTRAP, or an embedded broker."""
    external = os.environ.get("CLAIMSTREAM_TEST_BOOTSTRAP")
    if external:
        yield external
        return
    with EmbeddedBroker(log=tmp_path_factory.mktemp("broker") / "broker.log") as broker:
        yield broker.bootstrap_servers


@pytest.fixture
def cluster(bootstrap_servers: str) -> Cluster:
    """Topics of the test's own, created."""
    cluster = Cluster(bootstrap_servers)
    cluster.create_topics()
    return cluster


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[StartWorker]:
    """Starts worker processes with a cheap labeller; those still running are killed at the end."""
    numbers = itertools.count(1)
    with ExitStack() as stack:

        def start(settings: Settings, **extra: str) -> Worker:
            log = tmp_path / f"worker-{next(numbers)}.log"
            return stack.enter_context(Worker(settings, log, **extra))

        yield start
