"""Equal texts of a batch are labelled once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from service.contracts import Article
from service.pipeline import Prediction, label_article
from service.repeats import Repeats
from service.segmentation import Segment
from tests.labellers import RuleLabeller


class Counting(RuleLabeller):
    """Counts the texts that it is asked for, and can break."""

    def __init__(self) -> None:
        """Begin whole."""
        self.texts: list[str] = []
        self.is_broken = False

    def predict(self, text: str, segments: Sequence[Segment]) -> list[Prediction]:
        """Predict each segment, or fail."""
        if self.is_broken:
            raise RuntimeError("broken")
        self.texts.append(text)
        return super().predict(text, segments)


TEXT = "The mayor said it had rained. This plan is a disgrace."


def test_the_second_of_two_equal_texts_is_not_labelled_again() -> None:
    """Articles of other ids, equal in their text, come out as if each had been labelled."""
    counting = Counting()
    repeats = Repeats(counting)
    for name in ("a", "b", "c"):
        article = Article(id=name, body=TEXT)
        labelled = label_article(article, repeats).to_json()
        assert labelled == label_article(article, RuleLabeller()).to_json()
    assert counting.texts == [TEXT]
    assert repeats.model == counting.model


def test_the_next_batch_begins_anew() -> None:
    """What was said before is forgotten when it is to be."""
    counting = Counting()
    repeats = Repeats(counting)
    for _ in range(2):
        label_article(Article(id="a", body=TEXT), repeats)
        repeats.forget()
    assert counting.texts == [TEXT, TEXT]


def test_a_failure_forgets_everything() -> None:
    """A model that broke does not seem to work on what it labelled before."""
    counting = Counting()
    repeats = Repeats(counting)
    label_article(Article(id="a", body=TEXT), repeats)
    counting.is_broken = True
    for body in ("Another text.", TEXT):
        with pytest.raises(RuntimeError, match="broken"):
            label_article(Article(id="a", body=body), repeats)
