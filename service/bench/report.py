"""Shows a measurement of the labeller as tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from service.bench.length import LINEAR_FROM
from service.bench.results import LengthFigures, Machine, Percentiles, Report

# What cost may differ from its mean and still be called in proportion.
_TOLERANCE = 0.10


def show_report(console: Console, report: Report) -> None:
    """Print everything that was measured."""
    show_machine(console, report.machine)
    console.print(_throughput(report))
    console.print(
        "Each with one thread, in turns, sentences split in the same way. × (c): beside batches "
        "written by hand. The peers' heads are untrained: their time counts, not their answers."
    )
    console.print(_latency(report))
    for figures in report.length:
        console.print(_length(figures))
        console.print(_verdict(figures))
    for one in report.agreement:
        console.print(
            f"{one.size}, {one.backend}: {one.differing:.2%} of {one.sentences} sentences labelled "
            "otherwise than in float32"
        )
    show_notes(console, report.notes)


def show_machine(console: Console, machine: Machine) -> None:
    """Print what it was measured on."""
    peaks = ", ".join(
        f"{numbers} {'not measured' if peak is None else f'{peak:g}'}"
        for numbers, peak in machine.peak_gflops.items()
    )
    console.print(
        f"{machine.processor}, {machine.usable_cores} of {machine.cores} cores usable, "
        f"{machine.memory_gib:g} GiB; Python {machine.python}, "
        + ", ".join(f"{name} {version}" for name, version in machine.packages.items()),
        highlight=False,
    )
    if peaks:
        console.print(f"Peaks of one core in GFLOPS: {peaks}", highlight=False)


def show_notes(console: Console, notes: tuple[str, ...]) -> None:
    """Print what is to be known before the figures are believed."""
    for note in notes:
        console.print(f"Note: {note}", style="yellow", highlight=False)


def milliseconds(found: Percentiles) -> list[str]:
    """The cells of three percentiles in milliseconds."""
    return [cell(value, ".0f") for value in (found.p50, found.p95, found.p99)]


def _throughput(report: Report) -> Table:
    columns = ("sentences/s", "range", "× (c)", "of its floor", "start-up s", "memory MB")
    table = Table("model", "variant", title="Throughput")
    for column in columns:
        table.add_column(column, justify="right")
    for one in report.variants:
        table.add_row(
            one.size,
            f"{one.name} (auto)" if one.is_auto else one.name,
            f"{one.sentences_per_s:.1f}",
            f"{one.lowest:.1f}–{one.highest:.1f}",
            f"{one.ratio:.2f}",
            cell(one.floor_share, ".0%"),
            f"{one.startup_s:.1f}",
            cell(one.resident_mb, ".0f"),
            style="bold" if one.ours else "",
        )
    table.caption = "; ".join(
        f"{one.size}: {one.rounds} rounds of {one.sentences} sentences in {one.articles} articles"
        for one in report.rounds
    )
    return table


def _latency(report: Report) -> Table:
    table = Table("model", "variant", "load", title="Latency of an article")
    for column in ("p50 ms", "p95 ms", "p99 ms", "p50 own", "p95 own", "p99 own", "articles"):
        table.add_column(column, justify="right")
    for one in report.latency:
        own = (cell(value, ".1f") for value in (one.own.p50, one.own.p95, one.own.p99))
        load = "alone" if one.load is None else f"{one.load:.0%}"
        row = (one.size, one.variant, load, *milliseconds(one.ms), *own, str(one.articles))
        table.add_row(*row)
    table.caption = "own: in units of the article's own labelling time; –: too few articles to say"
    return table


def _length(figures: LengthFigures) -> Table:
    table = Table(title=f"Cost against length and number: {figures.size}, {figures.variant}")
    for column in ("words", "texts", "sentences", "ms a word", "articles", "ms a sentence"):
        table.add_column(column, justify="right")
    for number in range(max(len(figures.points), len(figures.amounts))):
        cells = [""] * 6
        if number < len(figures.points):
            point = figures.points[number]
            cells[:4] = (
                f"{point.words:,}",
                str(point.texts),
                str(point.sentences),
                f"{point.ms_per_word:.3f}",
            )
        if number < len(figures.amounts):
            amount = figures.amounts[number]
            cells[4:] = str(amount.articles), f"{amount.ms_per_sentence:.2f}"
        table.add_row(*cells)
    return table


def _verdict(figures: LengthFigures) -> str:
    """Say whether cost is in proportion, and what there was no time for."""
    said = [
        _proportion(f"length from {LINEAR_FROM:,} words on", figures.length_deviation),
        _proportion("number of articles", figures.amount_deviation),
    ]
    if figures.left_out:
        lengths = ", ".join(f"{words:,}" for words in figures.left_out)
        said.append(f"no time for {lengths} words (--minutes)")
    return "Cost by " + "; ".join(said)


def _proportion(what: str, deviation: float | None) -> str:
    if deviation is None:
        return f"{what}: not measured"
    verdict = "in proportion" if deviation <= _TOLERANCE else "NOT in proportion"
    return f"{what}: {verdict}, within {deviation:.0%} of its mean"


def cell(value: float | None, form: str) -> str:
    """A number in a table's cell; a dash where there is none."""
    return "–" if value is None else f"{value:{form}}"
