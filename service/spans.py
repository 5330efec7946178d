"""Finds source and cue in a sentence from the scores of where they start and end."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Candidate(NamedTuple):
    """The best span of a piece: tokens first to last (inclusive, the marker being token 0).

    ``margin`` is how much more it scores than there being none; above 0 it counts.
    """

    first: int
    last: int
    margin: float


def best_span(
    starts: NDArray[np.float32], ends: NDArray[np.float32], max_tokens: int = 48
) -> Candidate | None:
    """Find the span with the highest sum of start and end score.

    This is the usual decoding of extractive question answering (Devlin et al. 2019, BERT, section
    4.3), with the piece's marker in the place of their [CLS] as "there is none".

    Args:
        starts: score of a span starting at each token (n,), the marker first.
        ends: score of a span ending at each token (n,).
        max_tokens: no span is longer.

    Returns:
        The best candidate, or None for a piece without tokens.
    """
    if len(starts) <= 1:
        return None
    starts_, ends_ = starts[1:], ends[1:]
    best = Candidate(0, 0, -np.inf)
    none = float(starts[0] + ends[0])
    # For every start the best end within reach: a running maximum over a sliding view.
    for first in range(len(starts_)):
        reach = ends_[first : first + max_tokens]
        last = int(reach.argmax())
        margin = float(starts_[first] + reach[last]) - none
        if margin > best.margin:
            best = Candidate(first + 1, first + last + 1, margin)
    return best
