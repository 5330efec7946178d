"""Shows what was found: as a table on a terminal, or as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.doctor.findings import Finding
from service.rendering import printable

# The word says it; the ground only helps to find it.
_STYLES: Final = {
    "ok": "#000000 on #7fd092",
    "warn": "#000000 on #f2c463",
    "fail": "bold #000000 on #ff9a8f",
    "not checked": "dim",
}


def show_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Print a line a check, below it what to do, and a count at the end."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(ratio=1, overflow="fold")
    for finding in findings:
        said = Text(printable(finding.found))
        if finding.do is not None:
            said.append("\ndo: ", "bold").append(printable(finding.do))
        word = Text(f" {finding.status} ", _STYLES[finding.status])
        table.add_row(word, Text(printable(finding.check)), said)
    console.print(table)
    console.print(Text(f"\n{summary(findings)}", "bold"))


def summary(findings: Sequence[Finding]) -> str:
    """How many of each kind, the worst first; kinds without any are left out, but for failed."""
    counts = Counter(finding.status for finding in findings)
    parts = [f"{counts['fail']} failed"]
    parts += [f"{counts['warn']} to look at"] if counts["warn"] else []
    parts.append(f"{counts['ok']} ok")
    parts += [f"{counts['not checked']} not checked"] if counts["not checked"] else []
    return ", ".join(parts)


def to_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """The same for programs: ``ok`` where nothing failed, and every check with its fields."""
    return {
        "ok": all(finding.status != "fail" for finding in findings),
        "checks": [finding._asdict() for finding in findings],
    }
