"""The rights that the page for operators hands out are enough, and none is too many."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli import app
from service.doctor.cluster import check_cluster
from service.settings import Settings
from tests.cluster import articles
from tests.conftest import StartWorker
from tests.security.conftest import Secured
from tests.security.rights import PAGE, Right, granted, needed, with_implied
from tests.workers import environment

NAMES = Settings()
TOPICS = (NAMES.topics.articles, NAMES.topics.claims, NAMES.topics.dead_letters)


def _asked(secured: Secured, settings: Settings, use: Callable[[], None]) -> set[Right]:
    """What rights are needed for what is asked of the broker meanwhile, by the page's names."""
    topics = dict(zip(settings.topics.model_dump().values(), TOPICS, strict=False))
    group = settings.kafka.group
    groups = {group: NAMES.kafka.group, f"{group}.begun": f"{NAMES.kafka.group}.begun"}
    with secured.front.set(None) as front:
        use()
        asked = list(front.asked)
    rights = set()
    for key, strings in asked:
        rights |= needed(
            key,
            {topics[name] for name in strings & topics.keys()},
            {groups[name] for name in strings & groups.keys()},
        )
    return rights


def _run(settings: Settings, *command: str) -> None:
    done = CliRunner().invoke(app, list(command), env=environment(settings))
    assert done.exit_code == 0, done.output


def test_the_page_names_tests_that_exist() -> None:
    """Each test that the page calls upon is there."""
    named = set(re.findall(r"`((?:\w+/)?test_\w+\.py)`", PAGE.read_text(encoding="utf-8")))
    assert len(named) > 15
    there = Path(__file__).resolve().parents[1]
    assert [name for name in named if not list(there.rglob(name))] == []


@pytest.mark.slow
def test_rights(secured: Secured, start_worker: StartWorker, tmp_path: Path) -> None:
    """Each command asks only for what its user may do, and uses every right that it was given."""
    _, settings = secured.cluster()
    good, bad = articles(1)[0][1], b'{"id": "bad", "body": "RAISE ALWAYS"}'
    (tmp_path / "a.jsonl").write_bytes(good + b"\n" + bad)

    def work() -> None:
        worker = start_worker(settings).wait_until_ready()
        deadline = time.monotonic() + 60
        while worker.metric("claimstream_articles_done_total") < 2:
            assert time.monotonic() < deadline, worker.log
            time.sleep(0.1)
        assert worker.stop() == 0

    def look_and_replay() -> None:
        _run(settings, "dlq", "list")
        _run(settings, "dlq", "show", f"{_partition(settings)}:0")
        _run(settings, "dlq", "replay", "--yes")

    uses: dict[str, Callable[[], None]] = {
        "admin": lambda: _run(settings, "topics", "create"),
        "publish": lambda: _run(settings, "publish", str(tmp_path / "a.jsonl")),
        "worker": work,
        "watch": lambda: _run(settings, "watch", "--from-start", "--limit", "1", "--json"),
        "dlq": look_and_replay,
        "doctor": lambda: _examine(settings),
    }
    rights = granted()
    # How every command finds out whether the topics are there: all that it may see are listed.
    seen = {("Describe", topic) for topic in TOPICS}
    for user, use in uses.items():
        asked = _asked(secured, settings, use) | (seen if user != "dlq" else set())
        given = with_implied(rights[user])
        assert asked <= given, user
        # A right is used if it was asked for itself, or for what comes with it.
        for right in rights[user]:
            assert right in asked, (user, right)


def _examine(settings: Settings) -> None:
    found = asyncio.run(check_cluster(settings))
    assert all(finding.status == "ok" for finding in found), found


def _partition(settings: Settings) -> int:
    done = CliRunner().invoke(app, ["dlq", "list", "--json"], env=environment(settings))
    return int(done.output.split('"partition": ')[1].split(",")[0])
