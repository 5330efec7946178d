"""Shows a measurement of the stream as tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from service.bench.report import cell, milliseconds, show_machine, show_notes
from service.bench.results import StreamReport


def show_stream_report(console: Console, report: StreamReport) -> None:
    """Print everything that was measured."""
    show_machine(console, report.machine)
    console.print(
        f"Model {report.size}, {report.variant}; broker: {report.broker}; {report.pinning}",
        highlight=False,
    )
    console.print(_rates(report))
    console.print(_latency(report))
    show_notes(console, report.notes)


def _rates(report: StreamReport) -> Table:
    table = Table(title="From topic to topic")
    columns = ("workers", "cores", "sentences/s", "range", "labeller alone", "ratio a core", "× 1")
    busy = ("workers", "broker", "load")
    others = ("memory MB", "rounds", "articles")
    for column in (*columns, *(f"busy: {part}" for part in busy), *others):
        table.add_column(column, justify="right")
    for one in report.streams:
        table.add_row(
            str(one.workers),
            str(one.worker_cores),
            f"{one.sentences_per_s:.1f}",
            f"{one.lowest:.1f}–{one.highest:.1f}",
            f"{one.alone_sentences_per_s:.1f}",
            f"{one.ratio:.2f}",
            cell(one.against_one, ".2f"),
            *(cell(getattr(one.busy, part), ".2f") for part in busy),
            cell(one.resident_mb, ".0f"),
            str(one.rounds),
            str(one.articles),
        )
    table.caption = (
        "labeller alone: sentences/s on one of the workers' cores, in turns; × 1: beside the "
        "stream of one worker; busy: cores, on average"
    )
    return table


def _latency(report: StreamReport) -> Table:
    table = Table(title="From due to be published to labelled")
    for column in ("workers", "load", "articles/s", "p50 ms", "p95 ms", "p99 ms"):
        table.add_column(column, justify="right")
    for column in ("p50 own", "p95 own", "p99 own", "articles"):
        table.add_column(column, justify="right")
    for stream in report.streams:
        for one in stream.latency:
            table.add_row(
                str(stream.workers),
                f"{one.load:.0%}",
                f"{one.articles_per_s:.2f}",
                *milliseconds(one.ms),
                *(cell(value, ".1f") for value in (one.own.p50, one.own.p95, one.own.p99)),
                str(one.articles),
            )
    table.caption = (
        "load: share of the stream's own sentences/s; own: in units of the article's own labelling "
        "time; –: too few articles to say"
    )
    return table
