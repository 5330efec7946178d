"""Percentiles that say nothing where there is too little to say it from."""

from __future__ import annotations

import math
from collections.abc import Sequence

from service.bench.results import Percentiles


def percentile(values: Sequence[float], percent: int) -> float | None:
    """The smallest value that at least so many percent of the values do not exceed (nearest rank).

    Args:
        values: in any order.
        percent: 1 to 99.

    Returns:
        None where less than one value is expected beyond it: p99 takes a hundred values.
    """
    if len(values) * (100 - percent) < 100:  # noqa: PLR2004 - percent
        return None
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def percentiles(values: Sequence[float]) -> Percentiles:
    """The three that are reported."""
    return Percentiles(**{f"p{percent}": percentile(values, percent) for percent in (50, 95, 99)})
