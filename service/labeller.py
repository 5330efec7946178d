"""Predicts the segments of an article with a network: tokens, windows, scores, spans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from service.contracts import Model
from service.pipeline import Prediction, Usage
from service.segmentation import Segment
from service.spans import Candidate, best_span
from service.windows import Window, WindowLayout, pack

Offsets = tuple[int, int]
# A span in a piece, and how many of the segment's tokens stand in earlier pieces.
Mark = tuple[Candidate, int]


class Backend(Protocol):
    """Runs the network."""

    @property
    def name(self) -> str:
        """Library and numbers, as the labelled article tells them."""

    def score(self, window: Window) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits of the window's pieces (n, 4) and of its tokens (length, 4)."""


class WindowLabeller:
    """A labeller around a network. Its predictions depend on the article alone.

    Windows go through the network one by one: nothing is padded, and sums are made in the same
    order whatever else is being labelled, so replays give the same bytes.
    """

    def __init__(
        self,
        backend: Backend,
        tokenizer: Tokenizer,
        layout: WindowLayout,
        model: Model,
        temperature: float = 1.0,
    ) -> None:
        """Take the parts of a model; ``temperature`` divides the logits of the classes."""
        self.model = model.model_copy(update={"backend": backend.name})
        self.usage = Usage()
        self._backend = backend
        self._tokenizer = tokenizer
        self._layout = layout
        self._temperature = temperature

    def predict(self, text: str, segments: Sequence[Segment]) -> list[Prediction]:
        """Predict each segment of the text, in order."""
        if not segments:
            return []
        tokens = self._tokenizer.encode_batch(
            [text[part.start : part.end] for part in segments], add_special_tokens=False
        )
        windows = pack(
            [encoding.ids for encoding in tokens],
            [part.starts_paragraph for part in segments],
            self._layout,
        )
        self.usage = Usage(
            self.usage.tokens + sum(len(window.ids) for window in windows),
            self.usage.room + len(windows) * self._layout.max_tokens,
        )
        logits = np.zeros((len(segments), 4))
        sizes = np.zeros((len(segments), 1))
        spans: list[list[Mark | None]] = [[None, None] for _ in segments]
        for window in windows:
            classes, span_ends = self._backend.score(window)
            for piece, scores in zip(window.pieces, classes, strict=True):
                if piece.is_context:
                    continue
                size = piece.last - piece.first
                logits[piece.segment] += size * scores
                sizes[piece.segment] += size
                ends = span_ends[piece.first : piece.last]
                for kind in range(2):
                    found = best_span(ends[:, 2 * kind], ends[:, 2 * kind + 1])
                    known = spans[piece.segment][kind]
                    if found and found.margin > (known[0].margin if known else 0):
                        spans[piece.segment][kind] = found, piece.offset
        probabilities = _softmax(logits / sizes / self._temperature)
        return [
            Prediction(
                _four(probabilities[i]),
                *(_in_text(mark, tokens[i].offsets, part.start) for mark in _apart(*spans[i])),
            )
            for i, part in enumerate(segments)
        ]


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    normalised: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return normalised


def _four(row: NDArray[np.float64]) -> tuple[float, float, float, float]:
    fact, claim, opinion, furniture = map(float, row)
    return fact, claim, opinion, furniture


def _apart(source: Mark | None, cue: Mark | None) -> tuple[Mark | None, Mark | None]:
    """Drop the less certain of two spans that share a token."""
    if source and cue:
        (found, skipped), (other, others) = source, cue
        if (
            found.first + skipped <= other.last + others
            and other.first + others <= found.last + skipped
        ):
            return (source, None) if found.margin >= other.margin else (None, cue)
    return source, cue


def _in_text(mark: Mark | None, offsets: Sequence[Offsets], start: int) -> Offsets | None:
    """Where a span of tokens stands in the article's text."""
    if mark is None:
        return None
    found, skipped = mark
    first, last = found.first - 1 + skipped, found.last - 1 + skipped
    return start + offsets[first][0], start + offsets[last][1]
