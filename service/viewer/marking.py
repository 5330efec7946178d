"""Cuts an article into what a page shows: paragraphs of sentences, and the marks inside them.

All offsets are counted here, in code points: a browser would count in UTF-16 units. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from service.contracts import Extent, LabelledArticle, Sentence, Span
from service.viewer.filtering import Interval, Wanted, hits
from service.viewer.store import Held

# Longer articles are shown in parts, so that no article makes a page that no browser can hold.
SENTENCES_A_PAGE: Final = 400
# Where nothing is known of what stands between sentences but its length: one character is a
# space, more are a paragraph's end.
_LEAST_GAP: Final = 2
_BLANK_LINE: Final = re.compile(r"\n[^\S\n]*\n")

# Control characters, and overrides of the writing direction, which show a text that is not there.
_HARMFUL: Final = dict.fromkeys(
    [
        *(n for n in range(0x20) if chr(n) not in "\t\n\r"),
        *range(0x7F, 0xA0),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    ],
    "\N{REPLACEMENT CHARACTER}",
)


Role = Literal["", "source", "cue"]


class Piece(NamedTuple):
    """A stretch of a sentence that is marked in the same way throughout."""

    text: str
    role: Role
    is_hit: bool


class Labelled(NamedTuple):
    """A sentence as it is shown.

    Attributes:
        sentence: the sentence.
        pieces: its text.
        nearby: its source, where that stands in another sentence.
        is_wanted: whether it is among what the reader asks for.
    """

    sentence: Sentence
    pieces: list[Piece]
    nearby: Span | None
    is_wanted: bool


class Furniture(NamedTuple):
    """Text that is no sentence of the article: its length, and its words where they are known."""

    length: int
    text: str | None


class Between(NamedTuple):
    """What stands between two sentences of a paragraph."""

    text: str


Part = Labelled | Furniture | Between


def harmless(text: str) -> str:
    """The text, as long as it was, without what could show another text than it is."""
    return text.translate(_HARMFUL)


def paragraphs(
    held: Held, wanted: Wanted, fitting: Collection[int], page: int = 0
) -> list[list[Part]]:
    """Cut an article into paragraphs.

    Args:
        held: the article.
        wanted: what the reader asks for; the words searched for are marked.
        fitting: numbers of the sentences that have it.
        page: which part of the article, in steps of `SENTENCES_A_PAGE` sentences.
    """
    text = held.text
    cut: list[list[Part]] = []
    last = None
    for extent in _extents(held.article, page):
        gap = "" if text is None or last is None else text[last : extent.start]
        if last is None or _ends_paragraph(gap, extent.start - last, is_known=text is not None):
            cut.append([])
        elif extent.start > last:
            cut[-1].append(Between(gap or " "))
        if isinstance(extent, Sentence):
            pieces = list(_pieces(extent, hits(extent.text, wanted.words)))
            nearby = extent.source if _is_elsewhere(extent) else None
            cut[-1].append(Labelled(extent, pieces, nearby, extent.index in fitting))
        else:
            words = None if text is None else text[extent.start : extent.end]
            cut[-1].append(Furniture(extent.end - extent.start, words))
        last = extent.end
    return _joined(cut) if text is None else cut


def page_count(article: LabelledArticle) -> int:
    """In how many parts an article is shown."""
    return max(1, -(-len(article.sentences) // SENTENCES_A_PAGE))


def page_of(number: int) -> int:
    """Which part of its article a sentence is shown in."""
    return number // SENTENCES_A_PAGE


def marked(text: str, intervals: Sequence[Interval]) -> list[Piece]:
    """Cut a text into what lies in the intervals (in order, without overlaps) and what does not."""
    edges = [0, *(edge for interval in intervals for edge in interval), len(text)]
    return [
        Piece(text[start:end], "", bool(number % 2))
        for number, (start, end) in enumerate(pairwise(edges))
        if start < end
    ]


def _extents(article: LabelledArticle, page: int) -> list[Sentence | Extent]:
    """The page's sentences, and the furniture before, between and, on the last page, after them."""
    first = page * SENTENCES_A_PAGE
    sentences = article.sentences[first : first + SENTENCES_A_PAGE]
    following = article.sentences[first + SENTENCES_A_PAGE :][:1]
    start = sentences[0].start if sentences and first else 0
    end = following[0].start if following else float("inf")
    furniture = [extent for extent in article.furniture if start <= extent.start < end]
    return sorted((*sentences, *furniture), key=lambda extent: extent.start)


def _joined(cut: list[list[Part]]) -> list[list[Part]]:
    """Make one of pieces of furniture that follow each other, whose words are not known."""
    joined: list[list[Part]] = []
    for paragraph in cut:
        lengths = [part.length for part in paragraph if isinstance(part, Furniture)]
        if any(isinstance(part, Labelled) for part in paragraph):
            joined.append(paragraph)
            continue
        match joined[-1:]:
            case [[Furniture(length, None)]]:
                joined.pop()
                lengths.append(length)
        joined.append([Furniture(sum(lengths), None)])
    return joined


def _ends_paragraph(gap: str, length: int, *, is_known: bool) -> bool:
    return _BLANK_LINE.search(gap) is not None if is_known else length >= _LEAST_GAP


def _is_elsewhere(sentence: Sentence) -> bool:
    return sentence.source is not None and sentence.source.sentence_index != sentence.index


def _pieces(sentence: Sentence, found: Sequence[Interval]) -> Iterator[Piece]:
    """Cut a sentence where its source, its cue or a word searched for begins or ends."""
    marks: tuple[tuple[Role, Span | None], ...] = (
        ("source", sentence.source),
        ("cue", sentence.cue),
    )
    spans = [
        (role, span.start - sentence.start, span.end - sentence.start)
        for role, span in marks
        if span is not None and span.sentence_index == sentence.index
    ]
    ends = (*(edge for _, *edges in spans for edge in edges), *(e for hit in found for e in hit))
    edges = sorted({0, len(sentence.text), *ends})
    for start, end in pairwise(edges):
        roles = [role for role, first, last in spans if first <= start < last]
        is_hit = any(first <= start < last for first, last in found)
        yield Piece(sentence.text[start:end], roles[0] if roles else "", is_hit)
