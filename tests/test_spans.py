"""Decoding of spans from start and end scores."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from service.spans import best_span

SCORES = st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=2, max_size=20)


@given(SCORES, st.integers(1, 8))
def test_finds_the_best_of_all_spans(scores: list[tuple[int, int]], longest: int) -> None:
    """The span found scores as high as the best of all that are tried one by one."""
    starts, ends = np.array(scores, dtype=np.float32).T
    best = max(
        starts[i] + ends[j]
        for i in range(1, len(scores))
        for j in range(i, min(len(scores), i + longest))
    )
    found = best_span(starts, ends, longest)
    assert found is not None
    assert found.margin == best - starts[0] - ends[0]
    assert starts[found.first] + ends[found.last] == best
    assert 1 <= found.first <= found.last < found.first + longest


def test_a_piece_without_tokens_has_no_span() -> None:
    """Only a marker: nothing to find."""
    assert best_span(np.zeros(1, np.float32), np.zeros(1, np.float32)) is None
