"""Articles that come when they come, whether the last one is done or not (an open loop).

A load that waits for each answer before it sends the next slows down with what it measures, and so
misses just the latencies that matter. Here each article is due at its time; one that is due while
another is in hand has been waiting since then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np


def due_times(rate: float, count: int, seed: int) -> list[float]:
    """When each of so many articles is due, in seconds from the start: a Poisson process.

    Args:
        rate: articles a second, on average.
        count: how many.
        seed: the same seed gives the same times.
    """
    gaps = np.random.default_rng(seed).exponential(1 / rate, count)
    times: list[float] = np.cumsum(gaps).tolist()
    return times


def open_loop(
    due: Sequence[float],
    serve: Callable[[int], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[float]:
    """Serve articles in the order in which they are due, one at a time.

    Args:
        due: when each is due, in seconds from now, ascending.
        serve: labels the article of this number.
        clock: tells the time in seconds.
        sleep: waits so many seconds.

    Returns:
        For each article the seconds from when it was due to when it was done.
    """
    start = clock()
    latencies = []
    for number, at in enumerate(due):
        early = start + at - clock()
        if early > 0:
            sleep(early)
        serve(number)
        latencies.append(clock() - start - at)
    return latencies
