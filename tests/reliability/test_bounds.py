"""What a worker has in hand is bounded, whatever waits before it and however slow what is behind.

The slow ones print their figures: ``pytest -m slow -s tests/reliability/test_bounds.py``.
``CLAIMSTREAM_TEST_BACKLOG`` sets another number of articles than 100,000.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiokafka.errors import MessageSizeTooLargeError, NotEnoughReplicasError

from service.broker import EmbeddedBroker
from tests.cluster import Cluster, articles
from tests.conftest import StartWorker
from tests.reliability.proxy import Kind, Proxy, Trouble
from tests.workers import Worker

MEGABYTE = 10**6
MEBIBYTE = 1024 * 1024
OVER_IDLE = 150 * MEGABYTE
FIVE = 5 * MEGABYTE
# A page is a tree for a while, and each sentence an object with scores.
OVER_IDLE_FOR = {"body": 200, "html": 1000}
SENTENCE = "The council said on Monday that the bridge would stay closed. "
BATCH, IN_FLIGHT = 4, 6
TAKING_NOTHING_S = 5.0


class OnceTooLarge(Proxy):
    """A broker that takes less than we think: it refuses the first records as too large."""

    has_refused = False

    def find(self, kind: Kind, client: str) -> Trouble | None:
        """The trouble, once."""
        if kind != "refuse records" or self.has_refused or client != "claimstream":
            return super().find(kind, client)
        self.has_refused = True
        return Trouble("refuse records", client, MessageSizeTooLargeError.errno)


@contextmanager
def behind(proxy: Proxy, folder: Path) -> Iterator[Cluster]:
    """Run a broker behind the proxy while the context lasts, with topics of one partition."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(work: Coroutine[Any, Any, object]) -> None:
        asyncio.run_coroutine_threadsafe(work, loop).result(60)

    try:
        run(proxy.__aenter__())
        with EmbeddedBroker(folder / "broker.log", advertised_port=proxy.port) as broker:
            proxy.upstream = "127.0.0.1", broker.port
            cluster = Cluster(f"127.0.0.1:{proxy.port}", partitions=1)
            cluster.create_topics()
            yield cluster
        run(proxy.__aexit__())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_what_the_broker_finds_too_large(tmp_path: Path, start_worker: StartWorker) -> None:
    """Where the broker takes less than our settings say, the article is a dead letter."""
    with behind(OnceTooLarge(), tmp_path) as cluster:
        places = cluster.publish(articles(3))
        worker = start_worker(cluster.settings)
        outcomes = cluster.outcomes(3)
        assert set(outcomes.by_source) == set(places)
        letters = outcomes.dead_letters
        assert letters
        assert {out.headers["__connect.errors.stage"] for out in letters} == {b"deliver"}
        assert all(b"too large" in o.headers["__connect.errors.exception.message"] for o in letters)
        assert worker.metric("claimstream_dead_letters_total", reason="too_large") == len(letters)
        assert outcomes.duplicates == 0
        assert worker.stop() == 0


def test_an_output_that_takes_nothing_for_a_while(
    tmp_path: Path, start_worker: StartWorker
) -> None:
    """What is in hand stays bounded, nothing is lost, and then all is as quick as before."""
    proxy = Proxy()
    with behind(proxy, tmp_path) as cluster:
        worker = start_worker(
            cluster.settings,
            WORKER__BATCH_ARTICLES=str(BATCH),
            WORKER__IN_FLIGHT_ARTICLES=str(IN_FLIGHT),
            WORKER__IN_FLIGHT_BYTES=str(MEBIBYTE),
        ).wait_until_ready()
        before = _seconds_for(cluster, 0)
        process = psutil.Process(worker.process.pid)
        with proxy.trouble(
            "refuse records", cluster.settings.kafka.client_id, NotEnoughReplicasError.errno
        ):
            places = cluster.publish(articles(60, first=1, body="word " * 20_000))
            seen, memory = _watch(worker, process, TAKING_NOTHING_S)
        assert proxy.counts["refused"] > 1
        # What was taken with the first that found no room; and a fetch that had begun.
        assert 0 < max(seen["claimstream_in_flight_articles"]) <= IN_FLIGHT + BATCH
        assert 0 < max(seen["claimstream_fetched_bytes"]) <= 2 * MEBIBYTE
        assert max(memory) - memory[0] < 50 * MEBIBYTE
        outcomes = cluster.outcomes(61, timeout_s=120)
        assert set(places) < set(outcomes.by_source)
        assert (outcomes.dead_letters, outcomes.duplicates) == ([], 0)
        after = _seconds_for(cluster, 61)
        assert after < before + 5
        assert worker.metric("claimstream_in_flight_articles") == 0
        assert worker.stop() == 0


@pytest.mark.parametrize(("wait_s", "least", "most"), [("0.05", 6, 1000), ("20", 0, 3)])
def test_how_long_the_broker_may_hold_a_fetch(
    tmp_path: Path, start_worker: StartWorker, wait_s: str, least: int, most: int
) -> None:
    """A worker with nothing to do asks again when that time is over, and not before."""
    proxy = Proxy()
    with behind(proxy, tmp_path) as cluster:
        worker = start_worker(cluster.settings, KAFKA__FETCH_WAIT_S=wait_s).wait_until_ready()
        time.sleep(1)
        before = proxy.counts["fetches"]
        time.sleep(3)
        assert least <= proxy.counts["fetches"] - before <= most
        assert worker.stop() == 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_backlog_of_a_hundred_thousand(cluster: Cluster, start_worker: StartWorker) -> None:
    """However many articles wait, memory stays within 150 MB of that of a worker without work."""
    count = int(os.environ.get("CLAIMSTREAM_TEST_BACKLOG", "100000"))
    idle = _idle(start_worker(cluster.settings))
    for first in range(0, count, 10_000):
        cluster.publish(articles(min(10_000, count - first), first=first, body=SENTENCE * 10))
    worker = start_worker(cluster.settings)
    worker.wait_for("/healthz", 200)
    process = psutil.Process(worker.process.pid)
    started, curve, done = time.monotonic(), [process.memory_info().rss], 0.0
    shown = 0
    while done < count:
        time.sleep(0.5)
        done = worker.metric("claimstream_articles_done_total")
        curve.append(process.memory_info().rss)
        if done >= shown:
            _show(f"{done:>8.0f} articles: {(curve[-1] - idle) / MEGABYTE:+.1f} MB over idle")
            shown += count // 10
    seconds = time.monotonic() - started
    _show(f"idle {idle / MEGABYTE:.1f} MB, most {max(curve) / MEGABYTE:.1f} MB, {seconds:.0f} s")
    assert max(curve) - idle < OVER_IDLE
    assert worker.metric("claimstream_articles_done_total", outcome="labelled") == count
    assert worker.stop() == 0
    assert sum(cluster.committed().values()) == count


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["body", "html"])
def test_articles_of_five_megabytes(cluster: Cluster, start_worker: StartWorker, kind: str) -> None:
    """Two in a row take no more than is known of such, and the worker lives on."""
    worker = start_worker(cluster.settings)
    worker.wait_until_ready()
    process = psutil.Process(worker.process.pid)
    idle, most = process.memory_info().rss, []
    for number in range(2):
        cluster.publish([_large(kind, number)])
        peak = 0
        while _done(worker) <= number:
            peak = max(peak, process.memory_info().rss)
            time.sleep(0.05)
        most.append(peak)
    shown = [f"{(peak - idle) / MEGABYTE:.0f}" for peak in most]
    labelled = worker.metric("claimstream_articles_done_total", outcome="labelled")
    _show(
        f"{kind}: idle {idle / MEGABYTE:.0f} MB; over it {shown} MB; {labelled:.0f} of 2 labelled"
    )
    assert max(most) - idle < OVER_IDLE_FOR[kind] * MEGABYTE
    worker.wait_for("/healthz", 200)
    assert worker.stop() == 0


def _done(worker: Worker) -> float:
    """How many records are done; one who is asked while a page is read may not answer in time."""
    with suppress(OSError):
        return worker.metric("claimstream_articles_done_total")
    return 0


def _large(kind: str, number: int) -> tuple[bytes, bytes]:
    """An article of 5 MB: one sentence without an end, or a page of many."""
    text = {
        "body": "word " * (FIVE // 5),
        "html": "".join(f"<p>{n} {SENTENCE * 3}</p>" for n in range(FIVE // 200)),
    }[kind]
    field = "html" if kind == "html" else "body"
    return f"a{number}".encode(), json.dumps({"id": f"a{number}", field: text}).encode()


def _idle(worker: Worker) -> int:
    """Memory of a worker that has nothing to do, in bytes; it is stopped then."""
    worker.wait_until_ready()
    time.sleep(2)
    size = int(psutil.Process(worker.process.pid).memory_info().rss)
    assert worker.stop() == 0
    return size


def _watch(
    worker: Worker, process: psutil.Process, seconds: float
) -> tuple[dict[str, list[float]], list[int]]:
    """Look at what is in hand, and at memory in bytes, for so long."""
    seen: dict[str, list[float]] = {
        "claimstream_in_flight_articles": [],
        "claimstream_fetched_bytes": [],
    }
    memory = [process.memory_info().rss]
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for name, values in seen.items():
            values.append(worker.metric(name))
        memory.append(process.memory_info().rss)
        time.sleep(0.1)
    return seen, memory


def _seconds_for(cluster: Cluster, number: int) -> float:
    """How long one more article takes, from publishing to reading it with all before it."""
    started = time.monotonic()
    cluster.publish(articles(1, first=number))
    cluster.outcomes(number + 1, timeout_s=120)
    return time.monotonic() - started


def _show(line: str) -> None:
    """Print a figure: the test is run for it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
