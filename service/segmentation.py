"""Divide an article's text into sentences.

First the text's structure is found (`service.blocks`), then the sentences in each block
(`service.stops`). Whatever those decide, segments are in order, do not overlap, have no white
space around them, and hold every other character of the text: nothing an article says is lost.
"""

from typing import NamedTuple

from service.blocks import blocks, has_break
from service.stops import divisions


class Segment(NamedTuple):
    """A sentence, or a piece that stands for one: half-open code points into the text."""

    start: int
    end: int
    starts_paragraph: bool


def segment(text: str) -> list[Segment]:
    """Divide a text into its sentences, in time linear in its length."""
    segments: list[Segment] = []
    for block_start, block_end in blocks(text):
        start = block_start
        starts_paragraph = not segments or has_break(text, segments[-1].end, start)
        for end, following in divisions(text, block_start, block_end):
            segments.append(Segment(start, end, starts_paragraph))
            start = following
            starts_paragraph = has_break(text, end, following)
        segments.append(Segment(start, block_end, starts_paragraph))
    return segments
