"""Does the cost grow in proportion to an article's length, and to the number of articles?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from statistics import fmean
from typing import Final

from service.bench.contenders import Contender
from service.bench.results import AmountPoint, LengthFigures, LengthPoint
from service.bench.texts import Text, with_words

LENGTHS: Final = (10, 100, 1_000, 10_000, 100_000)
AMOUNTS: Final = (1, 2, 5, 10, 20, 50, 100)
# Shorter texts are no measure: a window that is not full, and what each call costs, count more.
LINEAR_FROM: Final = 1_000

# Short texts differ, so that several of them are taken, with about so many words together.
_WORDS_EACH: Final = 10_000
_MOST_TEXTS: Final = 20
_LENGTH_SHARE: Final = 0.75


def measure_length(
    contender: Contender,
    texts: Sequence[Text],
    seconds: float,
    say: Callable[[str], None],
) -> LengthFigures:
    """Measure the cost of ever longer texts and of ever more articles, as far as there is time.

    Args:
        contender: our labeller, started.
        texts: the articles; longer texts are made of them.
        seconds: for all of it, about.
        say: told what is being done.
    """
    points, left_out = _lengths(contender, texts, seconds * _LENGTH_SHARE, say)
    amounts = _amounts(contender, texts, seconds * (1 - _LENGTH_SHARE), say)
    return LengthFigures(
        size=contender.size,
        variant=contender.name,
        points=tuple(points),
        left_out=tuple(left_out),
        length_deviation=deviation([p.ms_per_word for p in points if p.words >= LINEAR_FROM]),
        amounts=tuple(amounts),
        amount_deviation=deviation([point.ms_per_sentence for point in amounts]),
    )


def deviation(costs: Sequence[float]) -> float | None:
    """The largest distance from the mean, as a share of it; None for less than two."""
    if len(costs) < 2:  # noqa: PLR2004 - one is always its own mean
        return None
    mean = fmean(costs)
    return max(abs(cost / mean - 1) for cost in costs)


def _lengths(
    contender: Contender, texts: Sequence[Text], seconds: float, say: Callable[[str], None]
) -> tuple[list[LengthPoint], list[int]]:
    """Cost by length, and the lengths that there was no time for."""
    end = time.monotonic() + seconds
    points: list[LengthPoint] = []
    for words in LENGTHS:
        count = max(1, min(_MOST_TEXTS, _WORDS_EACH // words))
        if points:
            expected_s = words * count * points[-1].ms_per_word / 1000
            if time.monotonic() + expected_s > end:
                return points, [other for other in LENGTHS if other >= words]
        say(f"{count} texts of {words:,} words")
        long = [with_words(texts, words, first) for first in range(count)]
        labelled = contender.label(long)
        points.append(
            LengthPoint(
                words=words,
                texts=count,
                sentences=sum(map(len, labelled.labels)),
                ms_per_word=labelled.seconds * 1000 / words / count,
            )
        )
    return points, []


def _amounts(
    contender: Contender, texts: Sequence[Text], seconds: float, say: Callable[[str], None]
) -> list[AmountPoint]:
    """Cost by number of articles, taken in turn."""
    end = time.monotonic() + seconds
    points: list[AmountPoint] = []
    for count in AMOUNTS:
        chosen = list(islice(cycle(texts), count))
        sentences = sum(text.sentences for text in chosen)
        if points and time.monotonic() + sentences * points[-1].ms_per_sentence / 1000 > end:
            break
        say(f"{count} articles in one go")
        labelled = contender.label([text.text for text in chosen])
        points.append(
            AmountPoint(
                articles=count,
                sentences=sentences,
                ms_per_sentence=labelled.seconds * 1000 / sentences,
            )
        )
    return points
