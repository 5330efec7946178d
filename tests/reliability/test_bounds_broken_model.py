"""A model that is broken for ten minutes: what becomes of the stream meanwhile, and after."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from tests.cluster import Cluster, articles
from tests.conftest import StartWorker

# How long the model is broken, and how many articles come meanwhile, one each second.
BROKEN_S = float(os.environ.get("CLAIMSTREAM_TEST_BROKEN_S", "600"))
MOST_DEAD = 100


@pytest.mark.slow
@pytest.mark.timeout(BROKEN_S + 900)
def test_ten_minutes_without_a_model(
    cluster: Cluster, start_worker: StartWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the settings of production the breaker holds all, and lets go by itself."""
    file = tmp_path / "broken"
    monkeypatch.setenv("TEST_BROKEN_WHILE", str(file))
    worker = start_worker(cluster.settings)
    before = cluster.publish(articles(50))
    assert len(cluster.outcomes(50).claims) == 50
    until = time.monotonic() + 60
    while sum(cluster.committed().values()) < 50:
        assert time.monotonic() < until
    file.touch()
    places, number = list(before), 50
    until = time.monotonic() + BROKEN_S
    while time.monotonic() < until:
        places += cluster.publish(articles(5, first=number))
        number += 5
        time.sleep(5)
        assert worker.get("/healthz")[0] == 200
        assert sum(cluster.committed().values()) == 50
    assert worker.metric("claimstream_breaker_open") == 1
    assert worker.metric("claimstream_breaker_openings_total") == 1
    dead = worker.metric("claimstream_dead_letters_total")
    assert dead <= MOST_DEAD
    file.unlink()
    mended = time.monotonic()
    outcomes = cluster.outcomes(number, timeout_s=300)
    _show(
        f"{number - 50} articles in {BROKEN_S:.0f} s without a model: {dead:.0f} dead letters, "
        f"{outcomes.duplicates} duplicates, all labelled {time.monotonic() - mended:.0f} s after"
    )
    assert set(outcomes.by_source) == set(places)
    assert (outcomes.dead_letters, outcomes.duplicates) == ([], 0)
    worker.wait_for("/readyz", 200)
    assert worker.metric("claimstream_breaker_openings_total") == 1
    assert worker.stop() == 0
    assert sum(cluster.committed().values()) == number


def _show(line: str) -> None:
    """Print a figure: the test is run for it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
