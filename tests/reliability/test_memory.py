"""Memory of a worker over many articles, with the released small model: bounded, and no growth.

Slow: run with ``pytest -m slow -s tests/reliability/test_memory.py``. ``CLAIMSTREAM_TEST_ARTICLES``
sets another number of articles than 20,000.
"""

from __future__ import annotations

import json
import os
import sys
import time
from itertools import cycle
from pathlib import Path
from statistics import fmean

import psutil
import pytest

from service.bench.texts import Text, read_texts
from service.segmentation import segment
from tests.cluster import Cluster
from tests.workers import Worker

SEEDS = Path(__file__).resolve().parent.parent.parent / "seeds"
MEGABYTE = 10**6
MOST = 300 * MEGABYTE
# Between the second quarter of the articles and the last: what malloc keeps goes up and down.
MOST_GROWTH = 0.02
# One article in so many is a whole one, so that the longest windows come all the time.
WHOLE = 20
PIECE_SENTENCES = 2


def tell(line: str) -> None:
    """Show a figure to who runs slow tests with -s."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def pieces(text: Text) -> list[str]:
    """The text in pieces of a few sentences."""
    parts = segment(text.text)
    firsts = range(0, len(parts) - PIECE_SENTENCES + 1, PIECE_SENTENCES)
    return [text.text[parts[n].start : parts[n + PIECE_SENTENCES - 1].end] for n in firsts]


def material(count: int) -> list[tuple[bytes, bytes]]:
    """So many articles of the seeds' sentences; each has a text of its own."""
    texts = read_texts([SEEDS])
    whole, short = cycle(t.text for t in texts), cycle(p for t in texts for p in pieces(t))
    made = []
    for number in range(count):
        body = next(whole) if number % WHOLE == 0 else next(short)
        value = {"id": f"a{number}", "body": f"{body} This was number {number}."}
        made.append((f"a{number}".encode(), json.dumps(value).encode()))
    return made


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_memory_stays_where_it_is(bootstrap_servers: str, tmp_path: Path) -> None:
    """Under 300 MB over all the articles, and after the first quarter no more than before."""
    count = int(os.environ.get("CLAIMSTREAM_TEST_ARTICLES", "20000"))
    cluster = Cluster(bootstrap_servers)
    cluster.create_topics()
    cluster.publish(material(count))
    seen: list[tuple[float, int]] = []
    extra = {"MODEL__SIZE": "small", "MODEL__BACKEND": "onnx"}
    with Worker(
        cluster.settings, tmp_path / "worker.log", module="tests.real_worker", **extra
    ) as worker:
        worker.wait_until_ready()
        process = psutil.Process(worker.process.pid)
        done = 0.0
        while done < count:
            assert process.is_running(), worker.log
            time.sleep(1)
            done = worker.metric("claimstream_articles_done_total")
            seen.append((done, process.memory_info().rss))
            if len(seen) % 30 == 0:
                tell(f"{done:.0f} articles, {seen[-1][1] / MEGABYTE:.1f} MB")
        assert worker.metric("claimstream_articles_done_total", outcome="labelled") == count
        assert worker.stop() == 0
    quarters = [
        fmean(size for at, size in seen if low < at / count <= high)
        for low, high in ((0.25, 0.5), (0.75, 1.0))
    ]
    most = max(size for _, size in seen)
    tell(f"most {most / MEGABYTE:.1f} MB; by quarter {[q / MEGABYTE for q in quarters]}")
    assert most < MOST
    assert quarters[1] / quarters[0] - 1 < MOST_GROWTH
