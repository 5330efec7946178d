"""Two labellers on the same articles, in turns."""

from __future__ import annotations

import time
from collections.abc import Sequence

from service.comparing.labelling import compare_labellers
from service.pipeline import Prediction
from service.segmentation import Segment
from tests.comparing.samples import BODY, OtherLabeller, article
from tests.labellers import RuleLabeller


class SlowLabeller(OtherLabeller):
    """Takes 20 ms for each article, and remembers when it was asked."""

    def __init__(self, asked: list[str]) -> None:
        """Take where to remember."""
        self._asked = asked

    def predict(self, text: str, segments: Sequence[Segment]) -> list[Prediction]:
        """Predict each segment."""
        self._asked.append("slow")
        time.sleep(0.02)
        return super().predict(text, segments)


class QuickLabeller(RuleLabeller):
    """Remembers when it was asked."""

    def __init__(self, asked: list[str]) -> None:
        """Take where to remember."""
        self._asked = asked

    def predict(self, text: str, segments: Sequence[Segment]) -> list[Prediction]:
        """Predict each segment."""
        self._asked.append("quick")
        return super().predict(text, segments)


def test_both_label_all_in_turns() -> None:
    """Each article is labelled by both, now the one first, now the other; speeds are told."""
    asked: list[str] = []
    articles = [article(str(n), f"{BODY} Number {n} came.") for n in range(4)]
    report = compare_labellers(QuickLabeller(asked), SlowLabeller(asked), articles, 2)
    assert asked[2:] == ["quick", "slow", "slow", "quick"] * 2
    assert report.articles.compared == 4
    assert (report.parts, report.differing) == (20, 4)
    assert len(report.disagreements) == 2
    assert report.b.sentences_per_s is not None
    assert report.a.sentences_per_s is not None
    # 20 parts in four times 20 ms at least.
    assert report.b.sentences_per_s <= 250
    assert report.a.sentences_per_s > report.b.sentences_per_s
