"""Shows a comparison of two models as tables, and the sentences they disagree about."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.comparing.results import Disagreement, Report, SideFigures, Verdict
from service.contracts import LABELS, Model
from service.rendering import STYLES, printable

_CLASSES: Final = (*LABELS, "furniture")


def show_report(console: Console, report: Report) -> None:
    """Print everything that was found, the worst disagreements last."""
    console.print(_sides(report))
    console.print(_confusion(report))
    for line in _facts(report):
        console.print(line, highlight=False)
    if report.disagreements:
        console.print("\nSurest disagreements (A → B):", style="bold")
    for found in report.disagreements:
        console.print(_line(found))


def name(model: Model) -> str:
    """A model in a few words."""
    backend = f", {model.backend}" if model.backend else ""
    return f"{model.name} {model.version} ({model.digest.removeprefix('sha256:')[:8]}{backend})"


def _sides(report: Report) -> Table:
    table = Table("", "A", "B", title="Two models on the same articles")

    def row(title: str, a: str, b: str) -> None:
        table.add_row(title, Text(printable(a)), Text(printable(b)))

    a, b = report.a, report.b
    row("model", _names(a), _names(b))
    row("sentences", f"{a.sentences:,}", f"{b.sentences:,}")
    for label in _CLASSES:
        row(label, *(_share(side.mix[label] if side.mix else None) for side in (a, b)))
    row("mean confidence", _number(a.mean_confidence), _number(b.mean_confidence))
    row("uncertain", _share(a.uncertain_share), _share(b.uncertain_share))
    if a.sentences_per_s and b.sentences_per_s:
        row("sentences/s", f"{a.sentences_per_s:,.1f}", f"{b.sentences_per_s:,.1f}")
    return table


def _names(side: SideFigures) -> str:
    return "\n".join(map(name, side.models)) or "–"


def _confusion(report: Report) -> Table:
    table = Table("A ↓   B →", title="Labels of A, and what B calls them")
    for label in _CLASSES:
        table.add_column(label, justify="right")
    for label, row in report.confusion.items():
        cells = [
            Text(f"{count:,}", "bold" if other == label else "red" if count else "dim")
            for other, count in row.items()
        ]
        table.add_row(label, *cells)
    return table


def _facts(report: Report) -> list[Text]:
    """The share that differs, and all that is to be known before it is believed."""
    head = Text(f"{report.differing_share:.2%} of the labels differ", "bold")
    head.append(f": {report.differing:,} of {report.parts:,}, furniture included.", "not bold")
    articles, claims = report.articles, report.claims_of_both
    lines = [
        head,
        Text(
            f"Of {claims:,} claims of both, {report.sources_differing:,} have another source and "
            f"{report.cues_differing:,} another cue."
        ),
        Text(f"Articles compared: {articles.compared:,}."),
    ]
    left_out = {
        "only in A": articles.only_in_a,
        "only in B": articles.only_in_b,
        "with another text in each": articles.of_other_text,
        "records that cannot be read": articles.unreadable,
    }
    if told := ", ".join(f"{count:,} {what}" for what, count in left_out.items() if count):
        lines.append(Text(f"Not compared: {told}.", "yellow"))
    if report.cut_differently:
        lines.append(
            Text(f"Cut into sentences differently: {report.cut_differently:,} parts.", "yellow")
        )
    lines += [
        Text(f"More than one model in {side}: the newest of each article counts.", "yellow")
        for side, figures in (("A", report.a), ("B", report.b))
        if len(figures.models) > 1
    ]
    return lines


def _line(found: Disagreement) -> Text:
    line = Text()
    for verdict, after in ((found.a, " → "), (found.b, "  ")):
        line.append(_verdict(verdict), STYLES.get(verdict.label, "reverse"))
        line.append(after)
    line.append(f"{printable(found.article_id)}:{found.start}", "dim")
    return line.append(f"\n    {printable(found.text)}")


def _verdict(verdict: Verdict) -> str:
    sure = "" if verdict.confidence is None else f" {verdict.confidence:.0%}"
    return f" {verdict.label}{sure} "


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
