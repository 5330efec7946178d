"""Packs an article's segments into windows of tokens, so that each is read among its neighbours.

A window is ``[CLS] m s m s … m s [SEP]``: a marker ``m`` before each segment says how the segment
stands in the article (it opens the article, opens a paragraph, or continues one), ``s`` are the
segment's word pieces. Windows depend on the article alone, never on what else is in a batch, and
nothing is cut: a segment too long for a window goes on in the next one as a further piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# [CLS] and [SEP].
_FRAME = 2


@dataclass(frozen=True)
class WindowLayout:
    """How windows are laid out; part of a released model, for it was trained on them.

    ``max_tokens`` counts everything in the window. ``context_tokens`` is how many tokens of the
    segments before it a window may repeat, unlabelled, so that its first segment has a past.
    """

    max_tokens: int
    context_tokens: int
    cls_token: int
    sep_token: int
    article_marker: int
    paragraph_marker: int
    sentence_marker: int


class Piece(NamedTuple):
    """Part of a segment (mostly all of it) in a window.

    ``first`` is the position of the piece's marker in the window, ``last`` the position after its
    last token; ``offset`` is how many of the segment's tokens stand in earlier pieces.
    """

    segment: int
    offset: int
    first: int
    last: int
    is_context: bool


class Window(NamedTuple):
    """Token ids of one window and the pieces in it, in order, contiguous after the first token."""

    ids: list[int]
    pieces: list[Piece]


def pack(
    segments: Sequence[Sequence[int]],
    starts_paragraph: Sequence[bool],
    layout: WindowLayout,
    *,
    first_capacity: int | None = None,
) -> list[Window]:
    """Pack segments into windows.

    Args:
        segments: word-piece ids of each segment, without special tokens; may be empty lists.
        starts_paragraph: for each segment, whether it opens a paragraph.
        layout: the windows' layout.
        first_capacity: a smaller size for the first window; training shifts windows with it.

    Returns:
        Windows in order; each segment has exactly one piece that is not context, or, when it is
        longer than a window, several consecutive ones.
    """
    windows: list[Window] = []
    room = first_capacity or layout.max_tokens
    pending: list[tuple[int, int, int]] = []  # segment, from token, to token
    size = _FRAME
    longest = layout.max_tokens - _FRAME - 1

    def close() -> None:
        nonlocal pending, size, room
        if pending:
            windows.append(_build(pending, segments, starts_paragraph, layout, room))
        pending, size, room = [], _FRAME, layout.max_tokens

    for index, tokens in enumerate(segments):
        for offset in range(0, max(len(tokens), 1), longest):
            end = min(offset + longest, len(tokens))
            needed = 1 + end - offset
            if pending and size + needed > room:
                close()
                size += _context_size(index, segments, layout, needed)
            pending.append((index, offset, end))
            size += needed
    close()
    return windows


def owners(window: Window) -> NDArray[np.int64]:
    """For each token the number of its piece; of none, for [CLS] and [SEP], that of pieces."""
    owner = np.full(len(window.ids), len(window.pieces))
    for number, piece in enumerate(window.pieces):
        owner[piece.first : piece.last] = number
    return owner


def _context_size(
    index: int, segments: Sequence[Sequence[int]], layout: WindowLayout, needed: int
) -> int:
    """Tokens that context takes in a window that starts with this segment."""
    return sum(1 + len(segments[i]) for i in _context(index, segments, layout, needed))


def _context(
    index: int, segments: Sequence[Sequence[int]], layout: WindowLayout, needed: int
) -> range:
    """Whole segments before this one that fit into the context, never pushing it out."""
    room = min(layout.context_tokens, layout.max_tokens - _FRAME - needed)
    first = index
    while first > 0 and (room := room - 1 - len(segments[first - 1])) >= 0:
        first -= 1
    return range(first, index)


def _build(
    parts: Sequence[tuple[int, int, int]],
    segments: Sequence[Sequence[int]],
    starts_paragraph: Sequence[bool],
    layout: WindowLayout,
    room: int,
) -> Window:
    start, offset, end = parts[0]
    needed = 1 + end - offset
    # A window shortened by training may have no room for context.
    context = _context(start, segments, layout, needed) if room == layout.max_tokens else ()
    listed = [(i, 0, len(segments[i]), True) for i in context]
    listed += [(*part, False) for part in parts]
    ids, pieces = [layout.cls_token], []
    for index, begin, stop, is_context in listed:
        first = len(ids)
        ids.append(_marker(index, begin, starts_paragraph, layout))
        ids.extend(segments[index][begin:stop])
        pieces.append(Piece(index, begin, first, len(ids), is_context))
    ids.append(layout.sep_token)
    return Window(ids, pieces)


def _marker(index: int, offset: int, starts_paragraph: Sequence[bool], layout: WindowLayout) -> int:
    if index == 0 and offset == 0:
        return layout.article_marker
    if starts_paragraph[index] and offset == 0:
        return layout.paragraph_marker
    return layout.sentence_marker
