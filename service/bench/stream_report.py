"""Shows a measurement of the stream as tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from service.bench.report import milliseconds, show_machine, show_notes
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
    columns = ("workers", "cores", "sentences/s", "range", "labeller alone", "ratio a core")
    for column in (*columns, "rounds", "articles"):
        table.add_column(column, justify="right")
    for one in report.streams:
        table.add_row(
            str(one.workers),
            str(one.worker_cores),
            f"{one.sentences_per_s:.1f}",
            f"{one.lowest:.1f}–{one.highest:.1f}",
            f"{one.alone_sentences_per_s:.1f}",
            f"{one.ratio:.2f}",
            str(one.rounds),
            str(one.articles),
        )
    table.caption = "labeller alone: sentences/s on one of the workers' cores, in turns"
    return table


def _latency(report: StreamReport) -> Table:
    table = Table(title="From due to be published to labelled")
    for column in ("workers", "load", "articles/s", "p50 ms", "p95 ms", "p99 ms", "articles"):
        table.add_column(column, justify="right")
    for stream in report.streams:
        for one in stream.latency:
            table.add_row(
                str(stream.workers),
                f"{one.load:.0%}",
                f"{one.articles_per_s:.2f}",
                *milliseconds(one.ms),
                str(one.articles),
            )
    table.caption = "load: share of the stream's own sentences/s; –: too few articles to say"
    return table
