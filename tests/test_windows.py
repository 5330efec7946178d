"""Windows: nothing cut, nothing twice, the same for the same article."""

from hypothesis import given
from hypothesis import strategies as st

from service.windows import WindowLayout, pack

SEGMENTS = st.lists(st.lists(st.integers(100, 999), max_size=70), max_size=30)
LAYOUT = WindowLayout(32, 0, 1, 2, 3, 4, 5)


def layout(context: int) -> WindowLayout:
    """Windows of 32 tokens with so many of context."""
    return WindowLayout(32, context, 1, 2, 3, 4, 5)


@given(SEGMENTS, st.integers(0, 20))
def test_every_token_is_in_exactly_one_piece_that_counts(
    segments: list[list[int]], context: int
) -> None:
    """Joined, the pieces of a segment that are not context give back its tokens."""
    seen: list[list[int]] = [[] for _ in segments]
    order = []
    for window in pack(segments, [False] * len(segments), layout(context)):
        assert len(window.ids) <= 32
        assert (window.ids[0], window.ids[-1]) == (1, 2)
        position = 1
        for piece in window.pieces:
            assert piece.first == position
            position = piece.last
            tokens = window.ids[piece.first + 1 : piece.last]
            assert tokens == segments[piece.segment][piece.offset : piece.offset + len(tokens)]
            if not piece.is_context:
                assert piece.offset == len(seen[piece.segment])
                seen[piece.segment] += tokens
                order.append(piece.segment)
        assert position == len(window.ids) - 1
        assert not all(piece.is_context for piece in window.pieces)
    assert seen == segments
    assert order == sorted(order)
    assert set(order) == set(range(len(segments)))


def test_markers_say_where_a_segment_stands() -> None:
    """The article's first segment, a paragraph's first and any other have markers of their own."""
    (window,) = pack([[100], [101], [102]], [True, False, True], LAYOUT)
    assert window.ids == [1, 3, 100, 5, 101, 4, 102, 2]


def test_a_segment_longer_than_a_window_goes_on() -> None:
    """Its further pieces continue it, marked as no paragraph's start."""
    windows = pack([list(range(100, 160))], [True], LAYOUT)
    assert [w.pieces[0].offset for w in windows] == [0, 29, 58]
    assert [w.ids[1] for w in windows] == [3, 5, 5]


def test_context_repeats_whole_segments_before() -> None:
    """A later window opens with what fits of the segments before it."""
    segments = [[100] * 10, [101] * 10, [102] * 10]
    first, second = pack(segments, [False] * 3, layout(12))
    assert [p.segment for p in first.pieces] == [0, 1]
    assert [(p.segment, p.is_context) for p in second.pieces] == [(1, True), (2, False)]


def test_no_segments_no_windows() -> None:
    """An article without text needs no window."""
    assert pack([], [], LAYOUT) == []
