"""Finds who speaks in a quotation that runs over sentences: the source named in one beside it.

A claim whose own sentence names nobody mostly goes on with what an earlier claim began; less often
it opens a quotation whose speaker is named where it closes. The rule here takes only what the text
shows: an unbroken run of claims, or a quotation still open, leads to the one that names its source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
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
    found: list[int | None] = []
    for number, sentence in enumerate(sentences):
        begun = number > 0 and runs_on[number - 1]
        is_hearsay = sentence.has_cue and not (begun or _QUOTED.search(sentence.text))
        if not sentence.is_claim or sentence.source is not None or is_hearsay:
            found.append(None)
            continue
        speaker = None
        if runs_on[number] and not (begun and _opener_names(sentences, runs_on, number)):
            speaker = _named(sentences, _rest_of_quotation(sentences, runs_on, number))
        if speaker is None:
            speaker = _named(sentences, _run(sentences, number, -1))
            if speaker is None or _paragraph_between(sentences, speaker, number):
                later = _named(sentences, _same_paragraph(sentences, number))
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


def _opener_names(sentences: Sequence[Told], runs_on: Sequence[bool], number: int) -> bool:
    """Whether the sentence that opened the quotation names its speaker: *She said: "We …*."""
    while number > 0 and runs_on[number - 1]:
        number -= 1
    return sentences[number].source is not None


def _rest_of_quotation(
    sentences: Sequence[Told], runs_on: Sequence[bool], number: int
) -> Iterator[int]:
    """Numbers of the sentences from here to the one that closes the quotation."""
    while number + 1 < len(sentences) and runs_on[number]:
        number += 1
        yield number


def _named(sentences: Sequence[Told], numbers: Iterator[int]) -> int | None:
    """The first of the sentences with a source; with a name rather than a pronoun if it has one."""
    first = None
    for number in numbers:
        source = sentences[number].source
        if source is None:
            continue
        if source.lower() not in _PRONOUNS:
            return number
        first = number if first is None else first
    return first


def _run(sentences: Sequence[Told], number: int, step: int) -> Iterator[int]:
    """Numbers of the claims beside a sentence in one direction, as far as nothing else stands."""
    number += step
    while 0 <= number < len(sentences) and sentences[number].is_claim:
        yield number
        number += step


def _same_paragraph(sentences: Sequence[Told], number: int) -> Iterator[int]:
    """Numbers of the claims that follow without a break in the sentence's paragraph."""
    for later in _run(sentences, number, 1):
        if sentences[later].starts_paragraph:
            return
        yield later


def _paragraph_between(sentences: Sequence[Told], first: int, last: int) -> bool:
    return any(sentence.starts_paragraph for sentence in sentences[first + 1 : last + 1])
