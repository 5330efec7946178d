"""The dashboards: current, complete, and asking for what there is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests import runbook
from tests.alerts import DEPLOY, alerts, asked_for, recorded, series
from tests.dashboards import BOARDS, FOLDER, RUNBOOK, panels, queries, read, substituted, variables

ALL = (*BOARDS, RUNBOOK)
CHOSEN = {"topic": "t", "group": "g", "instance": "i", "__rate_interval": "1m", "__range": "1h"}
# Series that Prometheus itself adds.
OF_PROMETHEUS = {"up", "ALERTS"}

boards = pytest.mark.parametrize("board", BOARDS)
all_boards = pytest.mark.parametrize("board", ALL)


def test_the_files_are_current(tmp_path: Path) -> None:
    """The committed files are what the generator makes, and no other lies beside them."""
    command = [sys.executable, str(DEPLOY / "grafana" / "dashboards.py"), str(tmp_path)]
    subprocess.run(command, check=True)
    made = {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()}
    assert made.keys() == {f"{board}.json" for board in ALL}
    assert made == {file.name: file.read_text(encoding="utf-8") for file in FOLDER.iterdir()}


@all_boards
def test_grafanas_own_types_keep_every_field(board: str) -> None:
    """Read and written again by the types of Grafana's SDK, no field is lost or changed."""
    register_default_plugins()
    wanted = read(board)
    again = json.loads(json.dumps(Dashboard.from_json(wanted), cls=JSONEncoder))
    assert list(_lost(wanted, again)) == []


def test_a_lost_field_is_seen() -> None:
    """The comparison tells a field that Grafana does not know, and one that is changed."""
    wanted = read("overview")
    wanted["panels"][1]["colour"] = "green"
    again = json.loads(json.dumps(Dashboard.from_json(wanted), cls=JSONEncoder))
    again["panels"][2]["title"] = "else"
    assert list(_lost(wanted, again)) == ["/panels/1/colour", "/panels/2/title"]


def _lost(wanted: Any, found: Any, place: str = "") -> list[str]:
    """Where the second lacks what the first has."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [
            lost
            for name, value in wanted.items()
            for lost in _lost(value, found.get(name), f"{place}/{name}")
        ]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [
            lost
            for number, pair in enumerate(zip(wanted, found, strict=True))
            for lost in _lost(*pair, f"{place}/{number}")
        ]
    return [] if wanted == found else [place]


@all_boards
def test_dashboards_cannot_be_edited(board: str) -> None:
    """What is provisioned stays as it is in the repository, under a name of its own."""
    assert read(board)["editable"] is False
    assert read(board)["uid"] == f"claimstream-{board}"
    assert "claimstream" in read(board)["tags"]
    provisioning = DEPLOY / "grafana/provisioning/dashboards/claimstream.yml"
    (provider,) = yaml.safe_load(provisioning.read_text(encoding="utf-8"))["providers"]
    assert provider["allowUiUpdates"] is False


@boards
def test_workers_can_be_chosen(board: str) -> None:
    """Topic, group and instance can be chosen, each narrowed by the ones before."""
    found = variables(board)
    assert list(found) == ["datasource", "topic", "group", "instance"]
    assert found["instance"].count("$") == 2
    for name in ("topic", "group", "instance"):
        (variable,) = [v for v in read(board)["templating"]["list"] if v["name"] == name]
        assert variable["multi"]
        assert variable["includeAll"]


@boards
def test_every_panel_explains_itself(board: str) -> None:
    """Every panel has a unit, thresholds, a description, and a link to the runbook."""
    for panel in panels(board):
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["unit"], panel["title"]
        first, *steps = defaults["thresholds"]["steps"]
        assert first["value"] is None
        assert [step["value"] for step in steps] == sorted(step["value"] for step in steps)
        assert panel["description"].endswith("."), panel["title"]
        assert panel["links"], panel["title"]


@boards
def test_links_lead_to_the_section_they_name(board: str) -> None:
    """A panel's link opens the runbook at the panel of the section."""
    sections = {panel["id"]: panel["title"] for panel in panels(RUNBOOK)}
    for panel in panels(board):
        for link in panel["links"]:
            number = re.fullmatch(r"/d/claimstream-runbook\?viewPanel=(\d+)", link["url"])
            assert number is not None
            assert link["title"] == f"Runbook: {sections[int(number[1])]}"


@boards
def test_panels_have_their_place(board: str) -> None:
    """Panels are numbered, named once, and neither overlap nor stick out of the grid."""
    found = panels(board)
    assert len({panel["id"] for panel in found}) == len(found)
    assert len({panel["title"] for panel in found}) == len(found)
    taken: set[tuple[int, int]] = set()
    for panel in read(board)["panels"]:
        x, y, w, h = (panel["gridPos"].get(name, 0) for name in "xywh")
        cells = {(column, row) for column in range(x, x + w) for row in range(y, y + h)}
        assert x + w <= 24
        assert not taken & cells, panel["title"]
        taken |= cells


def test_queries_ask_for_metrics_that_exist() -> None:
    """Every metric that a panel asks for is one that a worker has, or one that a rule records."""
    known = series() | recorded()
    for query in queries():
        asked = asked_for(query.expression)
        assert asked <= known, query
        assert asked or any(name in query.expression for name in OF_PROMETHEUS), query


def test_queries_are_narrowed_to_the_workers_chosen() -> None:
    """What is not recorded for all workers together is asked of those chosen alone."""
    for query in queries():
        for name in asked_for(query.expression) - recorded():
            assert re.search(rf'{name}{{instance=~"\$instance"', query.expression), query


def test_no_variable_is_forgotten() -> None:
    """Queries use only variables that there are."""
    for query in queries():
        assert set(re.findall(r"\$(\w+)", query.expression)) <= CHOSEN.keys(), query


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_queries_parse(tmp_path: Path) -> None:
    """Prometheus takes every query."""
    rules = [
        {"record": f"panel:{number}", "expr": substituted(query.expression, CHOSEN)}
        for number, query in enumerate(queries())
    ]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    command = [str(shutil.which("promtool")), "check", "rules", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_metric_of_ours_is_shown() -> None:
    """No metric is exported that no panel shows."""
    shown = set().union(*(asked_for(query.expression) for query in queries()))
    rules = [rule for name in recorded() & shown for rule in _recording(name)]
    asked = shown | set().union(*(asked_for(rule["expr"]) for rule in rules))
    ours = {name for name in series() if name.startswith("claimstream_")}
    base = {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked}
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in ours} <= base


def _recording(name: str) -> list[dict[str, Any]]:
    files = (DEPLOY / "prometheus" / "rules").glob("*.yml")
    read_ = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]
    rules = [rule for file in read_ for group in file["groups"] for rule in group["rules"]]
    return [rule for rule in rules if rule.get("record") == name]


def test_the_runbook_is_shown_whole() -> None:
    """Every section of the runbook with a text has its panel, and every alert its section."""
    shown = {panel["title"]: panel["options"]["content"] for panel in panels(RUNBOOK)}
    wanted = {name for name, body in runbook.sections().items() if body.strip()}
    assert shown.keys() == wanted | {"Runbook"}
    assert alerts().keys() <= shown.keys()


def test_links_in_the_runbook_lead_to_panels() -> None:
    """Within the runbook's dashboard, a link to another section opens its panel."""
    numbers = {str(panel["id"]) for panel in panels(RUNBOOK)}
    for panel in panels(RUNBOOK):
        for target in re.findall(r"\]\(([^)]+)\)", panel["options"]["content"]):
            path, _, number = target.partition("?viewPanel=")
            assert path == "d/claimstream-runbook"
            assert number in numbers
