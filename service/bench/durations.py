"""How long each part of a measurement may take, and what fits into that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

# Of the time for one size.
_RATES, _LATENCY, _LENGTH, _AGREEMENT = 0.40, 0.30, 0.18, 0.12
_MOST_ROUNDS: Final = 15


class Durations(NamedTuple):
    """Seconds for each part, for one size of the model, starts of processes not counted."""

    rates_s: float
    latency_s: float
    length_s: float
    agreement_s: float
    starts: int
    least_rounds: int
    peak_s: float


class Plan(NamedTuple):
    """How many of the articles are labelled in a round, and how many rounds there are."""

    articles: int
    rounds: int


def divide(minutes: float, sizes: int, *, quick: bool) -> Durations:
    """Divide the time for the whole measurement among its parts.

    Args:
        minutes: for all sizes together.
        sizes: how many sizes are measured.
        quick: fewer starts and rounds.
    """
    seconds = minutes * 60 / sizes
    return Durations(
        rates_s=seconds * _RATES,
        latency_s=seconds * _LATENCY,
        length_s=seconds * _LENGTH,
        agreement_s=seconds * _AGREEMENT,
        starts=1 if quick else 3,
        least_rounds=3 if quick else 5,
        peak_s=0.3 if quick else 1.0,
    )


def plan_rounds(
    budget_s: float, sentence_s: float, fixed_s: float, sentences: Sequence[int], least: int
) -> Plan:
    """Find how many articles a round can take, and how many rounds the time is enough for.

    Args:
        budget_s: seconds for all rounds.
        sentence_s: seconds that one sentence takes all variants together.
        fixed_s: seconds of a round that do not depend on its sentences.
        sentences: of each article, in the order in which they are taken.
        least: rounds; were it longer than the time, one article goes through as many.

    Returns:
        As many articles, from the first on, as allow the least number of rounds, but at least one.
    """
    room = (budget_s / least - fixed_s) / sentence_s
    articles = taken = 0
    for count in sentences:
        if articles and taken + count > room:
            break
        articles, taken = articles + 1, taken + count
    rounds = int(budget_s / (taken * sentence_s + fixed_s))
    return Plan(articles, max(least, min(_MOST_ROUNDS, rounds)))
