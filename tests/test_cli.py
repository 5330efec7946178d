"""The command line: what it prints, and what it answers to wrong use."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from service.broker import free_port
from service.cli import app
from service.contracts import LabelledArticle

ROOT = Path(__file__).parent.parent
ARTICLE = {
    "id": "a",
    "title": "Rain",
    "body": "The mayor said it had rained. This plan is a disgrace, and it should be scrapped.",
}


def claimstream(*arguments: str, stdin: str | None = None) -> Result:
    """Run a command."""
    return CliRunner().invoke(app, list(arguments), input=stdin, catch_exceptions=False)


def assert_one_clear_line(result: Result, code: int, words: str) -> None:
    """Nothing on standard output, one line on standard error, that exit code."""
    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr.startswith("claimstream: ")
    assert result.stderr.count("\n") == 1
    assert words in result.stderr


def test_several_articles_give_as_many_in_order(tmp_path: Path) -> None:
    """A JSON lines file gives one labelled article a line, in the order of the file."""
    lines = [json.dumps({**ARTICLE, "id": str(n)}) for n in range(5)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    result = claimstream("label", str(tmp_path / "a.jsonl"), "--json")
    assert result.exit_code == 0
    labelled = [LabelledArticle.model_validate_json(line) for line in result.stdout.splitlines()]
    assert [article.article_id for article in labelled] == ["0", "1", "2", "3", "4"]
    claim, opinion = labelled[0].sentences
    assert (claim.label, opinion.label) == ("attributed_claim", "opinion")
    assert claim.source is not None
    assert claim.cue is not None
    assert (claim.source.text, claim.cue.text) == ("The mayor", "said")


def test_labels_are_shown_as_words() -> None:
    """From standard input to a plain terminal: sentences, source and cue, counts."""
    result = claimstream("label", stdin=str(ARTICLE["body"]))
    assert result.exit_code == 0
    assert "The mayor" in result.stdout
    assert "1 claim, 1 opinion" in result.stdout


def test_a_bad_article_is_told_and_the_others_are_labelled(tmp_path: Path) -> None:
    """One line for the article that cannot be read, exit code 1, the rest done."""
    (tmp_path / "a.jsonl").write_text(f"{json.dumps(ARTICLE)}\nrubbish\n{json.dumps(ARTICLE)}")
    result = claimstream("label", str(tmp_path / "a.jsonl"), "--json")
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 2
    assert "line 2" in result.stderr


def test_a_sentence_without_end_is_labelled_quietly() -> None:
    """Thousands of words without a full stop are one sentence; standard error stays empty."""
    done = subprocess.run(
        [sys.executable, "-m", "service", "label", "--json"],
        cwd=ROOT,
        input="The mayor said rain " + "and more rain " * 1000,
        capture_output=True,
        text=True,
        check=True,
    )
    labelled = LabelledArticle.model_validate_json(done.stdout)
    assert len(labelled.sentences) + len(labelled.furniture) == 1
    assert done.stderr == ""


def test_missing_files_are_wrong_use(tmp_path: Path) -> None:
    """A file that is not there: one line, exit code 2, before the model is loaded."""
    for command in ("label", "evaluate", "publish"):
        assert_one_clear_line(claimstream(command, str(tmp_path / "none")), 2, "none")


def test_wrong_settings_are_wrong_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that cannot be: its name and the reason, exit code 2."""
    monkeypatch.setenv("CLAIMSTREAM_HTTP__PORT", "many")
    assert_one_clear_line(claimstream("settings"), 2, "CLAIMSTREAM_HTTP__PORT")


def test_missing_and_damaged_models_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No model, or one whose digest differs: one line, exit code 2."""
    monkeypatch.setenv("CLAIMSTREAM_MODEL__PATH", str(tmp_path / "model"))
    assert_one_clear_line(claimstream("label", stdin="x"), 2, "no model in")
    shutil.copytree(ROOT / "models/small", tmp_path / "model")
    with (tmp_path / "model/tokenizer.json").open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))
    assert_one_clear_line(claimstream("label", stdin="x"), 2, "damaged model")
    # Weights that torch would load are checked where it is to load them.
    monkeypatch.setenv("CLAIMSTREAM_MODEL__BACKEND", "torch")
    shutil.copy(ROOT / "models/small/tokenizer.json", tmp_path / "model")
    (weights,) = (tmp_path / "model").glob("*.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1])
    assert_one_clear_line(claimstream("label", stdin="x"), 2, f"{weights.name} has another digest")


@pytest.mark.parametrize(
    "command", [["topics", "create"], ["publish", "seeds"], ["watch"], ["worker"]], ids=" ".join
)
def test_an_unreachable_broker_is_told_within_seconds(command: list[str]) -> None:
    """Nobody listens there: one line, no traceback, exit code 2, in 10 s and the start-up.

    A worker waits for its cluster unless it is told for how long.
    """
    started = time.monotonic()
    servers = f"127.0.0.1:{free_port()}"
    result = subprocess.run(
        [sys.executable, "-m", "service", *command, "--bootstrap-servers", servers],
        cwd=ROOT,
        env={**os.environ, "CLAIMSTREAM_WORKER__START_WAIT_S": "2"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 2
    assert servers in result.stderr
    assert "Traceback" not in result.stderr
    assert time.monotonic() - started < 20


def test_settings_hide_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything in force is printed, as lines and as JSON, but no password."""
    monkeypatch.setenv("CLAIMSTREAM_KAFKA__SASL_PASSWORD", "hush")
    monkeypatch.setenv("CLAIMSTREAM_KAFKA__GROUP", "desk")
    lines, as_json = claimstream("settings"), claimstream("settings", "--json")
    assert "CLAIMSTREAM_KAFKA__GROUP=desk" in lines.stdout.splitlines()
    assert json.loads(as_json.stdout)["kafka"]["group"] == "desk"
    assert "hush" not in lines.output + as_json.output


def test_evaluate_prints_the_agreed_figures() -> None:
    """The JSON of evaluate has the agreed shape, on an article of the seeds."""
    gold = ROOT / "seeds/gold/rates.json"
    result = claimstream("evaluate", str(gold), "--json")
    assert result.exit_code == 0
    figures = json.loads(result.stdout)
    assert set(figures) >= {
        "sentences", "macro_f1", "accuracy", "ece", "labels", "sure", "source", "cue",
    }  # fmt: skip
    assert figures["sentences"] == len(json.loads(gold.read_text())["sentences"])
    assert set(figures["labels"]["fact"]) == {"precision", "recall", "f1", "support"}
    assert set(figures["source"]) == set(figures["cue"]) == {"exact_f1", "overlap_f1", "support"}
    assert claimstream("evaluate", str(gold)).exit_code == 0
    assert claimstream("evaluate", str(gold), "--own-segmentation", "--json").exit_code == 0


def test_an_unknown_split_is_wrong_use() -> None:
    """No article of the split: one line, exit code 2."""
    result = claimstream("evaluate", str(ROOT / "seeds/gold/rates.json"), "--split", "none")
    assert_one_clear_line(result, 2, "no articles of split 'none'")


def test_a_page_and_a_table_of_articles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is labelled is printed in the format asked for, bad articles told besides."""
    monkeypatch.setenv("CLAIMSTREAM_MODEL__SIZE", "small")
    (tmp_path / "a.jsonl").write_text(f"{json.dumps(ARTICLE)}\nrubbish\n")
    page = claimstream("label", str(tmp_path / "a.jsonl"), "--format", "html")
    table = claimstream("label", str(tmp_path / "a.jsonl"), "--format", "csv")
    for result in (page, table):
        assert result.exit_code == 1
        assert result.stderr.count("\n") == 1
        assert "line 2" in result.stderr
    assert '<span class="source">The mayor</span>' in page.stdout
    rows = list(csv.DictReader(io.StringIO(table.stdout_bytes.decode(), newline="")))
    assert [row["label"] for row in rows] == ["attributed_claim", "opinion"]
    body = str(ARTICLE["body"])
    claim = rows[0]
    assert body[int(claim["source_start"]) : int(claim["source_end"])] == "The mayor"


def test_two_formats_at_once_are_wrong_use() -> None:
    """--json beside another format: one line, exit code 2, before the model is loaded."""
    for command in ("label", "watch"):
        result = claimstream(command, "--json", "--format", "csv")
        assert_one_clear_line(result, 2, "--json is --format jsonl")


def commands() -> list[str]:
    """All there are, those in groups with the group's name before theirs."""

    def below(name: str, command: Any) -> list[str]:
        inside = getattr(command, "commands", None)
        if inside is None:
            return [name]
        return [path for n, c in inside.items() for path in below(f"{name} {n}".strip(), c)]

    return below("", get_command(app))


# Run where its group is named alone.
UNASKED = {"bench labeller": "bench"}


@pytest.mark.parametrize("command", commands())
def test_every_command_has_an_example(command: str) -> None:
    """--help of each command says how it is used."""
    result = claimstream(*command.split(), "--help")
    assert result.exit_code == 0
    help_ = " ".join(re.sub("[│╭╮╰╯─]", " ", result.stdout).split())
    assert re.search(rf"Example: (\w+=\S+ )*claimstream {UNASKED.get(command, command)}\b", help_)


def test_there_are_the_commands_that_are_promised() -> None:
    """Those that readers of the documentation look for."""
    promised = "label worker demo publish watch view doctor settings evaluate compare"
    assert {*promised.split(), "topics create", "dlq list", "dlq replay"} <= set(commands())


def test_the_doctor_looks_on_where_settings_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are one failure, what needs them is not checked, the machine is; exit code 1."""
    monkeypatch.setenv("CLAIMSTREAM_HTTP__PORT", "many")
    result = claimstream("doctor", "--json")
    assert result.exit_code == 1
    statuses = {check["check"]: check["status"] for check in json.loads(result.stdout)["checks"]}
    assert statuses["Python"] == "ok"
    assert statuses["settings"] == "fail"
    assert {statuses[name] for name in ("model", "backend", "broker")} == {"not checked"}
    table = claimstream("doctor")
    assert table.exit_code == 1
    assert "wrong setting CLAIMSTREAM_HTTP__PORT" in table.stdout
    assert "do: " in table.stdout


def test_secrets_that_cannot_be_read_are_wrong_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret that is no text: one line without it, exit code 2, no traceback."""
    (tmp_path / "CLAIMSTREAM_KAFKA__SASL_PASSWORD").write_bytes(b"hush\xff")
    monkeypatch.setenv("CLAIMSTREAM_SECRETS_DIR", str(tmp_path))
    result = claimstream("settings")
    assert_one_clear_line(result, 2, "wrong settings")
    assert "hush" not in result.stderr


def test_the_doctor_takes_no_arguments() -> None:
    """Anything else is wrong use."""
    assert claimstream("doctor", "me").exit_code == 2
