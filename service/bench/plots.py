"""Draws a measurement of the labeller: throughput, latency, and cost by length."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from service.bench.errors import BenchError
from service.bench.results import Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_OURS, _PEERS = "#0072b2", "#999999"


def check_plots(folder: Path) -> None:
    """Make sure, before anything is measured, that plots can be drawn into a folder.

    Raises:
        BenchError: matplotlib is not installed, or the folder cannot be made.
    """
    if find_spec("matplotlib") is None:
        raise BenchError("--plots needs matplotlib: pip install 'claimstream[dev]'")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BenchError(f"{folder}: {error.strerror}") from error


def draw(report: Report, folder: Path) -> list[Path]:
    """Write one SVG for each plot into a folder that is there, and say which."""
    import matplotlib as mpl  # noqa: PLC0415 - not installed where nothing is drawn

    # Without these the same figures would not give the same file.
    mpl.rcParams["svg.hashsalt"] = "claimstream"
    files = []
    for name, figure in (
        ("throughput", _throughput(report)),
        ("latency", _latency(report)),
        ("length", _length(report)),
    ):
        files.append(folder / f"{name}.svg")
        figure.savefig(files[-1], metadata={"Date": None})
    return files


def _figure(rows: int) -> Figure:
    from matplotlib.figure import Figure  # noqa: PLC0415 - the same

    return Figure(figsize=(7, 1.6 + 0.4 * rows), layout="constrained")


def _throughput(report: Report) -> Figure:
    """A bar for each variant with the range of its rounds, and a mark at its floor."""
    variants = report.variants[::-1]
    figure = _figure(len(variants))
    axes = figure.subplots()
    places = range(len(variants))
    speeds = [one.sentences_per_s for one in variants]
    axes.barh(
        places,
        speeds,
        color=[_OURS if one.ours else _PEERS for one in variants],
        xerr=[
            [one.sentences_per_s - one.lowest for one in variants],
            [one.highest - one.sentences_per_s for one in variants],
        ],
        error_kw={"ecolor": "black", "capsize": 2},
    )
    floors = [(n, one.floor_sentences_per_s) for n, one in enumerate(variants)]
    marked = [(n, floor) for n, floor in floors if floor is not None]
    if marked:
        axes.scatter(
            [floor for _, floor in marked],
            [n for n, _ in marked],
            marker="|",
            s=160,
            color="black",
            label="the most that one core could do",
        )
        figure.legend(loc="outside lower right")
    axes.set_yticks(places, [f"{one.size}: {one.name}" for one in variants])
    axes.set_xlim(left=0)
    axes.set_xlabel("sentences a second, one thread")
    axes.set_title(report.machine.processor)
    return figure


def _latency(report: Report) -> Figure:
    """The percentiles of each model by load."""
    figure = _figure(6)
    axes = figure.subplots()
    for size in dict.fromkeys(one.size for one in report.latency):
        found = [one for one in report.latency if one.size == size]
        for name, style in (("p50", "-"), ("p95", "--"), ("p99", ":")):
            values = [getattr(one.ms, name) for one in found]
            known = [(n, value) for n, value in enumerate(values) if value is not None]
            if known:
                axes.plot(*zip(*known, strict=True), style, marker="o", label=f"{size}, {name}")
        loads = ["alone" if one.load is None else f"{one.load:.0%} load" for one in found]
        axes.set_xticks(range(len(found)), loads)
    axes.set_yscale("log")
    axes.set_ylabel("ms from coming to labelled")
    axes.legend()
    return figure


def _length(report: Report) -> Figure:
    """The cost of a word by the length of the text; flat where cost is in proportion."""
    figure = _figure(6)
    axes = figure.subplots()
    for one in report.length:
        words = [point.words for point in one.points]
        costs = [point.ms_per_word for point in one.points]
        axes.plot(words, costs, marker="o", label=f"{one.size}, {one.variant}")
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("words of the text")
    axes.set_ylabel("ms a word")
    axes.legend()
    return figure
