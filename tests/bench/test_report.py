"""Tables and plots of a measurement: what is shown of figures that are given."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from service.bench.machine import describe_machine
from service.bench.report import show_report
from service.bench.results import (
    Agreement,
    AmountPoint,
    LatencyFigures,
    LengthFigures,
    LengthPoint,
    Percentiles,
    Report,
    Rounds,
    VariantFigures,
)


def variant(name: str, speed: float, floor: float | None, *, ours: bool) -> VariantFigures:
    """Figures of one variant, beside one of 50 sentences a second."""
    return VariantFigures(
        size="small",
        name=name,
        ours=ours,
        is_auto=ours,
        numbers="int8" if ours else "float32",
        sentences_per_s=speed,
        lowest=speed - 5,
        highest=speed + 5,
        ratio=speed / 50,
        floor_sentences_per_s=floor,
        floor_share=floor and speed / floor,
        startup_s=0.26,
        resident_mb=141.0,
    )


def report(deviation: float) -> Report:
    """A measurement as it might be."""
    machine = describe_machine()
    return Report(
        machine=machine.model_copy(
            update={"peak_gflops": {"float32": 117.0, "bfloat16": 233.0, "int8": None}}
        ),
        rounds=(Rounds(size="small", articles=14, sentences=300, rounds=7),),
        variants=(
            variant("onnx-int8", 250, None, ours=True),
            variant("(c) padded batches of 32", 50, 150, ours=False),
        ),
        latency=(
            LatencyFigures(
                size="small",
                variant="onnx-int8",
                load=None,
                articles=99,
                ms=Percentiles(p50=80, p95=101.6, p99=None),
                own=Percentiles(p50=1, p95=1.2, p99=None),
            ),
        ),
        length=(
            LengthFigures(
                size="small",
                variant="onnx-int8",
                points=(LengthPoint(words=1000, texts=10, sentences=480, ms_per_word=0.1234),),
                left_out=(10_000, 100_000),
                length_deviation=deviation,
                amounts=(
                    AmountPoint(articles=1, sentences=20, ms_per_sentence=4.0),
                    AmountPoint(articles=2, sentences=40, ms_per_sentence=4.0),
                ),
                amount_deviation=0.0,
            ),
        ),
        agreement=(Agreement(size="small", backend="onnx-int8", sentences=300, differing=0.0125),),
        notes=("the machine was busy",),
    )


def shown(deviation: float) -> str:
    """What is printed, on one wide terminal."""
    console = Console(file=io.StringIO(), width=200)
    show_report(console, report(deviation))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_figures_are_shown_with_their_units() -> None:
    """Rates, ratios, shares of the floor; what was not measured is a dash or said in words."""
    text = shown(0.04)
    assert "float32 117, bfloat16 233, int8 not measured" in text
    ours, peer = (
        next(line for line in text.splitlines() if name in line)
        for name in ("onnx-int8 (auto)", "(c) padded")
    )
    assert [cell.strip() for cell in ours.split("│")[3:-1]] == [
        "250.0", "245.0–255.0", "5.00", "–", "0.3", "141",
    ]  # fmt: skip
    assert "33%" in peer
    assert "small: 7 rounds of 300 sentences in 14 articles" in text
    alone = next(line for line in text.splitlines() if "alone" in line and "99" in line)
    assert [cell.strip() for cell in alone.split("│")[4:-1]] == [
        "80", "102", "–", "1.0", "1.2", "–", "99",
    ]  # fmt: skip
    assert "1.25% of 300 sentences" in text
    assert "no time for 10,000, 100,000 words" in text
    assert "Note: the machine was busy" in text


@pytest.mark.parametrize(
    ("deviation", "verdict"), [(0.1, "words on: in proportion"), (0.11, "words on: NOT in")]
)
def test_cost_is_in_proportion_within_a_tenth(deviation: float, verdict: str) -> None:
    """Ten per cent around the mean is called in proportion, more is not."""
    assert verdict in shown(deviation)


def test_plots_of_the_same_figures_are_the_same(tmp_path: Path) -> None:
    """Drawn twice, the files are equal to the byte, and name what is drawn."""
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    from service.bench.plots import check_plots, draw  # noqa: PLC0415 - needs matplotlib

    folders = tmp_path / "a", tmp_path / "b"
    for folder in folders:
        check_plots(folder)
        files = draw(report(0.04), folder)
    assert [file.name for file in files] == ["throughput.svg", "latency.svg", "length.svg"]
    for file in files:
        assert file.read_bytes() == (folders[0] / file.name).read_bytes()
        assert file.read_text().startswith("<?xml")
