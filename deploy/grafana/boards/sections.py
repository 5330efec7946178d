"""The sections of the runbook, which the runbook's dashboard shows and the other panels link to."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.builders import dashboard

FILE: Final = Path(__file__).parents[2] / "runbook.md"
INTRODUCTION: Final = "Runbook"
NAME: Final = "runbook"
PATH: Final = f"d/claimstream-{NAME}"

_HEADING: Final = re.compile(r"^##+ (.+)$", re.MULTILINE)


@cache
def sections() -> dict[str, str]:
    """The text of every section by its heading, in order; those without a text are left out."""
    introduction, *parts = _HEADING.split(FILE.read_text(encoding="utf-8"))
    found = {INTRODUCTION: introduction.removeprefix(f"# {INTRODUCTION}")}
    found |= zip(parts[::2], parts[1::2], strict=True)
    return {heading: body.strip() for heading, body in found.items() if body.strip()}


def panel_of(section: str) -> int:
    """The number of the section's panel.

    Raises:
        ValueError: the runbook has no such section.
    """
    return list(sections()).index(section) + 1


def link_to(section: str) -> dashboard.DashboardLink:
    """A panel's link to a section.

    Raises:
        ValueError: the runbook has no such section.
    """
    link = dashboard.DashboardLink(f"Runbook: {section}")
    return link.url(f"/{PATH}?viewPanel={panel_of(section)}")
