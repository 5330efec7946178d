"""A book through a worker with the released small model: linear, bounded, and the worker lives on.

Slow, and its figures are those of a quiet machine:
``pytest -m slow -s tests/reliability/test_long_article.py``.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from service.bench.texts import read_texts, with_words
from tests.cluster import Cluster
from tests.workers import Worker

SEEDS = Path(__file__).resolve().parent.parent.parent / "seeds"
MEGABYTE = 10**6
# The short one before and after, for machines change their pace.
LENGTHS = (10_000, 100_000, 10_000)
# Of the labeller's time a word, the longer beside the shorter.
TOLERANCE = 0.10
MOST = 450 * MEGABYTE
# Of an answer to whoever asks; the event loop itself is looked at by its timers.
MOST_ANSWER_S = 1.0


class Watch:
    """What somebody sees who asks a worker for its health all the time."""

    def __init__(self, worker: Worker) -> None:
        """Begin to ask in a thread."""
        self._worker = worker
        self._process = psutil.Process(worker.process.pid)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.slowest_s = 0.0
        self.most = 0
        self.unwell: list[str] = []

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._is_over.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._is_over.is_set():
            start = time.monotonic()
            status, body = self._worker.get("/healthz")
            self.slowest_s = max(self.slowest_s, time.monotonic() - start)
            self.most = max(self.most, self._process.memory_info().rss)
            if status != 200:
                self.unwell.append(body)
            time.sleep(0.01)


@contextmanager
def watching(worker: Worker) -> Iterator[Watch]:
    """Watch a worker while the context lasts."""
    watch = Watch(worker)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()


def tell(line: str) -> None:
    """Show a figure to who runs slow tests with -s."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def late_timers(worker: Worker) -> Counter[str]:
    """How many of the event loop's timers were late by so many seconds at most."""
    name = "claimstream_event_loop_lag_seconds_bucket"
    bounds = ("0.001", "0.005", "0.01", "0.05", "0.1", "+Inf")
    return Counter({bound: int(worker.metric(name, le=bound)) for bound in bounds})


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_book_is_labelled_in_time_proportional_to_its_length(
    bootstrap_servers: str, tmp_path: Path
) -> None:
    """100,000 words take ten times as long as 10,000; meanwhile the worker stays in its group."""
    cluster = Cluster(bootstrap_servers, partitions=1)
    cluster.create_topics()
    texts = read_texts([SEEDS])
    extra = {"MODEL__SIZE": "small", "MODEL__BACKEND": "onnx"}
    module = "tests.reliability.ticking_worker"
    seconds_a_word = []
    with Worker(cluster.settings, tmp_path / "worker.log", module=module, **extra) as worker:
        worker.wait_until_ready()
        begun = late_timers(worker)
        process = psutil.Process(worker.process.pid)
        with watching(worker) as watch:
            for number, words in enumerate(LENGTHS, 1):
                then = process.cpu_times()
                value = {"id": f"a{words}", "body": with_words(texts, words)}
                cluster.publish([(b"key", json.dumps(value).encode())])
                while worker.metric("claimstream_articles_done_total") < number:
                    assert process.is_running(), worker.log
                    time.sleep(0.2)
                now = process.cpu_times()
                took = now.user + now.system - then.user - then.system
                seconds_a_word.append(took / words)
                tell(f"{words} words: {took:.1f} s of processor time")
        late = late_timers(worker) - begun
        tell(f"slowest answer {watch.slowest_s * 1000:.0f} ms, most {watch.most / MEGABYTE:.0f} MB")
        tell(f"timers late by at most so many seconds: {late}")
        assert watch.unwell == []
        # The session lasts 6 s, each of the two far longer: heartbeats went on.
        assert worker.metric("claimstream_rebalances_total") == 1
        assert worker.metric("claimstream_articles_done_total", outcome="labelled") == len(LENGTHS)
        assert worker.stop() == 0
    before, book, after = seconds_a_word
    assert book / ((before + after) / 2) == pytest.approx(1, abs=TOLERANCE)
    assert watch.most < MOST
    assert watch.slowest_s < MOST_ANSWER_S
    assert late["0.05"] == late["+Inf"]
