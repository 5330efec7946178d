"""Scores against cases worked out by hand."""

import pytest

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


def test_furniture_is_a_wrong_answer_but_not_averaged() -> None:
    """Macro-F1 is over three labels; a sentence taken for furniture lowers its label's recall."""
    pairs = [
        ("fact", "fact"),
        ("fact", "furniture"),
        ("opinion", "opinion"),
        ("attributed_claim", "attributed_claim"),
        ("furniture", "furniture"),
    ]
    scores = class_scores(pairs)
    assert scores["fact"] == {
        "precision": 1,
        "recall": 0.5,
        "f1": pytest.approx(2 / 3),
        "support": 2,
    }
    assert scores["furniture"]["precision"] == 0.5
    assert macro_f1(pairs) == pytest.approx((2 / 3 + 1 + 1) / 3)
    assert accuracy(pairs) == 0.8


def test_calibration_error_is_the_weighted_gap() -> None:
    """Four answers at 0.9 of which three are right, two at 0.5 of which one is."""
    answers = [(0.9, True)] * 3 + [(0.9, False)] + [(0.5, True), (0.5, False)]
    assert expected_calibration_error(answers) == pytest.approx(4 / 6 * 0.15)


def test_answers_are_put_into_bins_of_confidence() -> None:
    """Each bin tells how many answers, their mean confidence and the share that is right."""
    bins = reliability([(0.9, True), (0.92, False), (0.5, True), (1.0, True)])
    assert [part["answers"] for part in bins] == [1, 2, 1]
    assert bins[1]["confidence"] == pytest.approx(0.91)
    assert [part["accuracy"] for part in bins] == [1, 0.5, 1]


def test_fewer_answers_are_kept_at_a_higher_threshold() -> None:
    """At each threshold the answers that reach it, as a share, and how many of them are right."""
    curve = {round(row["threshold"], 2): row for row in coverage_curve([(0.9, True), (0.4, False)])}
    assert (curve[0]["coverage"], curve[0]["accuracy"]) == (1, 0.5)
    assert (curve[0.5]["coverage"], curve[0.5]["accuracy"]) == (0.5, 1)
    assert curve[0.95]["coverage"] == 0


def test_confusion_counts_every_pair() -> None:
    """What was the gold and what was answered, with zeros for what never happened."""
    counts = confusion([("fact", "opinion"), ("fact", "opinion"), ("furniture", "fact")])
    assert counts["fact"]["opinion"] == 2
    assert counts["furniture"]["fact"] == 1
    assert sum(sum(row.values()) for row in counts.values()) == 3


def test_spans_count_exact_and_overlapping() -> None:
    """One exact, one overlapping, one missed, one invented."""
    pairs = [((0, 5), (0, 5)), ((0, 5), (3, 9)), ((0, 5), None), (None, (0, 5)), (None, None)]
    score = span_score(pairs)
    assert score == {
        "exact_f1": pytest.approx(2 / 6),
        "overlap_f1": pytest.approx(4 / 6),
        "support": 3,
    }


def test_touching_spans_do_not_overlap() -> None:
    """Spans are half-open: neighbours share no character."""
    assert span_score([((0, 5), (5, 9))])["overlap_f1"] == 0


def test_nothing_to_score_is_zero() -> None:
    """Empty input gives zeros, not a division by zero."""
    assert macro_f1([]) == accuracy([]) == expected_calibration_error([]) == 0
