"""Percentiles by nearest rank, and none where there is too little to say one from."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.bench.percentiles import percentile, percentiles
from service.bench.results import Percentiles


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (95, 95), (99, 99), (1, 1)])
def test_nearest_rank(percent: int, value: int) -> None:
    """Of 1 to 100, in any order, each percentile is its own number."""
    assert percentile([*range(100, 0, -1)], percent) == value


@pytest.mark.parametrize(("count", "percent"), [(1, 50), (19, 95), (99, 99), (0, 50)])
def test_too_few_values(count: int, percent: int) -> None:
    """With less than one value expected beyond it there is none."""
    assert percentile([1.0] * count, percent) is None
    assert percentiles([1.0] * 20) == Percentiles(p50=1, p95=1, p99=None)


@settings(deadline=None)
@given(
    st.lists(st.floats(0, 1e6), min_size=100, max_size=300), st.integers(min_value=1, max_value=99)
)
def test_as_many_do_not_exceed_it(values: list[float], percent: int) -> None:
    """It is one of the values; so many percent do not exceed it, and fewer are smaller."""
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)
