"""The examples of the pages for producers and consumers, run as they stand there.

Those for kcat and kafkajs are skipped where these are not installed; kafkajs is found by NODE_PATH.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner

from service import samples
from service.contracts import Article, Model
from service.pipeline import label_article
from tests import examples
from tests.cluster import Cluster
from tests.conftest import StartWorker
from tests.dead_letters import consume
from tests.labellers import RuleLabeller
from tests.workers import Worker, environment

PUBLISHERS = ("publish_aiokafka.py", "publish_confluent.py", "publish_kcat.sh", "publish.js")
READERS = ("read_aiokafka.py", "read_confluent.py", "read_kcat.sh", "read.js")
GONE = "desk-4700"
PATIENCE_S = 300.0
# How long nothing must be printed before it is believed that nothing will be.
QUIET_S = 3.0

pytestmark = pytest.mark.timeout(900)


class Unsure(RuleLabeller):
    """A labeller under a threshold that none of its sentences reaches."""

    model = Model(name="rules", version="1", digest="sha256:rules", uncertain_below=1.0)


@pytest.fixture(autouse=True)
def _ctrl_c_works() -> Iterator[None]:
    """Children start with Ctrl-C in force, also where these tests run in a script's background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def run(cluster: Cluster, folder: Path, name: str, *arguments: str, stdin: str = "") -> list[str]:
    """Run an example to its end; what it printed."""
    examples.write_all(folder)
    done = subprocess.run(
        [*examples.command(name), *arguments],
        cwd=folder,
        env=examples.variables(folder, environment(cluster.settings)),
        input=stdin.encode(),
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()


def follow(
    cluster: Cluster, folder: Path, name: str, *arguments: str, until: Callable[[list[str]], bool]
) -> list[str]:
    """Run an example until it has printed enough and prints nothing more, then press Ctrl-C."""
    examples.write_all(folder)
    output, errors = folder / f"{name}.out", folder / f"{name}.err"
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(
            [*examples.command(name), *arguments],
            cwd=folder,
            env=examples.variables(folder, environment(cluster.settings)),
            stdout=out,
            stderr=err,
        )
        try:
            lines = _wait(process, output, errors, until)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0, errors.read_text()
        finally:
            process.kill()
            process.wait()
    assert output.read_text(encoding="utf-8").splitlines() == lines
    return lines


def _wait(
    process: subprocess.Popen[bytes], output: Path, errors: Path, until: Callable[[list[str]], bool]
) -> list[str]:
    deadline, quiet_since, lines = time.monotonic() + PATIENCE_S, time.monotonic(), []
    while time.monotonic() < deadline:
        assert process.poll() is None, errors.read_text()
        now = output.read_text(encoding="utf-8").splitlines()
        if now != lines or not until(now):
            lines, quiet_since = now, time.monotonic()
        elif time.monotonic() - quiet_since > QUIET_S:
            return lines
        time.sleep(0.05)
    raise AssertionError(f"only {lines}\n{errors.read_text()}")


@pytest.mark.parametrize("name", PUBLISHERS)
def test_publishing(cluster: Cluster, tmp_path: Path, name: str) -> None:
    """Each article arrives under its id, whole, with its trace; what is to go, as a tombstone."""
    printed = run(cluster, tmp_path, name, GONE, stdin=examples.article_lines())
    arrived = asyncio.run(consume(cluster, cluster.settings.topics.articles, 3))
    assert len(arrived) == 3
    records = {record.key.decode(): record for record in arrived}
    sent = {article["id"]: article for article in examples.articles()}
    assert records.keys() == sent.keys() | {GONE}
    for article_id, article in sent.items():
        record = records[article_id]
        assert json.loads(record.value) == article
        assert record.headers == (("traceparent", samples.TRACEPARENT.encode()),)
    assert records[GONE].value is None
    partitions = list(range(cluster.settings.topics.partitions))
    for record in arrived:
        # As Java's clients and aiokafka find it: versions of one article stay in order.
        assert record.partition == DefaultPartitioner()(record.key, partitions, partitions)
    if not name.endswith(".sh"):
        words = {
            key: "removed" if record.value is None else "is" for key, record in records.items()
        }
        assert sorted(printed) == sorted(
            f"{key} {words[key]} at {record.partition}:{record.offset}"
            for key, record in records.items()
        )


@pytest.mark.parametrize("name", PUBLISHERS)
def test_publishing_large_articles(cluster: Cluster, tmp_path: Path, name: str) -> None:
    """No client stops at its own limit: an article of more than 9 MiB arrives whole."""
    article = {"id": "large", "body": "Es regnete 🙂 in Köln. " * 370_000}
    run(cluster, tmp_path, name, stdin=json.dumps(article, ensure_ascii=False) + "\n")
    (record,) = asyncio.run(consume(cluster, cluster.settings.topics.articles, 1))
    assert len(record.value) > 9 * 1024 * 1024
    assert json.loads(record.value) == article


@pytest.fixture(scope="module")
def labelled(bootstrap_servers: str, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """A cluster where the page's articles were labelled by the small model, and more happened.

    They were published twice with the page's own example, an article was removed, one has
    uncertain sentences only, and one went back to an earlier text.
    """
    folder = tmp_path_factory.mktemp("labelled")
    cluster = Cluster(bootstrap_servers)
    cluster.create_topics()
    gone = {"id": GONE, "body": "It rained."}
    cluster.publish([(GONE.encode(), json.dumps(gone).encode())])
    for _ in range(2):
        run(cluster, folder, PUBLISHERS[0], GONE, stdin=examples.article_lines())
    small = Worker(
        cluster.settings, folder / "worker.log", module="tests.real_worker", MODEL__SIZE="small"
    )
    with small as worker:
        outcomes = cluster.outcomes(7, timeout_s=PATIENCE_S)
        assert worker.stop() == 0
    assert outcomes.dead_letters == []
    twice = [out.value for out in outcomes.claims if out.key == b"desk-4711"]
    assert len(twice) == 2
    assert len(set(twice)) == 1
    asyncio.run(_append(cluster))
    return cluster


async def _append(cluster: Cluster) -> None:
    """Write labelled articles that the released model would not give."""
    versions = [
        label_article(Article(id="desk-4714", body=body), Unsure())
        for body in ("It rained.", "It snowed.", "It rained.")
    ]
    assert versions[0].id == versions[2].id
    async with AIOKafkaProducer(
        bootstrap_servers=cluster.settings.kafka.bootstrap_servers, acks="all"
    ) as producer:
        for version in versions:
            await producer.send_and_wait(
                cluster.settings.topics.claims, version.to_json().encode(), key=b"desk-4714"
            )


def _by_article(lines: list[str]) -> dict[str, list[str]]:
    found = defaultdict(list)
    for line in lines:
        found[line.partition("\t")[0]].append(line)
    return dict(found)


@pytest.mark.parametrize("name", READERS)
def test_reading(labelled: Cluster, tmp_path: Path, name: str) -> None:
    """What the page shows is printed, once; what was removed is gone, and what came back counts."""
    shown = _by_article(examples.blocks("consumers.md", "text")[0].splitlines())
    rained, snowed = (f"desk-4714\tfact?\t-\tIt {what}." for what in ("rained", "snowed"))
    if name.endswith(".sh"):
        lines = run(labelled, tmp_path, name)
        assert _by_article(lines) == shown | {"desk-4714": [rained]}
        return
    expected = shown | {
        GONE: [f"{GONE}\tfact\t-\tIt rained.", f"{GONE}\tremoved"],
        "desk-4714": [rained, snowed, rained],
    }
    count = sum(map(len, expected.values()))
    lines = follow(labelled, tmp_path, name, until=lambda lines: len(lines) >= count)
    assert _by_article(lines) == expected


@pytest.mark.parametrize("name", [name for name in READERS if not name.endswith(".sh")])
def test_reading_on(cluster: Cluster, start_worker: StartWorker, tmp_path: Path, name: str) -> None:
    """Started again, a reader goes on where it had committed: nothing is missed or read again."""
    examples.command(name)  # skips before a worker is started
    start_worker(cluster.settings)
    for number in (1, 2):
        body = f"It rained {number} times."
        article = {"id": f"a-{number}", "body": body}
        cluster.publish([(article["id"].encode(), json.dumps(article).encode())])
        cluster.outcomes(number, timeout_s=PATIENCE_S)
        lines = follow(cluster, tmp_path, name, until=bool)
        assert lines == [f"a-{number}\tfact\t-\t{body}"]


@pytest.fixture
def refused(cluster: Cluster, start_worker: StartWorker) -> dict[str, str]:
    """Every value of the page's table refused by a worker; the line to be printed for each."""
    table = {f"refused-{n}": refusal for n, refusal in enumerate(examples.refusals())}
    start_worker(cluster.settings)
    places = cluster.publish([(key.encode(), one.value) for key, one in table.items()])
    outcomes = cluster.outcomes(len(table), timeout_s=PATIENCE_S)
    assert len(outcomes.dead_letters) == len(table)
    topic = cluster.settings.topics.articles
    return {
        key: f"{key}\t{one.stage}\t{one.message}\t{topic}:{partition}:{offset}"
        for (key, one), (partition, offset) in zip(table.items(), places, strict=True)
    }


def test_why_an_article_was_refused(
    cluster: Cluster, refused: dict[str, str], tmp_path: Path
) -> None:
    """Every refusal is told with its step, its message and its place; asked for one, only that."""
    name = "refused.py"
    lines = follow(cluster, tmp_path, name, until=lambda lines: len(lines) >= len(refused))
    assert sorted(lines) == sorted(refused.values())
    key = next(iter(refused))
    assert follow(cluster, tmp_path, name, key, until=bool) == [refused[key]]


def test_why_an_article_was_refused_by_kcat(
    cluster: Cluster, refused: dict[str, str], tmp_path: Path
) -> None:
    """The look at what is there now tells the same, without the place."""
    lines = run(cluster, tmp_path, "refused_kcat.sh")
    assert sorted(lines) == sorted(line.rpartition("\t")[0] for line in refused.values())
