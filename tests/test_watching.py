"""Following the labelled topic, against a real broker."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import aclosing
from pathlib import Path

from service.broker import EmbeddedBroker
from service.watching import follow
from tests.cluster import Cluster


def test_it_can_be_left_while_the_broker_hangs(tmp_path: Path) -> None:
    """Cancelled while the broker says nothing, it ends soon, and with that cancellation alone."""

    async def watch(cluster: Cluster) -> None:
        async with aclosing(follow(cluster.settings, from_start=True)) as arrivals:
            async for _ in arrivals:
                raise AssertionError("nothing was published")

    async def run(broker: EmbeddedBroker, cluster: Cluster) -> None:
        watching = asyncio.create_task(watch(cluster))
        await asyncio.sleep(1)
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(0.2)
            watching.cancel()
            done, _ = await asyncio.wait({watching}, timeout=60)
            assert done
            assert watching.cancelled()
        finally:
            os.kill(broker.pid, signal.SIGCONT)

    with EmbeddedBroker(log=tmp_path / "broker.log") as broker:
        cluster = Cluster(broker.bootstrap_servers)
        cluster.create_topics()
        asyncio.run(run(broker, cluster))


def test_it_can_be_left_as_soon_as_it_has_begun(cluster: Cluster) -> None:
    """Cancelled while it connects or just after, it leaves no connection open, nor an error."""

    async def run() -> None:
        for pause_s in (0, 0.001, 0.01, 0.1):

            async def watch() -> None:
                async with aclosing(follow(cluster.settings, from_start=False)) as arrivals:
                    async for _ in arrivals:
                        pass

            watching = asyncio.create_task(watch())
            await asyncio.sleep(pause_s)
            watching.cancel()
            done, _ = await asyncio.wait({watching}, timeout=60)
            assert done
            assert watching.cancelled()

    asyncio.run(run())
