"""Small pieces of arithmetic: deviation from proportion, differing labels, best of peaks."""

import pytest

from service.bench.agreement import differing
from service.bench.errors import BenchError
from service.bench.length import deviation
from service.bench.peak import measure_peaks
from service.bench.rates import Rate, check_counts, highest
from service.bench.texts import Text


def test_deviation_from_proportion() -> None:
    """The largest distance from the mean as a share of it, and none of one point."""
    assert deviation([1.0, 1.0, 1.0]) == 0
    assert deviation([1.0, 2.0]) == pytest.approx(1 / 3)
    assert deviation([1.0]) is None
    assert deviation([]) is None


def test_share_of_differing_labels() -> None:
    """One of four labels is another one."""
    assert (
        differing(["fact", "fact", "opinion", "furniture"], ["fact"] * 2 + ["opinion"] * 2) == 0.25
    )


def test_the_rate_is_the_median_of_the_rounds() -> None:
    """One slow round does not count for more than another."""
    assert Rate((100.0, 10.0, 90.0), None).typical == 90


def test_the_best_of_each_peak() -> None:
    """Numbers that could never be multiplied have none."""
    rounds = [{"float32": 1.0, "int8": None}, {"float32": 3.0, "int8": None, "bfloat16": 2.0}]
    assert highest(rounds) == {"float32": 3.0, "bfloat16": 2.0, "int8": None}  # type: ignore[arg-type]


def test_peaks_are_operations_a_second() -> None:
    """Each is measured or None; float32 any processor can, and no core does a million GFLOPS."""
    peaks = measure_peaks(0.1)
    assert set(peaks) == {"float32", "bfloat16", "int8"}
    assert peaks["float32"] is not None
    assert all(peak is None or 1e6 < peak < 1e15 for peak in peaks.values())


def test_sentences_without_a_label_are_an_error() -> None:
    """A variant that labels too few or too many has not been measured."""
    texts = [Text("a", "…", 2), Text("b", "…", 1)]
    check_counts("x", texts, [["fact", "fact"], ["fact"]])
    with pytest.raises(BenchError, match="x: 1 labels for 2 sentences of a"):
        check_counts("x", texts, [["fact"], ["fact"]])
