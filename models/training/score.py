"""Scores a released model as it is served, and writes the figures beside its weights."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.progress import track

from models.training.corpora import corpus_file
from service.evaluation import Pairing, pair, report
from service.gold import GoldArticle, read
from service.pipeline import Labeller

METRICS = "metrics.json"
SEEDS = Path(__file__).parents[2] / "seeds/gold"
# What the collections in the labelled articles mostly hold.
KINDS = {
    "syria": "agency copy",
    "ukraine": "agency copy",
    "as_news": "news",
    "g5": "news",
    "bbc": "news",
    "guardian": "features",
    "as_opinion": "columns and editorials",
    "oped": "columns and editorials",
    "press": "press releases",
    "modern": "mixed",
    "aeb": "mixed",
    "as_unknown": "mixed",
}


def score(labeller: Labeller, data: Path, folder: Path, about: dict[str, Any]) -> dict[str, Any]:
    """Score a model on the dev splits and the seeds, and write ``metrics.json``.

    Args:
        labeller: the released model.
        data: folder of the corpora.
        folder: of the release.
        about: what else belongs into the file: version, temperature, recipe.

    Returns:
        The figures: those of :func:`service.evaluation.report`, ``kinds`` of articles,
        ``own_segmentation``, ``seeds`` (raw text) and, where the corpus is there, ``polnear``.
    """
    dev = _dev(data, "labelled_articles")
    given = _pairings(dev, labeller, "dev", own=False)
    figures: dict[str, Any] = report(given)
    by_kind = [row._replace(group=KINDS.get(str(row.group))) for row in given]
    figures["kinds"] = report(by_kind)["groups"]
    own = report(_pairings(dev, labeller, "dev from raw text", own=True))
    figures["own_segmentation"] = _main(own)
    seeds = [article for file in sorted(SEEDS.glob("*.json")) for article in read(file)]
    figures["seeds"] = _main(report(_pairings(seeds, labeller, "seeds", own=True)))
    if corpus_file(data, "polnear").exists():
        polnear = report(_pairings(_dev(data, "polnear"), labeller, "PolNeAR", own=False))
        figures["polnear"] = {name: polnear[name] for name in ("source", "cue")}
    figures |= about
    (folder / METRICS).write_text(json.dumps(figures, indent=1) + "\n")
    return figures


def _dev(data: Path, name: str) -> list[GoldArticle]:
    return [article for article in read(corpus_file(data, name)) if article.split == "dev"]


def _pairings(
    articles: Iterable[GoldArticle], labeller: Labeller, title: str, *, own: bool
) -> list[Pairing]:
    return [
        row
        for article in track(list(articles), title)
        for row in pair(article, labeller, own_segmentation=own)
    ]


def _main(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: figures[name] for name in ("macro_f1", "accuracy", "sure", "source", "cue")}
