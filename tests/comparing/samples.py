"""Articles as two models label them."""

from __future__ import annotations

from collections.abc import Sequence

from service.contracts import Article, LabelledArticle, Model
from service.pipeline import Prediction, label_article
from service.segmentation import Segment
from tests.labellers import RuleLabeller

BODY = "He said it rained. We should go. The train was late. Read more here."


class OtherLabeller(RuleLabeller):
    """Takes what should be for a fact, and another source of each claim."""

    model = Model(name="others", version="2", digest="sha256:others", uncertain_below=0.9)

    def predict(self, text: str, segments: Sequence[Segment]) -> list[Prediction]:
        """Predict each segment."""
        return [self._other(one) for one in super().predict(text, segments)]

    def _other(self, one: Prediction) -> Prediction:
        fact, claim, opinion, furniture = one.probabilities
        source = one.source and (one.source[0], one.source[1] - 1)
        swapped = max(fact, opinion), claim, min(fact, opinion), furniture
        return Prediction(swapped, source, one.cue)


def article(name: str = "a", body: str = BODY) -> Article:
    """An article."""
    return Article(id=name, body=body)


def labelled(
    name: str = "a", body: str = BODY, labeller: type[RuleLabeller] = RuleLabeller
) -> LabelledArticle:
    """An article as a model labels it."""
    return label_article(article(name, body), labeller())
