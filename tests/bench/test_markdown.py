"""Measurements as Markdown: the tables of BENCHMARKS.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.bench.machine import describe_machine
from service.bench.markdown import main
from service.bench.results import (
    Busy,
    Percentiles,
    StreamFigures,
    StreamLatency,
    StreamReport,
)
from tests.bench.test_report import report


def stream(workers: int, against_one: float | None) -> StreamFigures:
    """Figures of so many workers."""
    return StreamFigures(
        workers=workers,
        worker_cores=workers,
        shares_cores=workers > 1,
        rounds=3,
        articles=50,
        sentences_per_s=95.0 * workers,
        lowest=90.0,
        highest=200.0,
        alone_sentences_per_s=100.0,
        ratio=0.95,
        against_one=against_one,
        busy=Busy(workers=0.99, broker=0.02, load=None),
        resident_mb=189.6,
        latency=(
            StreamLatency(
                load=0.5,
                articles_per_s=2.5,
                articles=60,
                ms=Percentiles(p50=250.4, p95=800, p99=None),
                own=Percentiles(p50=1.44, p95=3.5, p99=None),
            ),
        ),
    )


def tables(file: Path, text: str, capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """The cells of all rows that are printed, and that each table is even."""
    file.write_text(text, encoding="utf-8")
    main([str(file)])
    lines = capsys.readouterr().out.splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    widths, width = set(), 0
    for number, row in enumerate(rows):
        if number + 1 < len(rows) and set(rows[number + 1]) == {"---"}:
            width = len(row)
        widths.add(len(row) == width)
    assert widths == {True}
    return rows


def test_a_measurement_of_the_labeller(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Figures with their units; what is taken by itself is bold, what is not known is a dash."""
    rows = tables(tmp_path / "labeller.json", report(0.1).model_dump_json(), capsys)
    assert ["small", "**onnx-int8**", "250.0", "245.0–255.0", "5.00", "–", "0.26", "141"] in rows
    assert ["small", "alone", "80", "102", "–", "1.0", "1.2", "–", "99"] in rows
    assert ["small", "1,000", "10", "0.123"] in rows
    assert ["small", "onnx-int8", "300", "1.25%"] in rows


def test_a_measurement_of_the_stream(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rates beside the labeller and beside one worker, what the parts took, latency."""
    found = StreamReport(
        machine=describe_machine(),
        size="small",
        variant="onnx-int8",
        broker="embedded",
        pinning="workers on core 0, broker and load on core 1",
        streams=(stream(1, 1.0), stream(2, None)),
        notes=("the machine was busy",),
    )
    rows = tables(tmp_path / "stream.json", found.model_dump_json(), capsys)
    assert [
        *("1", "1", "95.0", "90.0–200.0", "100.0", "0.95", "1.00"),
        *("0.99", "0.02", "–", "190"),
    ] in rows
    assert ["1", "50%", "2.50", "250", "800", "–", "1.4", "3.5", "–", "60"] in rows
