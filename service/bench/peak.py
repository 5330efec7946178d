"""The peak of one core: how fast torch or ONNX Runtime multiplies large matrices, the better one.

Neither is the faster on every processor: without VNNI torch has no fast product in int8 at all, and
a floor by its figure would be one that is easily got below.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import onnxruntime as ort
import torch

from service.bench.results import Numbers

# Large enough that the product counts and not the call, small enough for many tries and for the
# caches.
_SIDES: Final = (256, 512, 1024)
_TYPES: Final[dict[Numbers, torch.dtype]] = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "int8": torch.int8,
}
_FAILS: Final = (RuntimeError, ImportError, ort.capi.onnxruntime_pybind11_state.Fail)


def measure_peaks(seconds: float) -> dict[Numbers, float | None]:
    """Operations a second of one thread, for each kind of numbers: the best of many tries.

    Int8 products are summed in int32, as quantised layers sum them.

    Args:
        seconds: for all tries together, about.

    Returns:
        None for numbers that neither library multiplies on this processor.
    """
    torch.set_num_threads(1)
    makers = {
        "float32": [_torch("float32"), _onnx("float32")],
        "bfloat16": [_torch("bfloat16")],
        "int8": [_torch("int8"), _onnx("int8")],
    }
    share = seconds / sum(map(len, makers.values())) / len(_SIDES)
    return {
        numbers: max(
            (peak for make in makers[numbers] for peak in _peaks(make, share)), default=None
        )
        for numbers in _TYPES
    }


def _peaks(make: Callable[[int], Callable[[], Any]], seconds: float) -> Iterator[float]:
    """The peak at each size; none is tried after one that takes too long for larger ones."""
    for side in _SIDES:
        try:
            multiply = make(side)
            multiply()
        except _FAILS:
            return
        best, end = float("inf"), time.perf_counter() + seconds
        while time.perf_counter() < end:
            start = time.perf_counter()
            multiply()
            best = min(best, time.perf_counter() - start)
        yield 2 * side**3 / best
        if best > seconds / 8:  # twice the side is eight times the work
            return


def _torch(numbers: Numbers) -> Callable[[int], Callable[[], Any]]:
    """What makes a product of torch's."""
    kind = _TYPES[numbers]

    def make(side: int) -> Callable[[], Any]:
        left, right = torch.ones(side, side, dtype=kind), torch.ones(side, side, dtype=kind)
        multiply = torch._int_mm if kind == torch.int8 else torch.mm  # noqa: SLF001 - there is no other
        return lambda: multiply(left, right)

    return make


def _onnx(numbers: Numbers) -> Callable[[int], Callable[[], Any]]:
    """What makes a product of ONNX Runtime's: unsigned tokens by a signed matrix, as we serve."""

    def make(side: int) -> Callable[[], Any]:
        from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415 - may not be installed

        is_int8 = numbers == "int8"
        matrix = numpy_helper.from_array(
            np.ones((side, side), np.int8 if is_int8 else np.float32), "matrix"
        )
        taken, given = (
            (TensorProto.UINT8, TensorProto.INT32)
            if is_int8
            else (TensorProto.FLOAT, TensorProto.FLOAT)
        )
        node = helper.make_node("MatMulInteger" if is_int8 else "MatMul", ["in", "matrix"], ["out"])
        graph = helper.make_graph(
            [node],
            "product",
            [helper.make_tensor_value_info("in", taken, [side, side])],
            [helper.make_tensor_value_info("out", given, [side, side])],
            [matrix],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        session = ort.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        inputs = {"in": np.ones((side, side), np.uint8 if is_int8 else np.float32)}
        return lambda: session.run(None, inputs)

    return make
