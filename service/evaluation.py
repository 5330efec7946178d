"""Scores a labeller on annotated articles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from service.contracts import LABELS
from service.gold import ALL, GoldArticle, GoldSentence
from service.pipeline import Labeller, Prediction, label_of, round_scores
from service.scores import (
    accuracy,
    class_scores,
    confusion,
    coverage_curve,
    expected_calibration_error,
    macro_f1,
    reliability,
    span_score,
)
from service.segmentation import Segment, segment


class Pairing(NamedTuple):
    """An annotated sentence beside its prediction, and the group that its article belongs to."""

    gold: GoldSentence
    found: Prediction
    group: str | None


def evaluate(
    articles: Iterable[GoldArticle], labeller: Labeller, *, own_segmentation: bool = False
) -> dict[str, Any]:
    """Score a labeller.

    Args:
        articles: annotated articles.
        labeller: what is scored.
        own_segmentation: cut the text ourselves, as the service does, and give each annotated
            sentence the prediction of the segment that covers most of it.

    Returns:
        ``sentences``, ``macro_f1`` of the three labels, ``accuracy``, ``ece``, ``labels`` with
        precision, recall, F1 and support, ``sure`` (macro-F1 where the annotator was), ``source``
        and ``cue`` with F1, ``confusion``, ``reliability``, ``coverage``, and for each of the
        articles' ``groups`` its macro-F1 and labels; None where there is nothing to score it on.
    """
    pairings: list[Pairing] = []
    for article in articles:
        pairings += pair(article, labeller, own_segmentation=own_segmentation)
    return report(pairings)


def pair(
    article: GoldArticle, labeller: Labeller, *, own_segmentation: bool = False
) -> list[Pairing]:
    """Put each annotated sentence beside its prediction."""
    given = [sentence.segment for sentence in article.sentences]
    parts = segment(article.text) if own_segmentation else given
    predictions = labeller.predict(article.text, parts)
    if own_segmentation:
        predictions = [predictions[i] for i in _best_covering(given, parts)]
    sentences = article.sentences
    if not article.by_codebook:
        sentences = tuple(replace(sentence, allowed=ALL) for sentence in sentences)
    return [
        Pairing(sentence, prediction, article.group)
        for sentence, prediction in zip(sentences, predictions, strict=True)
    ]


def _best_covering(given: Sequence[Segment], parts: Sequence[Segment]) -> list[int]:
    """For each given segment the number of the part that shares most characters with it."""
    best, first = [], 0
    for wanted in given:
        while parts[first].end <= wanted.start:
            first += 1
        candidates = [first]
        while candidates[-1] + 1 < len(parts) and parts[candidates[-1] + 1].start < wanted.end:
            candidates.append(candidates[-1] + 1)
        shared = [
            min(parts[i].end, wanted.end) - max(parts[i].start, wanted.start) for i in candidates
        ]
        best.append(candidates[shared.index(max(shared))])
    return best


def report(pairings: Sequence[Pairing]) -> dict[str, Any]:
    """Make the figures of paired sentences."""
    labelled = [row for row in pairings if row.gold.label is not None]
    pairs = answered(labelled)
    sure = answered([row for row in labelled if row.gold.sure])
    answers = [
        (getattr(round_scores(row.found.probabilities[:3]), answer), answer == wanted)
        for row, (wanted, answer) in zip(labelled, pairs, strict=True)
        if answer in LABELS
    ]
    marked = [(row.gold.spans, row.found) for row in pairings if row.gold.spans is not None]
    groups = sorted({row.group for row in labelled if row.group is not None})
    return {
        "sentences": len(pairings),
        "macro_f1": macro_f1(pairs) if pairs else None,
        "accuracy": accuracy(pairs) if pairs else None,
        "ece": expected_calibration_error(answers) if answers else None,
        "labels": class_scores(pairs),
        "sure": {"macro_f1": macro_f1(sure) if sure else None},
        "source": span_score(
            (gold[0], found.source if _is_claim(found) else None) for gold, found in marked
        ),
        "cue": span_score(
            (gold[1], found.cue if _is_claim(found) else None) for gold, found in marked
        ),
        "confusion": confusion(pairs),
        "reliability": reliability(answers),
        "coverage": coverage_curve(answers),
        "groups": {
            group: _group_scores([row for row in labelled if row.group == group])
            for group in groups
        },
    }


def answered(pairings: Sequence[Pairing]) -> list[tuple[str, str]]:
    """Gold and predicted class of each pairing."""
    return [(str(row.gold.label), label_of(row.found)) for row in pairings]


def _group_scores(pairings: Sequence[Pairing]) -> dict[str, Any]:
    pairs = answered(pairings)
    return {
        "sentences": len(pairs),
        "macro_f1": macro_f1(pairs),
        "accuracy": accuracy(pairs),
        "labels": class_scores(pairs),
    }


def _is_claim(found: Prediction) -> bool:
    return label_of(found) == "attributed_claim"
