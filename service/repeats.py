"""Labels a text once that several articles of a batch have: agencies' stories come from many."""

from __future__ import annotations

from collections.abc import Sequence

from service.contracts import Model
from service.pipeline import Labeller, Prediction, Usage
from service.segmentation import Segment


class Repeats:
    """A labeller that keeps what it said until it is told to forget.

    Predictions follow from the text alone, so those of an equal text are the same to the last bit.
    What fails is forgotten with all the rest: a model that broke must not seem to work.
    """

    def __init__(self, labeller: Labeller) -> None:
        """Take the labeller that is asked for what is new."""
        self._labeller = labeller
        self._said: dict[str, list[Prediction]] = {}

    @property
    def model(self) -> Model:
        """Name, version and digest of the model."""
        return self._labeller.model

    @property
    def usage(self) -> Usage:
        """What it has used so far, all articles together."""
        return self._labeller.usage

    def forget(self) -> None:
        """Begin anew; call while nothing is being predicted."""
        self._said.clear()

    def predict(self, text: str, segments: Sequence[Segment]) -> list[Prediction]:
        """Predict each segment of the text, in order."""
        try:
            if text not in self._said:
                self._said[text] = self._labeller.predict(text, segments)
        except BaseException:
            self.forget()
            raise
        return self._said[text]
