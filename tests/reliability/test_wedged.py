"""A worker that is wedged on purpose: whatever part it is, /healthz fails within a minute."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest

from tests.cluster import Cluster, articles
from tests.workers import Worker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

# As a supervisor would be set: the worker says no after so long without progress.
STALL_S = "15"
WITHIN_S = 60.0
TIMES = 3


@pytest.mark.parametrize("time_number", range(1, TIMES + 1))
@pytest.mark.parametrize("what", ["model", "loop", "thread", "fetch"])
def test_liveness_fails(
    cluster: Cluster,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    *,
    what: str,
    time_number: int,
) -> None:
    """With articles waiting and none done, it is unhealthy, or answers no more, within 60 s."""
    request.getfixturevalue("monkeypatch").setenv("TEST_WEDGE", what)
    module = "tests.reliability.wedged_worker"
    with Worker(
        cluster.settings, tmp_path / "log", module=module, WORKER__STALL_S=STALL_S
    ) as worker:
        worker.wait_until_ready()
        cluster.publish(articles(20))
        cluster.outcomes(20)
        if what == "model":
            cluster.publish(articles(1, first=20, body="WEDGE"))
        else:
            worker.process.send_signal(signal.SIGUSR1)
            time.sleep(1)
            # The embedded broker says of a topic's end where its last batch begins.
            for number in range(20, 40):
                cluster.publish(articles(1, first=number))
        took = _until_it_fails(worker)
    with request.getfixturevalue("capsys").disabled():
        sys.stdout.write(f"\n{what} wedged, time {time_number}: unhealthy after {took:.1f} s\n")


def _until_it_fails(worker: Worker) -> float:
    """Ask as a supervisor does until the answer is no, or none comes; how many seconds it took."""
    begun = time.monotonic()
    while (seconds := time.monotonic() - begun) < WITHIN_S:
        try:
            if worker.get("/healthz")[0] == 503:
                return seconds
        except OSError:
            return seconds
        time.sleep(0.5)
    raise AssertionError(f"healthy for {WITHIN_S:g} s\n{worker.log}")
