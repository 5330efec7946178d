"""Scores of predictions against gold: F1 per class, calibration, spans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypedDict

from service.contracts import LABELS

Offsets = tuple[int, int]
_BINS = 15


class ClassScore(TypedDict):
    """Precision, recall and F1 of one class, 0 to 1; ``support`` is its number in the gold."""

    precision: float
    recall: float
    f1: float
    support: int


class Bin(TypedDict):
    """Answers of like confidence: how many, their mean confidence, the share that is right."""

    answers: int
    confidence: float
    accuracy: float


class Coverage(TypedDict):
    """Of the answers that reach a threshold of confidence: their share, and how many are right."""

    threshold: float
    coverage: float
    accuracy: float


class SpanScore(TypedDict):
    """F1 of spans, 0 to 1.

    ``exact_f1`` counts a span as found where both ends agree, ``overlap_f1`` where it shares a
    character with the gold one.
    """

    exact_f1: float
    overlap_f1: float
    support: int


def class_scores(pairs: Sequence[tuple[str, str]]) -> dict[str, ClassScore]:
    """Score (gold, predicted) pairs, furniture as a fourth class."""
    gold, predicted = Counter(g for g, _ in pairs), Counter(p for _, p in pairs)
    hits = Counter(g for g, p in pairs if g == p)
    return {
        name: ClassScore(
            precision=_ratio(hits[name], predicted[name]),
            recall=_ratio(hits[name], gold[name]),
            f1=_ratio(2 * hits[name], gold[name] + predicted[name]),
            support=gold[name],
        )
        for name in (*LABELS, "furniture")
    }


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """Mean F1 of the three labels; furniture counts as a wrong answer but is not averaged."""
    scores = class_scores(pairs)
    return sum(scores[name]["f1"] for name in LABELS) / len(LABELS)


def accuracy(pairs: Sequence[tuple[str, str]]) -> float:
    """Share of pairs that agree."""
    return _ratio(sum(g == p for g, p in pairs), len(pairs))


def confusion(pairs: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """How often each gold class (outer) got each answer (inner)."""
    counts = Counter(pairs)
    names = (*LABELS, "furniture")
    return {gold: {answer: counts[gold, answer] for answer in names} for gold in names}


def reliability(answers: Sequence[tuple[float, bool]]) -> list[Bin]:
    """Confidence beside accuracy in 15 equal bins of confidence, the empty ones left out."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(_BINS)]
    for confidence, right in answers:
        bins[min(int(confidence * _BINS), _BINS - 1)].append((confidence, right))
    return [
        Bin(
            answers=len(part),
            confidence=sum(confidence for confidence, _ in part) / len(part),
            accuracy=sum(right for _, right in part) / len(part),
        )
        for part in bins
        if part
    ]


def expected_calibration_error(answers: Sequence[tuple[float, bool]]) -> float:
    """Mean gap between confidence and accuracy over 15 equal bins, weighted by their size.

    As Guo et al. (2017, On calibration of modern neural networks) define it.
    """
    gaps = (
        part["answers"] * abs(part["confidence"] - part["accuracy"])
        for part in reliability(answers)
    )
    return _ratio(sum(gaps), len(answers))


def coverage_curve(answers: Sequence[tuple[float, bool]]) -> list[Coverage]:
    """Coverage and accuracy at thresholds of confidence from 0 to 0.95."""
    curve = []
    for twentieths in range(20):
        threshold = twentieths / 20
        kept = [right for confidence, right in answers if confidence >= threshold]
        curve.append(
            Coverage(
                threshold=threshold,
                coverage=_ratio(len(kept), len(answers)),
                accuracy=_ratio(sum(kept), len(kept)),
            )
        )
    return curve


def span_score(pairs: Iterable[tuple[Offsets | None, Offsets | None]]) -> SpanScore:
    """Score (gold, predicted) spans of sentences; a wrong span is both missed and invented."""
    pairs = list(pairs)
    support = sum(gold is not None for gold, _ in pairs)
    found = sum(predicted is not None for _, predicted in pairs)
    both = [(gold, predicted) for gold, predicted in pairs if gold and predicted]
    exact = sum(gold == predicted for gold, predicted in both)
    overlap = sum(g[0] < p[1] and p[0] < g[1] for g, p in both)
    return SpanScore(
        exact_f1=_ratio(2 * exact, support + found),
        overlap_f1=_ratio(2 * overlap, support + found),
        support=support,
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
