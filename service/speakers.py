"""Finds who speaks in a quotation that runs over sentences: the source named in one beside it.

A claim whose own sentence names nobody mostly goes on with what an earlier claim began; less often
it opens a quotation whose speaker is named where it closes. The rule here takes only what the text
shows: an unbroken run of claims, or a quotation still open, leads to the one that names its source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple

_PRONOUNS = frozenset({"he", "she", "they", "it"})
_OPENING, _CLOSING, _STRAIGHT = "“«", "”»", '"'
_QUOTED = re.compile(f"[{_OPENING}{_CLOSING}{_STRAIGHT}]")


class Told(NamedTuple):
    """What is known of a sentence: its text, its place, and, of a claim, source and cue."""

    text: str
    starts_paragraph: bool
    is_claim: bool
    source: str | None = None
    has_cue: bool = False


def nearby_speakers(sentences: Sequence[Told]) -> list[int | None]:
    """For each claim without a source the number of the sentence that names its speaker.

    Where the quotation that the claim stands in runs on to a sentence with a source, that is it.
    Otherwise the nearest earlier claim with a source, if only claims stand between; before one in
    another paragraph comes a later one in the same paragraph. Hearsay (*is said to*), a cue without
    a source outside quotations, has no speaker.

    Returns:
        One entry a sentence: None where it names its own source, is no claim, or none can be told.
    """
    runs_on = _quotation_runs_on(sentences)
    openers = _openers(runs_on)
    paragraphs = _paragraphs(sentences)
    is_claim = [sentence.is_claim for sentence in sentences]
    same = [s.is_claim and not s.starts_paragraph for s in sentences]
    quoted = _nearest(sentences, 1, lambda number, _: runs_on[number])
    before = _nearest(sentences, -1, lambda _, beside: is_claim[beside])
    after = _nearest(sentences, 1, lambda _, beside: same[beside])
    found: list[int | None] = []
    for number, sentence in enumerate(sentences):
        begun = number > 0 and runs_on[number - 1]
        is_hearsay = sentence.has_cue and not (begun or _QUOTED.search(sentence.text))
        if not sentence.is_claim or sentence.source is not None or is_hearsay:
            found.append(None)
            continue
        # Whoever opened the quotation comes before who is named further on: *She said: "We …*.
        opened = begun and sentences[openers[number]].source is not None
        speaker = None if opened else quoted[number]
        if speaker is None:
            speaker = before[number]
            if speaker is None or paragraphs[speaker] != paragraphs[number]:
                later = after[number]
                speaker = speaker if later is None else later
        found.append(speaker)
    return found


def _quotation_runs_on(sentences: Sequence[Told]) -> list[bool]:
    """Whether a quotation is still open at the end of each sentence; paragraphs begin anew."""
    is_open, ends = False, []
    for sentence in sentences:
        is_open = is_open and not sentence.starts_paragraph
        for mark in sentence.text:
            if mark in _OPENING:
                is_open = True
            elif mark in _CLOSING:
                is_open = False
            elif mark in _STRAIGHT:
                is_open = not is_open
        ends.append(is_open)
    return ends


def _openers(runs_on: Sequence[bool]) -> list[int]:
    """For each sentence the one in which the quotation that it begins in was opened."""
    found: list[int] = []
    for number in range(len(runs_on)):
        found.append(found[-1] if number > 0 and runs_on[number - 1] else number)
    return found


def _paragraphs(sentences: Sequence[Told]) -> list[int]:
    """For each sentence the number of its paragraph."""
    return list(accumulate(int(sentence.starts_paragraph) for sentence in sentences))


def _nearest(
    sentences: Sequence[Told], step: int, goes_on: Callable[[int, int], bool]
) -> list[int | None]:
    """For each sentence the nearest to one side that names a source.

    One with a name comes before one with a pronoun, however near that is. Each looks at the one
    beside it only, which has found what lies beyond: the work is the same for any text.

    Args:
        sentences: all of them.
        step: 1 to look at those after it, -1 at those before.
        goes_on: whether the search goes on from one sentence to the one beside it.
    """
    count = len(sentences)
    names: list[int | None] = [None] * count
    sources: list[int | None] = [None] * count
    for number in range(count) if step < 0 else range(count - 1, -1, -1):
        beside = number + step
        if not 0 <= beside < count or not goes_on(number, beside):
            continue
        source = sentences[beside].source
        is_name = source is not None and source.lower() not in _PRONOUNS
        names[number] = beside if is_name else names[beside]
        sources[number] = beside if source is not None else sources[beside]
    return [source if name is None else name for name, source in zip(names, sources, strict=True)]
