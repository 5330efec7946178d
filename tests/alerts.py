"""The alerts as the tests of Prometheus, Alertmanager and the runbook read them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from service.metrics_table import families

DEPLOY: Final = Path(__file__).parent.parent / "deploy"
RULES: Final = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
# Where an alert says that the runbook is: in this repository, unless Prometheus knows better.
RUNBOOK: Final = '{{ or $externalLabels.runbook_claimstream "deploy/runbook.md" }}'

# Names of metrics, ours and the process's, and of what rules record.
_METRIC = re.compile(r"\b(?:job(?:_label)?:)?(?:claimstream|process|python)_\w+(?::\w+)?")


class Group(NamedTuple):
    """A group of rules."""

    name: str
    rules: list[dict[str, Any]]


def groups() -> list[Group]:
    """All groups of all rule files."""
    read = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in RULES]
    return [Group(group["name"], group["rules"]) for file in read for group in file["groups"]]


def alerts() -> dict[str, dict[str, Any]]:
    """Every alert, by its name."""
    return {rule["alert"]: rule for group in groups() for rule in group.rules if "alert" in rule}


def recorded() -> set[str]:
    """The names that rules record."""
    return {rule["record"] for group in groups() for rule in group.rules if "record" in rule}


def series() -> set[str]:
    """The names of all series of a worker."""
    names = {sample.name for family in families() for sample in family.samples}
    return {name for name in names if not name.endswith("_created")}


def asked_for(text: str) -> set[str]:
    """The metrics that an expression, or a text with expressions in it, asks for."""
    return set(_METRIC.findall(text))
