"""Cheap deterministic labellers for tests: what they say follows from the text alone."""

import zlib
from collections.abc import Sequence

from service.contracts import Model
from service.pipeline import Prediction, Usage
from service.segmentation import Segment

Offsets = tuple[int, int]

CUES = ("said", "claimed", "according to")


class ScriptedLabeller:
    """Calls every segment a claim, with the spans it was told."""

    model = Model(name="scripted", version="1", digest="sha256:scripted")
    usage = Usage()

    def __init__(self, spans: Sequence[tuple[Offsets | None, Offsets | None]]) -> None:
        """Take source and cue of each segment, as offsets into the text."""
        self._spans = spans

    def predict(self, text: str, segments: Sequence[Segment]) -> list[Prediction]:  # noqa: ARG002 - the protocol
        """Give back the script."""
        return [
            Prediction((0.1, 0.8, 0.05, 0.05), *marks)
            for _, marks in zip(segments, self._spans, strict=True)
        ]


class RuleLabeller:
    """Labels by a few words, so that tests can tell what must come out.

    It takes each word for a token, in windows that are half full.
    """

    model = Model(name="rules", version="1", digest="sha256:rules")
    usage = Usage()

    def predict(self, text: str, segments: Sequence[Segment]) -> list[Prediction]:
        """Predict each segment."""
        words = len(text.split())
        self.usage = Usage(self.usage.tokens + words, self.usage.room + 2 * words)
        return [self._one(text[part.start : part.end], part.start) for part in segments]

    def _one(self, sentence: str, start: int) -> Prediction:
        noise = zlib.crc32(sentence.encode("utf-8", "surrogatepass")) % 1000 / 10_000
        if sentence.startswith("Read more"):
            return Prediction((0.02, 0.02, 0.02, 0.94))
        for cue in CUES:
            at = sentence.find(cue)
            if at > 1:
                source = (start, start + len(sentence[:at].rstrip()))
                return Prediction(
                    (0.1, 0.8 - noise, 0.05 + noise, 0.05),
                    source,
                    (start + at, start + at + len(cue)),
                )
        if "should" in sentence:
            return Prediction((0.1, 0.05 + noise, 0.8 - noise, 0.05))
        return Prediction((0.9 - noise, 0.05, noise, 0.05))
