"""The runbook: its commands work, its links lead somewhere, its metrics and settings exist."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel

from service.cli import app
from service.settings import PREFIX, Settings
from tests import runbook
from tests.alertmanagers import running_alertmanager
from tests.alerts import DEPLOY, RUNBOOK, alerts, asked_for, recorded, series
from tests.cluster import Cluster, articles
from tests.workers import Worker, environment

ROOT = DEPLOY.parent
ALERTS = alerts()
PARTS = ("**Means**", "**Look**", "**Do**", "**Over**")
PROCEDURES = {
    "Deploy",
    "Roll back",
    "Change the model",
    "Replay dead letters",
    "Reprocess a day",
    "Scale",
    "Rotate credentials",
    "Follow an article",
    "Upgrade Kafka",
}
TOOLS = ("promtool", "amtool", "kubectl", "curl")
COMMAND_S = 60


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_its_section(alert: str) -> None:
    """Its address leads to a section: what it means, how to look, what to do, when it is over."""
    address, _, anchor = ALERTS[alert]["annotations"]["runbook_url"].partition("#")
    assert address == RUNBOOK
    assert anchor in runbook.anchors()
    section = runbook.sections()[alert].replace("**Look**, **Do**:", "**Look** **Do**")
    places = [section.index(part) for part in PARTS]
    assert places == sorted(places)


def test_sections_are_those_of_alerts_and_procedures() -> None:
    """No section is of an alert that is gone, and no procedure is missing."""
    named = {name for name in runbook.sections() if name.startswith("Claimstream")}
    assert named == set(ALERTS)
    assert runbook.sections().keys() >= PROCEDURES


def test_links_lead_somewhere() -> None:
    """Links within the runbook lead to a heading, the others to a file."""
    for target in re.findall(r"\]\(([^)]+)\)", runbook.TEXT):
        if target.startswith("#"):
            assert target[1:] in runbook.anchors(), target
        else:
            assert (DEPLOY / target).exists(), target


def test_blocks_say_whether_they_are_tested() -> None:
    """Every block of commands is run by a test or says why it cannot be."""
    for block in runbook.blocks("sh"):
        first = block.text.splitlines()[0]
        assert first == runbook.TESTED or first.startswith(runbook.UNTESTED), first


def test_metrics_exist() -> None:
    """Every metric that is named is one that a worker has, or one that a rule records."""
    assert asked_for(runbook.TEXT) <= series() | recorded()


def test_settings_exist() -> None:
    """Every setting that is named is one."""
    fields = {
        f"{PREFIX}{group}__{name}".upper()
        for group, field in Settings.model_fields.items()
        for name in _fields(field.annotation)
    }
    assert set(re.findall(rf"\b{PREFIX}\w+__\w+", runbook.TEXT)) <= fields


def _fields(group: Any) -> set[str]:
    assert issubclass(group, BaseModel)
    return set(group.model_fields)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_expressions_parse(tmp_path: Path) -> None:
    """Prometheus takes every expression."""
    rules = [
        {"record": f"runbook:{number}", "expr": block.text}
        for number, block in enumerate(runbook.blocks("promql"))
    ]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "runbook", "rules": rules}]}))
    command = [str(shutil.which("promtool")), "check", "rules", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(rules) > len(ALERTS)


@pytest.mark.parametrize("arguments", list(runbook.claimstream_commands()), ids=" ".join)
def test_commands_parse(arguments: list[str]) -> None:
    """Every claimstream command exists, and takes the options and arguments given."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        name, *arguments = arguments
        command = command.commands[name]
    command.make_context(command.name, arguments)


@pytest.fixture(scope="module")
def surroundings(
    bootstrap_servers: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, dict[str, str]]]:
    """A copy of what is deployed, with a worker that has labelled some and refused some articles.

    A second one, green, has read the same for topics of its own.

    Yields:
        The folder, and the environment to run commands in.
    """
    folder = tmp_path_factory.mktemp("runbook")
    shutil.copytree(DEPLOY, folder / "deploy")
    bin_ = folder / "bin"
    bin_.mkdir()
    for name, command in {
        "claimstream": f'exec env PYTHONPATH={ROOT} {sys.executable} -m service "$@"',
        "python": f'exec {sys.executable} "$@"',
    }.items():
        (bin_ / name).write_text(f"#!/bin/sh\n{command}\n")
        (bin_ / name).chmod(0o755)
    cluster = Cluster(bootstrap_servers)
    cluster.create_topics()
    # Bad articles of many keys, so that every partition has one.
    bad = [(f"bad-{n}".encode(), b"not an article") for n in range(24)]
    green = _green(cluster)
    with (
        Worker(cluster.settings, folder / "worker.log") as worker,
        Worker(green.settings, folder / "green.log") as green_worker,
    ):
        cluster.publish([*articles(3), *bad])
        for reader, one in ((worker, cluster), (green_worker, green)):
            reader.wait_until_ready()
            one.outcomes(27)
        address = re.search(r'"address": "(http://[^"]+)"', worker.log)
        assert address is not None
        more = {
            "WORKER": address[1],
            "BLUE": cluster.settings.topics.claims,
            "GREEN": green.settings.topics.claims,
            "PATH": f"{bin_}:{os.environ['PATH']}",
        }
        yield folder, os.environ | environment(cluster.settings) | more


def _green(blue: Cluster) -> Cluster:
    """Another group that reads the same articles, to topics of its own, created."""
    settings, green = blue.settings, Cluster(blue.settings.kafka.bootstrap_servers)
    group = f"{settings.kafka.group}-green"
    names = {"articles": settings.topics.articles}
    green.settings = green.settings.model_copy(
        update={
            "kafka": green.settings.kafka.model_copy(update={"group": group}),
            "topics": green.settings.topics.model_copy(update=names),
        }
    )
    green.create_topics()
    return green


@pytest.mark.parametrize("commands", runbook.tested())
def test_commands_work(commands: str, surroundings: tuple[Path, dict[str, str]]) -> None:
    """A block of commands that is marked so runs without an error."""
    for tool in TOOLS:
        if re.search(rf"\b{tool} ", commands) and shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    folder, variables = surroundings
    if "ALERTMANAGER" in commands:
        with running_alertmanager() as address:
            _run(commands, folder, variables | {"ALERTMANAGER": address})
    else:
        _run(commands, folder, variables)


def _run(commands: str, folder: Path, variables: dict[str, str]) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],  # noqa: S607 - as an operator's terminal
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout or "> /dev/null" in commands
