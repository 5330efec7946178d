"""Writes a release's figures for people: tables in ``SCORES.md``, and two plots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

_SHORT = {"fact": "fact", "attributed_claim": "claim", "opinion": "opinion", "furniture": "furn."}


def write_card(folder: Path, figures: dict[str, Any]) -> None:
    """Write ``SCORES.md``, ``calibration.svg`` and ``coverage.svg`` of a release's figures."""
    # Without these the same figures would not give the same file.
    mpl.rcParams["svg.hashsalt"] = "claimstream"
    _calibration(figures).savefig(folder / "calibration.svg", metadata={"Date": None})
    _coverage(figures).savefig(folder / "coverage.svg", metadata={"Date": None})
    (folder / "SCORES.md").write_text(scores_page(figures))


def scores_page(figures: dict[str, Any]) -> str:
    """All figures as a page of Markdown tables."""
    labels, own, seeds = figures["labels"], figures["own_segmentation"], figures["seeds"]
    columns = (figures, own, seeds)
    intro = (
        f"# Scores of release {figures['version']}\n\n"
        "Made by `python -m models.training release`; the numbers are in `metrics.json`. "
        f"{figures['sentences']:,} sentences of the dev split, boundaries given where nothing "
        "else is said."
    )
    overall = [
        ["macro-F1 of the three labels", *(column["macro_f1"] for column in columns)],
        ["the same, sure sentences", *(column["sure"]["macro_f1"] for column in columns)],
        ["accuracy", *(column["accuracy"] for column in columns)],
    ]
    for span, way in product(("source", "cue"), ("exact", "overlap")):
        overall.append([f"{span}, {way} F1", *(column[span][f"{way}_f1"] for column in columns)])
    parts = [
        intro,
        _table(
            ["class", "precision", "recall", "F1", "support"],
            ([n, s["precision"], s["recall"], s["f1"], s["support"]] for n, s in labels.items()),
        ),
        _table(["measure", "dev", "dev, raw text", "seeds, raw text"], overall),
    ]
    if "polnear" in figures:
        scores = (
            f"{name} exact {span['exact_f1']:.3f}, overlap {span['overlap_f1']:.3f}"
            for name, span in figures["polnear"].items()
        )
        parts.append(f"PolNeAR's dev split, by its wider notion: {', '.join(scores)}.")
    for title, key in (("kind of article", "kinds"), ("collection", "groups")):
        parts += [f"## By {title}", _groups(title, figures[key])]
    parts += [
        "## Confusion\n\nRows are the annotators', columns the model's.",
        _table(
            ["", *_SHORT.values()],
            ([_SHORT[gold], *row.values()] for gold, row in figures["confusion"].items()),
        ),
        f"## Confidence\n\nExpected calibration error over 15 bins: {figures['ece']:.3f}.",
        "![Accuracy against confidence](calibration.svg)",
        "![Accuracy against coverage](coverage.svg)",
        _table(
            ["confidence at least", "share of sentences", "of them right"],
            ([r["threshold"], r["coverage"], r["accuracy"]] for r in figures["coverage"][6:]),
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _groups(title: str, groups: dict[str, Any]) -> str:
    header = [title, "sentences", "macro-F1", "accuracy"]
    return _table(
        [*header, *(f"F1 {short} (n)" for short in _SHORT.values())],
        (
            [
                name,
                row["sentences"],
                row["macro_f1"],
                row["accuracy"],
                *(f"{s['f1']:.3f} ({s['support']})" for s in row["labels"].values()),
            ]
            for name, row in groups.items()
        ),
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    def cell(value: object) -> str:
        return f"{value:.3f}" if isinstance(value, float) else str(value)

    lines = [header, ["---"] * len(header), *([cell(value) for value in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _calibration(figures: dict[str, Any]) -> Figure:
    bins = figures["reliability"]
    figure = Figure(figsize=(4.5, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="confidence", ylabel="share that is right")
    axes.plot([0.3, 1], [0.3, 1], ":", color="grey")
    sizes = [10 + part["answers"] / 5 for part in bins]
    axes.scatter([part["confidence"] for part in bins], [part["accuracy"] for part in bins], sizes)
    axes.set_title(f"ECE {figures['ece']:.3f}; area: number of sentences", fontsize="medium")
    return figure


def _coverage(figures: dict[str, Any]) -> Figure:
    curve = [row for row in figures["coverage"] if row["coverage"]]
    figure = Figure(figsize=(4.5, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="share of sentences kept", ylabel="of them right")
    axes.plot([row["coverage"] for row in curve], [row["accuracy"] for row in curve], ".-")
    axes.set_title("sentences kept above a threshold of confidence", fontsize="medium")
    return figure
