"""Feeds on the command line: the articles are labelled, the rest is told."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli import app
from tests.feeds.samples import FOLDER, sample


def test_a_feed_is_labelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each article of a feed is labelled with what the feed says of it; an item without is told."""
    monkeypatch.setenv("CLAIMSTREAM_MODEL__SIZE", "small")
    feed = str(FOLDER / "harbour.rss")
    result = CliRunner().invoke(app, ["label", feed, "--json"], catch_exceptions=False)
    assert result.exit_code == 1
    assert result.stderr == (
        f"claimstream: {feed}, item 3: no text, only a link: "
        "https://courier.example/2026/pictures\n"
    )
    pier, fares = map(json.loads, result.stdout.splitlines())
    assert pier["publisher"] == fares["publisher"] == "Nordhaven Courier & Post"
    assert (pier["title"], pier["published_at"]) == (
        *("Pier closed after cracks", "2026-11-24T06:15:00Z"),
    )
    assert len(pier["sentences"]) == 2


def test_a_page_is_labelled_with_what_it_says_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Title, time and publisher of a piped page are in the labelled article."""
    monkeypatch.setenv("CLAIMSTREAM_MODEL__SIZE", "small")
    page = sample("page.html")
    result = CliRunner().invoke(app, ["label", "--json"], input=page, catch_exceptions=False)
    assert result.exit_code == 0
    labelled = json.loads(result.stdout)
    assert labelled["title"] == "Orchard saved"
    assert labelled["published_at"] == "2026-11-22T19:45:00Z"
    assert labelled["publisher"] == "Valley News Ltd"
    assert labelled["url"] == "https://valley.example/orchard"


def test_a_broken_feed_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file that was cut off gives its name and the reason, and exit code 1."""
    monkeypatch.setenv("CLAIMSTREAM_MODEL__SIZE", "small")
    path = tmp_path / "cut.rss"
    path.write_bytes(sample("harbour.rss")[:900])
    result = CliRunner().invoke(app, ["label", str(path)], catch_exceptions=False)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"claimstream: {path}: not well-formed XML: ")
    assert result.stderr.count("\n") == 1
