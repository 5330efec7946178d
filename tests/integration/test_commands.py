"""Topics, publish and watch from the command line, against a real broker."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app
from tests.cluster import Cluster, articles
from tests.conftest import StartWorker
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
