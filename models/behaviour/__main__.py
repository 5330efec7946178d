"""Run the behaviour tests on a released model: ``python -m models.behaviour``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from models.behaviour.check import (
    NOTHING,
    Failure,
    InvariancesReport,
    PairsReport,
    Share,
    run_invariances,
    run_pairs,
)
from service.release import ReleaseError, load
from service.settings import ModelSettings

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
MISUSED = 2


class Report(BaseModel):
    """All figures."""

    pairs: PairsReport
    invariances: InvariancesReport


@app.command()
def main(
    model: Annotated[
        Path | None, typer.Option(help="Folder of a released model; else models/small.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check that a model tells minimal pairs apart, and labels alike whoever speaks."""
    try:
        labeller = load(ModelSettings(path=model))
    except ReleaseError as error:
        typer.echo(f"models.behaviour: {error}", err=True)
        raise typer.Exit(MISUSED) from error
    report = Report(pairs=run_pairs(labeller), invariances=run_invariances(labeller))
    if as_json:
        typer.echo(report.model_dump_json())
    else:
        show(report)


def show(report: Report) -> None:
    """Print a table of topics, one of kinds, and the failures."""
    console = Console()
    pairs, invariances = report.pairs, report.invariances
    table = Table("topic", *_figures("pairs", "right", "share"), title="minimal pairs")
    for topic, share in pairs.topics.items():
        table.add_row(topic, str(share.total), str(share.count), f"{share.value:.0%}")
    table.add_section()
    for name, share in (("all pairs", pairs.pairs), ("all passages", pairs.passages)):
        table.add_row(name, str(share.total), str(share.count), f"{share.value:.1%}")
    console.print(table)
    _show_failures(console, pairs.failures, "wrong labels")

    headings = _figures("swaps", "with a flip", "labels", "flipped", "share")
    table = Table("kind", *headings, title="invariances")
    for kind, share in invariances.kinds.items():
        table.add_row(kind, *_cells(invariances.swaps[kind], share))
    table.add_section()
    swaps, labels = (sum(part.values(), NOTHING) for part in (invariances.swaps, invariances.kinds))
    table.add_row("all", *_cells(swaps, labels))
    console.print(table)
    _show_failures(console, invariances.failures, "flipped labels")


def _figures(*headings: str) -> list[Column]:
    return [Column(heading, justify="right") for heading in headings]


def _cells(swaps: Share, labels: Share) -> list[str]:
    counts = (swaps.total, swaps.count, labels.total, labels.count)
    return [*map(str, counts), f"{labels.value:.1%}"]


def _show_failures(console: Console, failures: tuple[Failure, ...], title: str) -> None:
    if not failures:
        return
    table = Table("id", "group", "expected", "found", "sentence", title=title, show_lines=True)
    for failure in failures:
        found = ", ".join(failure.found) + (" (divided wrongly)" if failure.divided else "")
        cells = (failure.group, ", ".join(failure.expected), found, failure.sentence)
        table.add_row(failure.id, *map(escape, cells))
    console.print(table)


if __name__ == "__main__":
    app()
