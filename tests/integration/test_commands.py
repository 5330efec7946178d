"""Topics, publish and watch from the command line, against a real broker."""

import csv
import io
import json
import os
import re
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app
from tests.cluster import Cluster, articles
from tests.conftest import StartWorker
from tests.terminals import run_on_terminal
from tests.workers import environment


@pytest.fixture
def fresh(bootstrap_servers: str, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """Topics of the test's own, not created yet, and the environment set to them."""
    cluster = Cluster(bootstrap_servers)
    for name, value in environment(cluster.settings).items():
        monkeypatch.setenv(name, value)
    return cluster


def claimstream(*arguments: str) -> Result:
    """Run a command."""
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def test_topics_are_created_once(fresh: Cluster) -> None:
    """The first time the topics are created, the second time they exist; both end with 0."""
    first, second = claimstream("topics", "create"), claimstream("topics", "create")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout.count("created, 4 partitions") == 3
    assert second.stdout.count("exists, 4 partitions") == 3
    assert fresh.settings.topics.dead_letters in second.stdout


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("command", [["publish", "seeds"], ["watch"]], ids=" ".join)
def test_missing_topics_are_told(command: list[str]) -> None:
    """Without topics: one line that says what to do, exit code 2."""
    result = claimstream(*command)
    assert result.exit_code == 2
    assert "claimstream topics create" in result.stderr
    assert result.stderr.count("\n") == 1


def test_what_is_published_comes_back(
    fresh: Cluster, start_worker: StartWorker, tmp_path: Path
) -> None:
    """Good articles of a file reach the watcher, bad ones are told with their line."""
    fresh.create_topics()
    lines = [value.decode() for _, value in articles(5)]
    lines.insert(2, '{"id": "no text"}')
    (tmp_path / "articles.jsonl").write_text("\n".join(lines))
    result = claimstream("publish", str(tmp_path))
    assert result.exit_code == 1
    assert result.stdout == "articles: 5 taken by the broker, 1 refused\n"
    assert "line 3: body or html is required" in result.stderr
    start_worker(fresh.settings)
    watched = claimstream("watch", "--from-start", "--limit", "5", "--json")
    assert watched.exit_code == 0
    ids = {json.loads(line)["article_id"] for line in watched.stdout.splitlines()}
    assert ids == {f"article-{n}" for n in range(5)}


def test_on_a_terminal_publishing_shows_how_far_it_is(fresh: Cluster, tmp_path: Path) -> None:
    """A bar with how many of how many, a rate and the time left; what is refused is told above."""
    fresh.create_topics()
    lines = [value.decode() for _, value in articles(400)]
    (tmp_path / "articles.jsonl").write_text("\n".join([*lines, '{"id": "no text"}']))
    ran = run_on_terminal(["publish", str(tmp_path)], environment(fresh.settings))
    assert ran.code == 1
    assert ran.output == "articles: 400 taken by the broker, 1 refused\n"
    # The path before it may fill the line.
    assert "line 401: body or html is required" in " ".join(ran.shown.split())
    assert re.search(r"publishing .*\d+/401 +[\d,.]+/s \d:\d\d:\d\d", ran.shown)


def test_what_comes_through_a_pipe_is_published_too(fresh: Cluster, tmp_path: Path) -> None:
    """It can be read once only, so on a terminal it is not counted before."""
    fresh.create_topics()
    pipe = tmp_path / "articles.jsonl"
    os.mkfifo(pipe)
    content = b"\n".join(value for _, value in articles(3))
    writer = threading.Thread(target=pipe.write_bytes, args=[content])
    writer.start()
    ran = run_on_terminal(["publish", str(pipe)], environment(fresh.settings))
    writer.join()
    assert (ran.code, ran.output) == (0, "articles: 3 taken by the broker, 0 refused\n")


def test_watching_in_other_formats(fresh: Cluster, start_worker: StartWorker) -> None:
    """As CSV there is one head row; what needs an end is refused at once, in one line."""
    fresh.create_topics()
    fresh.publish(articles(2))
    start_worker(fresh.settings)
    watched = claimstream("watch", "--from-start", "--limit", "2", "--format", "csv")
    assert watched.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(watched.stdout_bytes.decode(), newline="")))
    assert {row["article_id"] for row in rows} == {"article-0", "article-1"}
    assert {row["label"] for row in rows} == {"attributed_claim", "opinion"}
    refused = claimstream("watch", "--format", "html")
    assert refused.exit_code == 2
    assert refused.stderr.count("\n") == 1
    assert "text, jsonl or csv" in refused.stderr
