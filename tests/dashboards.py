"""The dashboards as their tests read them: boards, panels, queries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from tests.alerts import DEPLOY

FOLDER: Final = DEPLOY / "grafana" / "dashboards"
BOARDS: Final = ("overview", "worker", "model", "kafka")
RUNBOOK: Final = "runbook"


class Query(NamedTuple):
    """What a panel asks Prometheus."""

    board: str
    panel: str
    expression: str


def read(board: str) -> dict[str, Any]:
    """A dashboard by its name."""
    found: dict[str, Any] = json.loads((FOLDER / f"{board}.json").read_text(encoding="utf-8"))
    return found


def panels(board: str) -> list[dict[str, Any]]:
    """The panels of a dashboard, without the rows that head them."""
    return [panel for panel in read(board)["panels"] if panel["type"] != "row"]


def queries() -> Iterator[Query]:
    """Every query of every panel."""
    for board in BOARDS:
        for panel in panels(board):
            for target in panel["targets"]:
                yield Query(board, panel["title"], target["expr"])


def variables(board: str) -> dict[str, str]:
    """The query by which each variable finds its values."""
    return {each["name"]: each["query"] for each in read(board)["templating"]["list"]}


def substituted(expression: str, values: Mapping[str, str]) -> str:
    """An expression with its variables replaced; the longest names first."""
    for name in sorted(values, key=len, reverse=True):
        expression = expression.replace(f"${name}", values[name])
    return expression
