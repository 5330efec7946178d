"""The released model: what its card says of it, and what it must get right."""

import json
import os
from pathlib import Path

import pytest

from service.contracts import Article
from service.evaluation import evaluate
from service.gold import read
from service.labeller import WindowLabeller
from service.pipeline import label_article
from service.release import load
from service.settings import ModelSettings

ROOT = Path(__file__).parent.parent
RELEASE = ROOT / "models/small"
DATA = os.environ.get("CLAIMSTREAM_DATA")


@pytest.fixture(scope="module")
def labeller() -> WindowLabeller:
    """The released model."""
    model: WindowLabeller = load(ModelSettings(path=RELEASE))
    return model


def test_files_are_small_enough_for_git() -> None:
    """No file of the release is larger than 50 MB."""
    assert max(file.stat().st_size for file in RELEASE.iterdir()) <= 50_000_000


def test_labels_the_seeds(labeller: WindowLabeller) -> None:
    """On our own articles, the whole way from raw text, it stays where it was at its release."""
    articles = [a for file in sorted(ROOT.glob("seeds/gold/*.json")) for a in read(file)]
    figures = evaluate(articles, labeller, own_segmentation=True)
    assert figures["macro_f1"] >= 0.83
    assert figures["source"]["exact_f1"] >= 0.85
    assert figures["cue"]["exact_f1"] >= 0.88


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
def test_scores_on_dev_are_those_of_the_card(labeller: WindowLabeller) -> None:
    """The dev figures are at least the agreed ones, and those that metrics.json tells."""
    corpus = Path(str(DATA)) / "labelled_articles.jsonl"
    figures = evaluate([a for a in read(corpus) if a.split == "dev"], labeller)
    assert figures["macro_f1"] >= 0.84
    assert figures["source"]["exact_f1"] >= 0.75
    assert figures["cue"]["exact_f1"] >= 0.75
    told = json.loads((RELEASE / "metrics.json").read_text())
    for name in ("macro_f1", "accuracy", "ece"):
        assert told[name] == pytest.approx(figures[name], abs=0.002)
