"""`claimstream compare --topics` on what two groups of workers left, against a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner, Result

from service.cli import app
from service.comparing.results import Coverage, Report
from tests.cluster import Cluster
from tests.comparing.samples import BODY, OtherLabeller, labelled
from tests.workers import environment


def compare(cluster: Cluster, *arguments: str) -> Result:
    """Run the command on the topics of claims (A) and of dead letters (B), for want of a third."""
    topics = cluster.settings.topics
    return CliRunner().invoke(
        app,
        ["compare", "--topics", topics.claims, topics.dead_letters, *arguments],
        env=environment(cluster.settings),
        catch_exceptions=False,
    )


def write(cluster: Cluster, topic: str, records: Iterable[tuple[str, bytes | None]]) -> None:
    """Write records, those of a key to one partition."""

    async def run() -> None:
        async with AIOKafkaProducer(
            bootstrap_servers=cluster.settings.kafka.bootstrap_servers, acks="all"
        ) as producer:
            for key, value in records:
                await producer.send_and_wait(topic, value, key=key.encode())

    asyncio.run(run())


def test_two_topics_are_compared(cluster: Cluster) -> None:
    """The same id and text are compared, the newest of each; all else is counted."""
    topics = cluster.settings.topics

    def a(name: str, body: str = BODY) -> tuple[str, bytes]:
        return name, labelled(name, body).to_json().encode()

    def b(name: str, body: str = BODY) -> tuple[str, bytes]:
        return name, labelled(name, body, OtherLabeller).to_json().encode()

    first = "It rained. We should go."
    write(
        cluster,
        topics.claims,
        [
            *(a(f"both-{n}") for n in range(6)),
            *(a("versions", text) for text in (first, BODY, first)),
            a("changed", first),
            a("withdrawn"),
            ("withdrawn", None),
            a("only-a"),
            ("rubbish", b"rubbish"),
        ],
    )
    write(
        cluster,
        topics.dead_letters,
        [
            a("both-0"),  # labelled by the old model first
            *(b(f"both-{n}") for n in range(6)),
            b("versions"),
            b("changed"),
            b("withdrawn"),
            b("only-b"),
        ],
    )
    result = compare(cluster, "--json", "--show", "3")
    assert (result.exit_code, result.stderr) == (0, "")
    report = Report.model_validate_json(result.stdout)
    assert report.articles == Coverage(
        compared=7, of_other_text=1, only_in_a=1, only_in_b=2, unreadable=1
    )
    assert (report.parts, report.differing) == (28, 7)
    assert len(report.disagreements) == 3
    assert [model.name for model in report.b.models] == ["others"]
    strict = compare(cluster, "--fail-over", "20%")
    assert strict.exit_code == 1
    assert strict.stderr == "claimstream: 25.00% of the labels differ, over 20.00%\n"
    assert compare(cluster, "--fail-over", "25%").exit_code == 0
    few = Report.model_validate_json(compare(cluster, "--json", "--newest", "8").stdout)
    assert few.articles.only_in_b is None
    assert 0 < few.articles.compared < 7


def test_what_cannot_be_compared_is_told(cluster: Cluster) -> None:
    """A topic that is not there is wrong use; two topics without a common article, a failure."""
    empty = compare(cluster)
    assert empty.exit_code == 1
    assert "nothing to compare" in empty.stderr
    missing = CliRunner().invoke(
        app,
        ["compare", "--topics", cluster.settings.topics.claims, "none"],
        env=environment(cluster.settings),
        catch_exceptions=False,
    )
    assert missing.exit_code == 2
    assert missing.stderr.startswith("claimstream: no topic none at ")
