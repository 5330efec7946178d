"""Replaying dead letters from the command line, against a real broker: each exactly once."""

import asyncio
import os
import pty
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from service.broker import EmbeddedBroker
from service.deadletters import PREFIX
from service.dlq import replaying
from service.dlq.marks import REPLAYED
from tests.cluster import Cluster, articles
from tests.conftest import StartWorker
from tests.dead_letters import OWN, Bytes, bury, dlq, replayed
from tests.workers import environment

ROOT = Path(__file__).parent.parent.parent
COUNT = 300


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replays in this process wait less for what may be on its way; those in their own do not."""
    monkeypatch.setattr(replaying, "SETTLE_S", 0.2)


def start(cluster: Cluster, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    """Start a replay in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "service", "dlq", "replay", "--yes", *arguments],
        cwd=ROOT,
        env=os.environ | environment(cluster.settings) | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def wait_for_replayed(cluster: Cluster, count: int, process: subprocess.Popen[str]) -> None:
    """Wait until so many records are in the articles topic, or the process has ended."""
    async with AIOKafkaConsumer(
        bootstrap_servers=cluster.settings.kafka.bootstrap_servers, auto_offset_reset="earliest"
    ) as consumer:
        topic = cluster.settings.topics.articles
        consumer.assign([TopicPartition(topic, n) for n in range(4)])
        seen = 0
        while seen < count and process.poll() is None:
            found = await consumer.getmany(timeout_ms=10)
            seen += sum(map(len, found.values()))


def test_a_replay_that_is_killed_again_and_again(cluster: Cluster) -> None:
    """Killed at any moment and given again until it ends, it sends every article exactly once."""
    buried = bury(cluster, articles(COUNT))
    rng = random.Random(5)
    cut_off = 0
    for count in [0, 0, *sorted(rng.sample(range(1, COUNT - 100), 6))]:
        process = start(cluster, "--rate", "100")
        if count:
            asyncio.run(wait_for_replayed(cluster, count, process))
            time.sleep(rng.uniform(0, 0.02))
        else:
            time.sleep(rng.uniform(0, 4))
        process.kill()
        process.communicate()
        cut_off += process.returncode == -signal.SIGKILL
    assert cut_off == 8
    last = start(cluster, "--rate", "100")
    out, err = last.communicate(timeout=60)
    assert (last.returncode, err) == (0, "")
    sent, already = [int(word) for word in out.split() if word.isdigit()]
    assert sent + already == COUNT
    assert already > 0
    arrived = replayed(cluster, COUNT)
    assert Counter(record.key for record in arrived) == Counter(one.key for one in buried)
    again = dlq(cluster, "replay", "--yes")
    assert again.stdout == f"dead letters: 0 replayed, {COUNT} already replayed\n"
    assert len(replayed(cluster, COUNT)) == COUNT


def test_the_original_comes_back(cluster: Cluster) -> None:
    """Key, bytes, partition and the producer's own headers are as they were, and it is marked."""
    dead: list[Bytes] = [*articles(5), (b"gone", None), (None, None), (None, b"x"), (b"", b"\xff")]
    buried = {one.offset: one for one in bury(cluster, dead)}
    result = dlq(cluster, "replay", "--yes")
    assert result.stdout == "dead letters: 9 replayed, 0 already replayed\n"
    topic = cluster.settings.topics.dead_letters
    places = {n: f"{topic}:{n // 2 % 4}" for n in buried}
    arrived = replayed(cluster, 9)
    assert len(arrived) == 9
    for record in arrived:
        *own, (name, mark) = record.headers
        assert (own, name) == (OWN, REPLAYED)
        (original,) = (
            one
            for n, one in buried.items()
            if (one.key, one.value, one.partition) == (record.key, record.value, record.partition)
            and mark.decode().startswith(f"{places[n]}:")
        )
        assert record.timestamp >= (original.timestamp_ms or 0)


def test_a_second_replay_sends_nothing_again(cluster: Cluster) -> None:
    """Whatever the filters of either were; --again sends all the same."""
    bury(cluster, articles(10))
    first = dlq(cluster, "replay", "--yes", "--stage", "infer")
    assert first.stdout == "dead letters: 5 replayed, 0 already replayed\n"
    assert "already replayed: 5" in dlq(cluster, "replay", "--dry-run").stdout
    second = dlq(cluster, "replay", "--yes", "--limit", "6")
    assert second.stdout == "dead letters: 3 replayed, 3 already replayed\n"
    again = dlq(cluster, "replay", "--yes", "--again", "--stage", "infer")
    assert again.stdout == "dead letters: 5 replayed, 0 already replayed\n"
    keys = Counter(record.key for record in replayed(cluster, 13))
    assert sorted(keys.values()) == [1, 1, 1, 2, 2, 2, 2, 2]


def test_another_topic_is_another_replay(cluster: Cluster) -> None:
    """Sent elsewhere with --to, a dead letter may still go back to where it came from."""
    bury(cluster, articles(4))
    claims = cluster.settings.topics.claims
    for options in (["--to", claims], [], ["--to", claims]):
        result = dlq(cluster, "replay", "--yes", *options)
        assert result.exit_code == 0
    assert result.stdout == "dead letters: 0 replayed, 4 already replayed\n"
    assert {record.key for record in replayed(cluster, 4, claims)} == {k for k, _ in articles(4)}
    assert len(replayed(cluster, 4)) == 4


def test_one_that_does_not_say_where_it_came_from(cluster: Cluster) -> None:
    """It is told and left, with exit code 1, and the others are replayed; --to takes it too."""
    bury(cluster, [(b"lost", b"x")], topic="")
    bury(cluster, articles(2))
    result = dlq(cluster, "replay", "--yes")
    assert (result.exit_code, result.stdout.split()[2]) == (1, "2")
    assert result.stderr == "claimstream: 0:0 does not say where it came from: give --to\n"
    moved = dlq(cluster, "replay", "--yes", "--key", "lost", "--to", cluster.settings.topics.claims)
    assert (moved.exit_code, moved.stdout.split()[2]) == (0, "1")


def test_what_the_producer_may_not_send_is_told(cluster: Cluster) -> None:
    """A record over the limit is named with exit code 1, and the others are replayed."""
    bury(cluster, [(b"large", b"x" * 300_000), *articles(2)])
    result = dlq(cluster, "replay", "--yes", CLAIMSTREAM_KAFKA__MAX_RECORD_BYTES="1000")
    assert result.exit_code == 1
    assert result.stdout == "dead letters: 2 replayed, 0 already replayed, 1 not\n"
    assert result.stderr == "claimstream: 0:0: 300005 bytes are more than may be sent\n"


@pytest.mark.parametrize("answer", ["y", "n"])
def test_a_terminal_is_asked(cluster: Cluster, answer: str) -> None:
    """Before anything is sent the operator says yes, or nothing is sent and the exit code is 1."""
    bury(cluster, articles(3))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "dlq", "replay"],
        cwd=ROOT,
        env=os.environ | environment(cluster.settings),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.write(ours, f"{answer}\n".encode())
    out, err = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert f"Replay 3 to {cluster.settings.topics.articles} (0 already replayed)?" in err
    if answer == "y":
        assert (process.returncode, len(replayed(cluster, 3))) == (0, 3)
    else:
        assert (process.returncode, out.strip(), replayed(cluster, 0)) == (1, "", [])
        assert "nothing was replayed" in err


def test_the_broker_vanishes(tmp_path: Path) -> None:
    """In the middle of a replay: one line with how far it came, exit code 1, within seconds."""
    with EmbeddedBroker(log=tmp_path / "broker.log") as broker:
        cluster = Cluster(broker.bootstrap_servers)
        cluster.create_topics()
        bury(cluster, articles(COUNT))
        process = start(cluster, "--rate", "50", CLAIMSTREAM_KAFKA__REQUEST_TIMEOUT_S="2")
        asyncio.run(wait_for_replayed(cluster, 20, process))
        os.kill(broker.pid, signal.SIGKILL)
        started = time.monotonic()
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert time.monotonic() - started < 15
    assert err.startswith("claimstream: ")
    assert err.count("\n") == 1
    assert f" of {COUNT} replayed: give the same command again for the rest" in err


def test_what_fails_again_is_another_dead_letter(
    cluster: Cluster, start_worker: StartWorker
) -> None:
    """The worker reads what is replayed; what it cannot label becomes a dead letter of its own."""
    worker = start_worker(cluster.settings)
    cluster.publish([(b"bad", b"rubbish")], dict(OWN))
    cluster.outcomes(1)
    for count in (1, 2):
        result = dlq(cluster, "replay", "--yes")
        assert result.stdout == f"dead letters: 1 replayed, {count - 1} already replayed\n"
        dead = replayed(cluster, count + 1, cluster.settings.topics.dead_letters)
    assert worker.stop() == 0
    offsets = [dict(record.headers)[f"{PREFIX}offset"] for record in dead]
    assert offsets == [b"0", b"1", b"2"]
    marks = [dict(record.headers).get(REPLAYED, b"").rpartition(b":")[2] for record in dead]
    assert marks == [b"", b"0", b"1"]
