"""The README: what it shows is run as it stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from service.contracts import Article, LabelledArticle
from service.settings import PREFIX, Settings
from tests.cluster import Cluster, articles
from tests.workers import Worker, environment

ROOT: Final = Path(__file__).parents[2]
TEXT: Final = (ROOT / "README.md").read_text(encoding="utf-8")
# Commands that stay up until they are told to stop, by what they write when they are there.
STAY_UP: Final = {
    "claimstream view --from-start": "http://",
    "claimstream watch --from-start --bootstrap-servers 127.0.0.1:9092": "claim",
    "claimstream worker": "partitions assigned",
    "claimstream worker --processes auto": "http://",
}
# Commands that a test of their own runs.
ELSEWHERE: Final = {
    "make demo": "tests/integration/test_demo.py",
    "make test": ".ci/run",
    "claimstream --install-completion": "tests/test_completion.py",
    # It asks, on a terminal only.
    "claimstream dlq replay --since 2h --stage infer": "tests/integration/test_dlq.py",
    "claimstream bench --quick": "tests/bench/test_run.py",
    "claimstream bench stream --quick": "tests/bench/test_streaming.py",
}
# Commands that may say by their exit code that something is wrong.
FINDS: Final = {"claimstream doctor": (0, 1)}
COMMAND_S: Final = 200.0


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```$", TEXT, re.MULTILINE | re.DOTALL)


def _commands() -> list[str]:
    lines = [line for block in _blocks("sh") for line in block.splitlines()]
    return [re.split(r"\s+#", line)[0].strip() for line in lines if line.strip()]


@pytest.fixture(scope="module")
def surroundings(
    bootstrap_servers: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder with the files that the README names, and the environment to run commands in."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "seeds", folder / "seeds")
    gold = min((ROOT / "seeds/gold").glob("*.json")).read_text(encoding="utf-8")
    annotated = json.dumps(json.loads(gold) | {"split": "dev"})
    (folder / "annotated.jsonl").write_text(annotated + "\n", encoding="utf-8")
    (folder / "article.txt").write_text("It rained on Monday. The mayor said it would stop.\n")
    (folder / "articles.jsonl").write_text('{"id": "a", "body": "It rained on Monday."}\n')
    shutil.copy(ROOT / "tests/data/feeds/council.atom", folder / "feed.rss")
    (folder / "bin").mkdir()
    command = folder / "bin/claimstream"
    command.write_text(f'#!/bin/sh\nexec env PYTHONPATH={ROOT} {sys.executable} -m service "$@"\n')
    command.chmod(0o755)
    cluster = Cluster(bootstrap_servers)
    cluster.create_topics()
    more = {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        f"{PREFIX}MODEL__SIZE": "small",
        f"{PREFIX}HTTP__PORT": "0",
    }
    with Worker(cluster.settings, folder / "worker.log") as worker:
        worker.wait_until_ready()
        cluster.publish([*articles(3), (b"bad", b"not an article")])
        cluster.outcomes(4)
        yield folder, os.environ | environment(cluster.settings) | more


@pytest.mark.parametrize("command", _commands())
def test_commands_work(command: str, surroundings: tuple[Path, dict[str, str]]) -> None:
    """Every command does what it is for, without an error."""
    if command in ELSEWHERE:
        named = ROOT / ELSEWHERE[command]
        word = shlex.split(command)[1].removeprefix("--")
        assert word.replace("-", "") in named.read_text(encoding="utf-8").replace("-", "")
        return
    folder, variables = surroundings
    servers = variables[f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS"]
    here = command.replace("127.0.0.1:9092", servers)
    if command in STAY_UP:
        _stays_up(here, STAY_UP[command], folder, variables)
        return
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", here],  # noqa: S607 - as in a reader's terminal
        cwd=folder,
        env=variables,
        input=b"y\n",
        capture_output=True,
        timeout=COMMAND_S,
        check=False,
    )
    assert done.returncode in FINDS.get(command, (0,)), (done.stdout + done.stderr).decode()
    assert done.stdout or " > " in command
    assert b"Traceback" not in done.stderr


def _stays_up(command: str, sign: str, folder: Path, variables: dict[str, str]) -> None:
    """Start a command, wait for a sign of it, and end it."""
    log = folder / f"{abs(hash(command))}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S602 - as in a reader's terminal
            f"exec {command}", shell=True, cwd=folder, env=variables, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + COMMAND_S
        while sign not in (said := log.read_text(encoding="utf-8")):
            assert process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(COMMAND_S) == 0, log.read_text(encoding="utf-8")
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in log.read_text(encoding="utf-8")


def test_settings_exist() -> None:
    """Every setting that is named is one."""
    fields = {
        f"{PREFIX}{group}__{name}".upper()
        for group, field in Settings.model_fields.items()
        for name in getattr(field.annotation, "model_fields", {})
    }
    assert set(re.findall(rf"\b{PREFIX}\w+?__\w+", TEXT)) <= fields


def test_links_lead_somewhere() -> None:
    """Every link is to a file of ours."""
    targets = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_article_is_one_and_the_answer_has_its_fields() -> None:
    """What a producer sends is an article; what a consumer gets has the fields that are shown."""
    sent, received = _blocks("json")
    Article.model_validate_json(sent.replace(" …", ""))
    shown = json.loads(received)
    assert shown.keys() - {"…"} <= {
        field.alias or name for name, field in LabelledArticle.model_fields.items()
    }
    real = json.loads((ROOT / "deploy/schemas/labelled-article.v1.json").read_text())
    assert shown["sentences"][0].keys() == real["$defs"]["Sentence"]["properties"].keys()


def test_the_notebook_works(surroundings: tuple[Path, dict[str, str]]) -> None:
    """What is shown for notebooks runs."""
    folder, variables = surroundings
    (program,) = _blocks("python")
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=variables | {"PYTHONPATH": str(ROOT)},
        check=True,
        timeout=COMMAND_S,
    )
