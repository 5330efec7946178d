"""`claimstream compare` on files: what it prints, and its exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app
from service.comparing.results import Report

ROOT = Path(__file__).parents[2]
SMALL = str(ROOT / "models/small")


def compare(*arguments: str, stdin: str | None = None) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["compare", *arguments], input=stdin, catch_exceptions=False)


def assert_one_clear_line(result: Result, code: int, words: str) -> None:
    """Nothing on standard output, one line on standard error, that exit code."""
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith("claimstream: ")
    assert result.stderr.count("\n") == 1
    assert words in result.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A release in a folder of its own."""
    green = tmp_path_factory.mktemp("models") / "green"
    shutil.copytree(SMALL, green)
    return str(green)


def test_a_model_beside_itself(folder: str) -> None:
    """By size and by folder it is the same model: no label differs, and no limit is passed."""
    result = compare("small", folder, str(ROOT / "seeds/rates.json"), "--fail-over", "0%", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    report = Report.model_validate_json(result.stdout)
    assert report.parts > 10
    assert report.differing == 0
    assert report.a.models == report.b.models
    assert report.a.models[0].name == "claimstream-small"


def test_tables_and_bad_articles(tmp_path: Path) -> None:
    """From standard input and a file: tables; what is no article is told, and ends with 1."""
    (tmp_path / "a.jsonl").write_text('{"id": "a", "body": "It rained."}\nrubbish\n')
    page = {"id": "b", "html": "<p>The mayor said it had rained all day long in the town.</p>"}
    result = compare("small", "small", str(tmp_path / "a.jsonl"), "-", stdin=json.dumps(page))
    assert result.exit_code == 1
    assert "line 2" in result.stderr
    assert result.stderr.count("\n") == 1
    assert "0.00% of the labels differ: 0 of 2" in result.stdout
    assert "Articles compared: 2." in result.stdout


def test_wrong_use_is_told() -> None:
    """Two models and files, or two topics: everything else is told in one line, with 2."""
    seed = str(ROOT / "seeds/rates.json")
    assert_one_clear_line(compare(), 2, "two models and at least one file")
    assert_one_clear_line(compare("small", "base"), 2, "at least one file")
    assert_one_clear_line(compare("small", "base", "--topics", "a", "b"), 2, "not both")
    assert_one_clear_line(compare("small", "base", "none.json"), 2, "none.json")
    assert_one_clear_line(compare("small", "nowhere", seed), 2, "no model in nowhere")
    for share in ("2", "x%", "101%", "-1%"):
        assert_one_clear_line(
            compare("small", "base", seed, f"--fail-over={share}"), 2, "a share as in 2% or 0.02"
        )


def test_nothing_to_compare_is_a_failure() -> None:
    """A text without a sentence: whoever waits for a verdict does not get a good one."""
    result = compare("small", "small", "-", stdin='{"id": "a", "body": ""}')
    assert_one_clear_line(result, 1, "nothing to compare")
