"""Writes a measurement as Markdown tables: ``python -m service.bench.markdown FILE…``.

The files are what ``claimstream bench --json`` and ``claimstream bench stream --json`` printed.
What this prints goes into BENCHMARKS.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from service.bench.report import cell, milliseconds
from service.bench.results import Machine, Percentiles, Report, StreamReport

Rows = Iterable[Sequence[str]]


def main(names: Sequence[str]) -> None:
    """Print the tables of each file."""
    for name in names:
        found = json.loads(Path(name).read_bytes())
        if "streams" in found:
            print(stream_tables(StreamReport.model_validate(found)))  # noqa: T201 - its task
        else:
            print(labeller_tables(Report.model_validate(found)))  # noqa: T201 - the same


def labeller_tables(report: Report) -> str:
    """Throughput, latency, cost by length, agreement."""
    rounds = "; ".join(
        f"{one.size}: {one.rounds} rounds of {one.sentences} sentences in {one.articles} articles"
        for one in report.rounds
    )
    columns = "model, variant, sentences/s, range, × (c), of its floor, start-up s, memory MB"
    throughput = (
        (
            one.size,
            f"**{one.name}**" if one.is_auto else one.name,
            f"{one.sentences_per_s:.1f}",
            f"{one.lowest:.1f}–{one.highest:.1f}",
            f"{one.ratio:.2f}",
            cell(one.floor_share, ".0%"),
            f"{one.startup_s:.2f}",
            cell(one.resident_mb, ".0f"),
        )
        for one in report.variants
    )
    latency = (
        (
            one.size,
            "alone" if one.load is None else f"{one.load:.0%}",
            *milliseconds(one.ms),
            *_own(one.own),
            str(one.articles),
        )
        for one in report.latency
    )
    length = (
        (one.size, f"{point.words:,}", str(point.texts), f"{point.ms_per_word:.3f}")
        for one in report.length
        for point in one.points
    )
    agreement = (
        (one.size, one.backend, str(one.sentences), f"{one.differing:.2%}")
        for one in report.agreement
    )
    percentiles = "p50 ms, p95 ms, p99 ms, p50 own, p95 own, p99 own"
    return "\n\n".join(
        [
            _machine(report.machine),
            _table(columns, throughput),
            rounds + ".",
            _table(f"model, load, {percentiles}, articles", latency),
            _table("model, words, texts, ms a word", length),
            _table("model, backend, sentences, labelled otherwise than in float32", agreement),
            *(f"Note: {note}." for note in report.notes),
        ]
    )


def stream_tables(report: StreamReport) -> str:
    """Rates, what the parts took, and latency."""
    rates = (
        (
            str(one.workers),
            str(one.worker_cores),
            f"{one.sentences_per_s:.1f}",
            f"{one.lowest:.1f}–{one.highest:.1f}",
            f"{one.alone_sentences_per_s:.1f}",
            f"{one.ratio:.2f}",
            cell(one.against_one, ".2f"),
            *(cell(part, ".2f") for part in (one.busy.workers, one.busy.broker, one.busy.load)),
            cell(one.resident_mb, ".0f"),
        )
        for one in report.streams
    )
    latency = (
        (
            str(stream.workers),
            f"{one.load:.0%}",
            f"{one.articles_per_s:.2f}",
            *milliseconds(one.ms),
            *_own(one.own),
            str(one.articles),
        )
        for stream in report.streams
        for one in stream.latency
    )
    return "\n\n".join(
        [
            _machine(report.machine),
            f"Model {report.size}, {report.variant}; broker: {report.broker}; {report.pinning}.",
            _table(
                "workers, cores, sentences/s, range, labeller alone, ratio a core, × 1 worker, "
                "busy workers, busy broker, busy load, memory MB",
                rates,
            ),
            _table(
                "workers, load, articles/s, p50 ms, p95 ms, p99 ms, p50 own, p95 own, p99 own, "
                "articles",
                latency,
            ),
            *(f"Note: {note}." for note in report.notes),
        ]
    )


def _machine(machine: Machine) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
    peaks = ", ".join(
        f"{numbers} {cell(peak, 'g')}" for numbers, peak in machine.peak_gflops.items()
    )
    return (
        f"{machine.processor} ({', '.join(machine.features)}), {machine.usable_cores} of "
        f"{machine.cores} cores, {machine.memory_gib:g} GiB, Python {machine.python}, {packages}; "
        f"load before: {machine.load_before:g}"
        + (f"; peaks of one core in GFLOPS: {peaks}." if peaks else ".")
    )


def _own(found: Percentiles) -> list[str]:
    return [cell(value, ".1f") for value in (found.p50, found.p95, found.p99)]


def _table(columns: str, rows: Rows) -> str:
    names = columns.split(", ")
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main(sys.argv[1:])
