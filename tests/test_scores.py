"""Scores against cases worked out by hand."""

import pytest

from service.scores import (
    accuracy,
    class_scores,
    expected_calibration_error,
    macro_f1,
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
