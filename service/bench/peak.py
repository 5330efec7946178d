"""The peak of one core: how fast torch multiplies large square matrices."""

from __future__ import annotations

import time
from typing import Final

import torch

from service.bench.results import Numbers

# Large enough that the product counts and not the call, small enough for many tries.
_SIDES: Final = (512, 1024)
_TYPES: Final[dict[Numbers, torch.dtype]] = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "int8": torch.int8,
}


def measure_peaks(seconds: float) -> dict[Numbers, float | None]:
    """Operations a second of one thread, for each kind of numbers: the best of many tries.

    Int8 products are summed in int32, as quantised layers sum them.

    Args:
        seconds: for all tries together, about.

    Returns:
        None for numbers that torch cannot multiply on this processor.
    """
    torch.set_num_threads(1)
    share = seconds / len(_TYPES) / len(_SIDES)
    return {
        numbers: max((peak for side in _SIDES if (peak := _peak(kind, side, share))), default=None)
        for numbers, kind in _TYPES.items()
    }


def _peak(kind: torch.dtype, side: int, seconds: float) -> float | None:
    left, right = torch.ones(side, side, dtype=kind), torch.ones(side, side, dtype=kind)
    multiply = torch._int_mm if kind == torch.int8 else torch.mm  # noqa: SLF001 - there is no other
    try:
        multiply(left, right)
    except RuntimeError:
        return None
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        multiply(left, right)
        best = min(best, time.perf_counter() - start)
    return 2 * side**3 / best
