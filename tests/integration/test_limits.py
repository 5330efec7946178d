"""What a worker holds in memory is bounded, however much waits for it."""

import time

import psutil

from tests.cluster import Cluster, articles
from tests.conftest import StartWorker

MEBIBYTE = 1024 * 1024
COUNT = 30


def test_bytes_in_flight_are_bounded(bootstrap_servers: str, start_worker: StartWorker) -> None:
    """A backlog of 15 MB is fetched a little at a time, and memory does not grow with it."""
    cluster = Cluster(bootstrap_servers, partitions=1)
    cluster.create_topics()
    body = "SLEEP 0.05 " + "word " * (MEBIBYTE // 10)
    places = cluster.publish(articles(COUNT, body=body))
    worker = start_worker(cluster.settings, WORKER__IN_FLIGHT_BYTES=str(MEBIBYTE))
    worker.wait_for("/healthz", 200)
    process = psutil.Process(worker.process.pid)
    fetched, memory = [0.0], [process.memory_info().rss]
    deadline = time.monotonic() + 240
    while worker.metric("claimstream_articles_done_total") < COUNT:
        assert time.monotonic() < deadline, worker.log
        fetched.append(worker.metric("claimstream_fetched_bytes"))
        memory.append(process.memory_info().rss)
        time.sleep(0.02)
    # A fetch that is begun just under the limit brings one article: more than a fetch may be.
    assert 0 < max(fetched) <= MEBIBYTE + len(body) + 1000
    assert memory[-1] - min(memory[len(memory) // 4 :]) < 20 * MEBIBYTE
    outcomes = cluster.outcomes(COUNT, timeout_s=120)
    assert set(outcomes.by_source) == set(places)
    assert outcomes.dead_letters == []
    assert worker.stop() == 0
