"""A topic with another number of partitions than we think, and one that gets more of them."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from service.broker import EmbeddedBroker
from tests.cluster import Cluster, articles
from tests.conftest import StartWorker
from tests.reliability.hiding import HidingProxy

# A consumer asks for the cluster's metadata that often, and then its group has to be formed anew.
REFRESH_S = 300.0
REBALANCE_S = 60.0
FEW, MANY = 2, 4


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_partitions_that_are_added(tmp_path: Path, start_worker: StartWorker) -> None:
    """They are read within five minutes and a rebalance, from their first record on."""
    if os.environ.get("CLAIMSTREAM_TEST_BOOTSTRAP"):
        pytest.skip("the proxy needs a broker that advertises its address")

    async def run() -> None:
        async with HidingProxy(shown=FEW) as proxy:
            with EmbeddedBroker(tmp_path / "broker.log", advertised_port=proxy.port) as broker:
                proxy.upstream = "127.0.0.1", broker.port
                await asyncio.to_thread(_follow, proxy, start_worker)

    asyncio.run(run())


def _follow(proxy: HidingProxy, start_worker: StartWorker) -> None:
    cluster = Cluster(f"127.0.0.1:{proxy.port}", partitions=MANY)
    cluster.create_topics()
    worker = start_worker(cluster.settings).wait_until_ready()
    # Fewer than the settings say is no fault: the worker reads what there is.
    assert worker.metric("claimstream_assigned_partitions") == FEW
    places = cluster.publish(articles(40))
    assert {partition for partition, _ in places} == set(range(FEW))
    until = time.monotonic() + 120
    while worker.metric("claimstream_articles_done_total") < 40:
        assert time.monotonic() < until, worker.log
        time.sleep(0.2)
    proxy.shown = MANY
    added = time.monotonic()
    places += cluster.publish(articles(40, first=40))
    assert {partition for partition, _ in places} == set(range(MANY))
    while worker.metric("claimstream_assigned_partitions") < MANY:
        assert time.monotonic() < added + REFRESH_S + REBALANCE_S, worker.log
        time.sleep(0.5)
    seconds = time.monotonic() - added
    outcomes = cluster.outcomes(80, timeout_s=120)
    sys.stdout.write(f"{MANY - FEW} partitions more: read {seconds:.0f} s after\n")
    assert set(outcomes.by_source) == set(places)
    assert outcomes.dead_letters == []
    assert outcomes.duplicates == 0
    assert worker.stop() == 0
