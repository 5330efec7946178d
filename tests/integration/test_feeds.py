"""A folder of feeds of all kinds is published: exactly its articles are on the topic."""

import asyncio
import json
from pathlib import Path
from shutil import copytree

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from typer.testing import CliRunner

from service.cli import app
from service.decoding import decode
from tests.cluster import Cluster
from tests.feeds.samples import FOLDER
from tests.workers import environment

ARTICLES = {
    "https://courier.example/?p=8801",
    "https://courier.example/#8802",
    "tag:councilwatch.example,2026:budget",
    "tag:councilwatch.example,2026:note",
    "urn:newsml:wire.example:20261124:quake",
    "https://wire.example/id/rates",
    "urn:newsml:wire.example:20261124:brief",
    "http://ninjs.example/items/4410",
    "urn:ninjs:agency.example:77",
    "https://gazette.example/fog",
    "https://echo.example/trial#article",
    "page",
    "plain",
    "own",
}

CUT = "Premature end of data in tag item line 1, line 1, column 35"


async def on_topic(cluster: Cluster) -> list[tuple[bytes, bytes]]:
    """Keys and values of all records of the articles topic."""
    settings = cluster.settings
    topic = settings.topics.articles
    async with AIOKafkaConsumer(
        bootstrap_servers=settings.kafka.bootstrap_servers, auto_offset_reset="earliest"
    ) as consumer:
        places = [TopicPartition(topic, n) for n in range(settings.topics.partitions)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        read: list[tuple[bytes, bytes]] = []
        while len(read) < sum(ends.values()):
            found = await consumer.getmany(timeout_ms=500)
            read += [(one.key, one.value) for several in found.values() for one in several]
        return read


def test_a_mixed_folder_is_published(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each article is there once under its id; what has no text, or is broken, is told by name."""
    for name, value in environment(cluster.settings).items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "feeds"
    copytree(FOLDER, folder)
    (folder / "plain.txt").write_text("The minister said it rained.", encoding="utf-8")
    (folder / "own.jsonl").write_text('{"id": "own", "body": "It rained."}\n{"id": "none"}\n')
    (folder / "broken.xml").write_text("<rss version='2.0'><channel><item>")
    (folder / "unlike.xml").write_text("<urlset/>")
    (folder / "picture.png").write_bytes(b"\x89PNG")

    result = CliRunner().invoke(app, ["publish", str(folder)], catch_exceptions=False)

    assert result.exit_code == 1
    # Four have no text, one is withdrawn, one line is no article, two files are none.
    assert result.stdout == f"articles: {len(ARTICLES)} taken by the broker, 8 refused\n"
    told = sorted(line.partition(f"{folder}/")[2] for line in result.stderr.splitlines())
    assert told == [
        f"broken.xml: not well-formed XML: {CUT}",
        "graph.json, item 2: no text, only a link: https://echo.example/teaser",
        "harbour.rss, item 3: no text, only a link: https://courier.example/2026/pictures",
        "message.xml, item 2: no text",
        "message.xml, item 3: withdrawn by its publisher: canceled",
        "ninjs2.json, article 2: no text",
        "own.jsonl, line 2: body or html is required",
        "unlike.xml: XML of an unknown kind (<urlset>): RSS, Atom and NewsML-G2 are read",
    ]
    records = asyncio.run(on_topic(cluster))
    assert sorted(key.decode() for key, _ in records) == sorted(ARTICLES)
    by_id = {decode(value).id: json.loads(value) for _, value in records}
    assert by_id.keys() == ARTICLES
    assert by_id["https://gazette.example/fog"]["publisher"] == "The Gazette"
    assert by_id["page"]["title"] == "Orchard saved"
    assert by_id["own"] == {"id": "own", "body": "It rained."}
