"""The measurement of the stream from the command line: real broker, real workers."""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from service.bench.results import StreamReport
from service.bench.streaming import StreamDurations
from service.kafka import admin_client
from service.settings import KafkaSettings
from tests.bench.articles import TEXTS
from tests.test_cli import ROOT, assert_one_clear_line, claimstream

pytestmark = pytest.mark.timeout(1800)
# Real workers with the real model, started again and again: a minute of processor time.
measures = pytest.mark.slow


def test_the_time_is_divided() -> None:
    """Rounds of stream and labeller, and four loads, take the seconds that there are."""
    durations = StreamDurations(100, rounds=5)
    assert durations.part_s * 2 * 5 + durations.load_s * 4 == pytest.approx(100)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, bootstrap_servers: str) -> StreamReport:
    """``bench stream`` with one and with two workers, measured as shortly as it goes."""
    file = tmp_path_factory.mktemp("bench") / "articles.jsonl"
    file.write_text("\n".join(json.dumps({"id": t.name, "body": t.text}) for t in TEXTS))
    done = subprocess.run(
        [
            *[sys.executable, "-m", "service", "bench", "stream", str(file), "--size", "small"],
            *["--quick", "--minutes", "0.05", "--json", "--bootstrap-servers", bootstrap_servers],
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return StreamReport.model_validate_json(done.stdout)


@measures
def test_rates_beside_the_labeller_alone(measured: StreamReport) -> None:
    """One and two workers; the ratio is to the labeller on as many cores as they have."""
    assert [one.workers for one in measured.streams] == [1, 2]
    for one in measured.streams:
        assert one.rounds == 2
        assert one.articles >= one.workers
        assert 0 < one.lowest <= one.sentences_per_s <= one.highest
        assert one.ratio == pytest.approx(
            one.sentences_per_s / one.alone_sentences_per_s / one.worker_cores
        )
        assert one.against_one == pytest.approx(
            one.sentences_per_s / measured.streams[0].sentences_per_s
        )


@measures
def test_latency_at_four_rates(measured: StreamReport) -> None:
    """Each rate is its share of what the stream was measured to take."""
    per_article = sum(text.sentences for text in TEXTS) / len(TEXTS)
    for stream in measured.streams:
        assert [one.load for one in stream.latency] == [0.25, 0.5, 0.75, 0.9]
        for one in stream.latency:
            assert one.articles_per_s == pytest.approx(
                one.load * stream.sentences_per_s / per_article
            )
            assert one.articles >= 5
            assert one.ms.p50 is not None
            assert one.ms.p50 > 0
            assert one.own.p50 is not None
            assert one.own.p50 > 0.5  # nothing comes out sooner than it can be labelled


@measures
def test_it_says_where_everything_ran(measured: StreamReport) -> None:
    """Which cores, or that nothing was pinned; and that workers share a core where they do."""
    assert measured.pinning
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    assert ("not pinned" in measured.pinning) == (cores < 2)
    assert [one.shares_cores for one in measured.streams] == [False, cores == 2]
    if cores == 2:
        assert any("2 workers, broker and load share 2 cores" in note for note in measured.notes)


@measures
def test_it_says_what_the_parts_took(measured: StreamReport) -> None:
    """Processor time of workers and load, and memory; not of a broker that is not its own."""
    cores = os.cpu_count() or 1
    for one in measured.streams:
        assert one.busy.workers is not None
        assert one.busy.load is not None
        assert 0 < one.busy.workers <= cores
        assert 0 < one.busy.load <= cores
        assert one.busy.broker is None
        assert one.resident_mb is not None
        assert one.resident_mb > 50


@measures
def test_its_topics_are_gone(measured: StreamReport, bootstrap_servers: str) -> None:
    """What it made on the cluster it has removed."""
    assert measured.streams

    async def names() -> list[str]:
        async with admin_client(KafkaSettings(bootstrap_servers=bootstrap_servers)) as client:
            return [str(topic["topic"]) for topic in await client.describe_topics()]

    assert not [name for name in asyncio.run(names()) if name.startswith("claimstream-bench-")]


def test_with_a_broker_of_its_own(tmp_path: Path) -> None:
    """Without a cluster it starts the embedded broker; the tables are shown, nothing is left."""
    (tmp_path / "a.txt").write_text(TEXTS[0].text)
    with subprocess.Popen(
        [
            *[sys.executable, "-m", "service", "bench", "stream", str(tmp_path / "a.txt")],
            *["--size", "small", "--quick", "--minutes", "0.02", "--workers", "1"],
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as bench:
        family: set[psutil.Process] = set()
        while bench.poll() is None:
            family |= set(psutil.Process(bench.pid).children(recursive=True))
            time.sleep(0.3)
        output, errors = bench.communicate()
    assert bench.returncode == 0, errors
    assert len(family) >= 3  # the broker, the worker, the labeller alone
    assert not psutil.wait_procs(list(family), timeout=60)[1]
    assert "broker: embedded" in output
    for words in ("From topic to topic", "From due to be published to labelled", "90%"):
        assert words in output


def test_an_unreachable_broker_is_wrong_use(tmp_path: Path) -> None:
    """Nobody listens there: one line, exit code 2."""
    (tmp_path / "a.txt").write_text(TEXTS[0].text)
    result = claimstream(
        "bench", "stream", str(tmp_path / "a.txt"), "--size", "small",
        "--bootstrap-servers", "127.0.0.1:1",
    )  # fmt: skip
    assert_one_clear_line(result, 2, "127.0.0.1:1")


def test_only_one_size_at_a_time() -> None:
    """Both sizes together are for the labeller's measurement."""
    result = claimstream("bench", "stream", "--size", "both")
    assert_one_clear_line(result, 2, "one --size at a time")
