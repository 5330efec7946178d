"""The released model: what its card says of it, and what it must get right."""

import json
import os
from operator import ge
from pathlib import Path
from typing import Any

import pytest

from service.contracts import Article
from service.evaluation import evaluate
from service.gold import read
from service.labeller import WindowLabeller
from service.pipeline import label_article
from service.release import load
from service.settings import ModelSettings

ROOT = Path(__file__).parent.parent
# What each release reaches, a little rounded down: on the seeds macro-F1, source and cue exact F1;
# on dev macro-F1, source and cue exact F1; the calibration error at most.
REACHED = {
    "base": {"seeds": (0.90, 0.94, 0.94), "dev": (0.90, 0.90, 0.87), "ece": 0.02},
    "small": {"seeds": (0.89, 0.93, 0.93), "dev": (0.855, 0.855, 0.84), "ece": 0.02},
}
DATA = os.environ.get("CLAIMSTREAM_DATA")


@pytest.fixture(scope="module", params=REACHED)
def size(request: pytest.FixtureRequest) -> str:
    """The name of a released size."""
    return str(request.param)


@pytest.fixture(scope="module")
def labeller(size: str) -> WindowLabeller:
    """The released model of that size."""
    return load(ModelSettings.model_validate({"size": size, "threads": 2}))


def test_files_are_small_enough_for_git() -> None:
    """No file of the releases is larger than 50 MB, and all weights take 250 MB at most."""
    weights = [file.stat().st_size for file in ROOT.glob("models/*/*.safetensors")]
    assert max(weights) <= 50_000_000
    assert sum(weights) <= 250_000_000


def test_labels_the_seeds(labeller: WindowLabeller, size: str) -> None:
    """On our own articles, the whole way from raw text, it stays where it was at its release."""
    articles = [a for file in sorted(ROOT.glob("seeds/gold/*.json")) for a in read(file)]
    figures = evaluate(articles, labeller, own_segmentation=True)
    assert all(map(ge, main_figures(figures), REACHED[size]["seeds"]))


def main_figures(figures: dict[str, Any]) -> list[float]:
    """Macro-F1, and exact F1 of source and cue."""
    return [figures["macro_f1"], figures["source"]["exact_f1"], figures["cue"]["exact_f1"]]


@pytest.mark.parametrize(
    ("body", "labels"),
    [
        ("The unemployment rate rose to 4.1% in June.", "fact"),
        (
            "The unemployment rate rose to 4.1% in June, the Labor Department said.",
            "attributed_claim",
        ),
        ("Nobody should be surprised by this shameful giveaway.", "opinion"),
        ("The company did not respond to a request for comment.", "fact"),
    ],
)
def test_tells_apart_what_the_codebook_does(
    labeller: WindowLabeller, body: str, labels: str
) -> None:
    """Pairs that differ in how they are presented get different labels."""
    (sentence,) = label_article(Article(id="a", body=body), labeller).sentences
    assert sentence.label == labels


@pytest.mark.skipif(DATA is None, reason="CLAIMSTREAM_DATA names no folder of training data")
@pytest.mark.parametrize(
    "size", [pytest.param("base", marks=pytest.mark.slow), "small"], indirect=True
)
def test_scores_on_dev_are_those_of_the_card(labeller: WindowLabeller, size: str) -> None:
    """The dev figures are at least the agreed ones, and those that metrics.json tells."""
    corpus = Path(str(DATA)) / "labelled_articles.jsonl"
    figures = evaluate([a for a in read(corpus) if a.split == "dev"], labeller)
    assert all(map(ge, main_figures(figures), REACHED[size]["dev"]))
    assert figures["ece"] <= REACHED[size]["ece"]
    told = json.loads((ROOT / "models" / size / "metrics.json").read_text())
    # Not the calibration error: a dozen sentences, or int8 instead of bfloat16, move it by more.
    for name in ("macro_f1", "accuracy"):
        assert told[name] == pytest.approx(figures[name], abs=0.003)
