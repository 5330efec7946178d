"""The rules of Prometheus: each alert explained, and tested both ways by promtool."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.metrics_table import families
from tests.alerts import DEPLOY, RULES, RUNBOOK, alerts, asked_for, groups, recorded, series

FOLDER = DEPLOY / "prometheus"
TESTS = sorted((FOLDER / "tests").glob("*.yml"))
ALERTS = alerts()

promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")


def _promtool(*arguments: str | Path) -> None:
    """Run promtool; what it complains of is the assertion's message."""
    command = [str(shutil.which("promtool")), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _cases(alert: str) -> list[dict[str, Any]]:
    read = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in TESTS]
    return [
        case
        for file in read
        for test in file["tests"]
        for case in test.get("alert_rule_test", [])
        if case["alertname"] == alert
    ]


@promtool
@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_promtool_takes_the_rules(file: Path) -> None:
    """Promtool finds nothing wrong with a rule file, and no rule twice."""
    _promtool("check", "rules", file)


@promtool
@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_the_rules_do_as_their_tests_say(file: Path) -> None:
    """Every case of deploy/prometheus/tests comes out as it says."""
    _promtool("test", "rules", file)


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_is_tested_both_ways(alert: str) -> None:
    """Each alert has a case in which it fires, with all it says, and one in which it is silent."""
    fires = [bool(case["exp_alerts"]) for case in _cases(alert)]
    assert any(fires), "no case in which it fires"
    assert not all(fires), "no case in which it is silent"


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_explains_itself(alert: str) -> None:
    """Each alert says how urgent it is, what is wrong, and where its section of the runbook is."""
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["labels"]["service"] == "claimstream"
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["annotations"]["description"].endswith((".", ")."))
    assert rule["annotations"]["runbook_url"] == f"{RUNBOOK}#{alert.lower()}"


def test_rules_ask_for_metrics_that_exist() -> None:
    """Every metric that a rule asks for is one that a worker has, or one that a rule records."""
    known = series() | recorded()
    for group in groups():
        for rule in group.rules:
            assert asked_for(rule["expr"]) <= known, rule.get("alert") or rule["record"]


def test_the_objective_is_a_bucket() -> None:
    """The bound that makes an article late is one of the histogram's."""
    wanted = 'le="60.0"'
    assert any(wanted in rule["expr"] for group in groups() for rule in group.rules)
    shown = {
        sample.labels.get("le")
        for family in families()
        if family.name == "claimstream_end_to_end_duration_seconds"
        for sample in family.samples
    }
    assert "60.0" in shown


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_cases_record_before_they_alert(file: Path) -> None:
    """A case evaluates every group, those that record first; promtool's own order is any."""
    order = yaml.safe_load(file.read_text(encoding="utf-8"))["group_eval_order"]
    records = [group.name for group in groups() if "record" in group.rules[0]]
    assert order[: len(records)] == records
    assert set(order) == {group.name for group in groups()}
    assert len(order) == len(groups())
