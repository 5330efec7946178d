"""Finds claims of two sources that are about the same thing, by the words they share. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import combinations
from typing import Final, NamedTuple

from service.viewer.claims import Claim, Speaker
from service.viewer.filtering import Interval

# Shown on the page as it stands: who reads the pairs should know how they come about.
RULE: Final = (
    "Two claims of different sources stand beside each other when they share at least two words "
    "that carry content, and these are a quarter or more of the shorter claim's. Counted are "
    "words of four letters or more and numbers, without common words, plural endings, the source "
    "and the words that mark the claim. Shared words are not agreement, and claims on one subject "
    "may share none."
)
_LEAST_SHARED: Final = 2
_LEAST_SHARE: Final = 0.25
_LEAST_LETTERS: Final = 4
_PAIRS_A_CLAIM: Final = 2
# A word of more claims than this says nothing of any, and would make the search quadratic.
_MAX_CLAIMS_A_WORD: Final = 40
_MAX_WORDS_A_CLAIM: Final = 80
# More claims than these are not compared.
MAX_CLAIMS: Final = 400

_WORD: Final = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+")
_COMMON: Final = frozenset(
    """
    about above after again against ahead almost alone along already also although always among
    anonymity another anyone anything around asked away back because become been before began
    being below best better between both came cannot come comes condition could days does doing
    done down during each early either else enough even ever every everything face far felt first
    five found four from full further gave get gets getting give given goes going gone good great
    half hard have having held help here hers herself high himself hour hours however into itself
    just keep kept kind know known last late later least left less like likely little long longer
    look made make makes making many mean means might month months more most much must name named
    near nearly need needs never next nine nothing often once only onto open other others over
    part past people per percent perhaps place plan plans possible quite rather really right said
    same saying says second seem seems seen seven several shall should show shows side since some
    something soon still such sure take taken takes taking tell tells than that their them
    themselves then there these they thing things think this those though three through time times
    today together told took toward towards turn twice under until upon used using very want
    wanted wants week weeks well went were what when where whether which while whole whose will
    with within without would year years your
    """.split()  # noqa: SIM905 - a hundred quoted words are harder to read
)


class Said(NamedTuple):
    """A claim, and the name of the one who makes it."""

    name: str
    claim: Claim


class Pair(NamedTuple):
    """Two claims of different sources, and the stems of the content words that they share."""

    first: Said
    second: Said
    stems: frozenset[str]


def pairs(speakers: Sequence[Speaker], limit: int) -> list[Pair]:
    """Claims of two named sources about the same thing, the closest first.

    Args:
        speakers: who says what.
        limit: no more than so many; and no claim comes more than twice.
    """
    claims = [
        Said(speaker.name, claim)
        for speaker in speakers
        if speaker.name is not None and not speaker.is_pronoun
        for claim in speaker.claims
    ][:MAX_CLAIMS]
    words = [content_stems(said.claim) for said in claims]
    scored = []
    for (one, other), shared in _shared(words).items():
        if claims[one].name == claims[other].name:
            continue
        share = len(shared) / min(len(words[one]), len(words[other]))
        if len(shared) >= _LEAST_SHARED and share >= _LEAST_SHARE:
            scored.append((-len(shared) * share, one, other, frozenset(shared)))
    taken: Counter[int] = Counter()
    found: list[Pair] = []
    for _, one, other, stems in sorted(scored, key=lambda entry: entry[:3]):
        if len(found) < limit and max(taken[one], taken[other]) < _PAIRS_A_CLAIM:
            taken.update((one, other))
            found.append(Pair(claims[one], claims[other], stems))
    return found


def content_stems(claim: Claim) -> set[str]:
    """The stems of the words of a claim that say what it is about."""
    sentence = claim.sentence
    text = sentence.text
    for span in (sentence.source, sentence.cue):
        if span is not None and span.sentence_index == sentence.index:
            first, last = span.start - sentence.start, span.end - sentence.start
            text = f"{text[:first]}{' ' * (last - first)}{text[last:]}"
    found = {_stem(word) for word in _WORD.findall(text) if _carries_content(word)}
    return set(sorted(found)[:_MAX_WORDS_A_CLAIM])


def places(text: str, stems: frozenset[str]) -> list[Interval]:
    """Where words of these stems stand in a text, as half-open offsets, in order."""
    found = (match for match in _WORD.finditer(text) if _carries_content(match[0]))
    return [match.span() for match in found if _stem(match[0]) in stems]


def _shared(words: Sequence[set[str]]) -> dict[tuple[int, int], set[str]]:
    """For each two claims that share words, which."""
    users: dict[str, list[int]] = defaultdict(list)
    for number, stems in enumerate(words):
        for stem in stems:
            users[stem].append(number)
    shared: dict[tuple[int, int], set[str]] = defaultdict(set)
    for stem, numbers in users.items():
        if len(numbers) <= _MAX_CLAIMS_A_WORD:
            for two in combinations(numbers, 2):
                shared[two].add(stem)
    return shared


def _carries_content(word: str) -> bool:
    if word[0].isdigit():
        return len(word) > 1
    return len(word) >= _LEAST_LETTERS and word.casefold() not in _COMMON


def _stem(word: str) -> str:
    """Take off the ending of a plural or of a verb's third person."""
    stem = word.casefold()
    if stem.endswith("ies"):
        return stem[:-3] + "y"
    if stem.endswith("s") and not stem.endswith(("ss", "us", "is")):
        return stem[:-1]
    return stem
