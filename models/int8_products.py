"""Products of tokens and matrices in int8, exact enough that labels do not change.

Rounded to 256 steps in the usual way, one scale for all of a window's activations, a few large
numbers drown the rest (figures in models/EXPERIMENTS.md). Three things prevent that:

- Each token has a scale of its own, and each matrix one for each column (Yao et al. 2022,
  ZeroQuant).
- A few channels of an encoder are much louder than the others, for nearly every token the same
  ones: these are multiplied in single precision (Dettmers et al. 2022, LLM.int8()).
- What GELU gives is nearly all positive and mostly small: it is rounded in groups of channels, each
  with scales of its own, and nearly all steps go to what is positive.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.onnx_nodes import MICROSOFT, Array, Nodes

Channels = NDArray[np.int64]

_GROUPS: Final = 4
# GELU gives nothing below this.
_GELU_LEAST: Final = -0.17
_GELU_ZERO: Final = 16
_ZERO: Final = 128
_LARGEST: Final = 127
_STEPS: Final = 255
_LEAST: Final = 1e-12


def product(nodes: Nodes, name: str, matrix: Array, inputs: str, loud: Channels) -> str:
    """Tokens (length, in) times a matrix (in, out), loud channels in single precision."""
    quiet = np.ones(len(matrix), np.float32)
    quiet[loud] = 0
    others = nodes.node("Mul", [inputs, nodes.constant(f"{name}.quiet", quiet)])
    sizes = nodes.node("Abs", [others])
    scales = _scales(nodes, sizes, _LARGEST)
    rounded = _rounded_product(nodes, name, matrix, others, scales, _ZERO)
    channels = nodes.node("Gather", [inputs, nodes.constant(f"{name}.loud", loud)], axis=1)
    rows = nodes.constant(f"{name}.loud_matrix", matrix[loud])
    return nodes.node("Gemm", [channels, rows, rounded])


def product_after_gelu(nodes: Nodes, name: str, matrix: Array, inputs: str) -> str:
    """What GELU gave (length, in) times a matrix (in, out)."""
    groups = nodes.nodes("Split", [inputs], _GROUPS, axis=1, num_outputs=_GROUPS)
    least = nodes.constant("gelu_least", np.float32(-_GELU_LEAST / _GELU_ZERO))
    products = []
    for number, (rows, group) in enumerate(zip(np.split(matrix, _GROUPS), groups, strict=True)):
        scales = nodes.node("Max", [_scales(nodes, group, _STEPS - _GELU_ZERO), least])
        part = f"{name}.{number}"
        products.append(_rounded_product(nodes, part, rows, group, scales, _GELU_ZERO))
    return nodes.total(products)


def _scales(nodes: Nodes, sizes: str, steps: int) -> str:
    """The size of a step for each token (length,), from its largest number; never zero."""
    largest = nodes.node("ReduceMax", [sizes, nodes.integers(1)], keepdims=0)
    scales = nodes.node("Div", [largest, nodes.constant(f"steps_{steps}", np.float32(steps))])
    return nodes.node("Max", [scales, nodes.constant("least", np.float32(_LEAST))])


def _rounded_product(  # noqa: PLR0913, PLR0917 - what a product in 8 bits is made of
    nodes: Nodes, name: str, matrix: Array, inputs: str, scales: str, zero: int
) -> str:
    """A product in 8 bits; ``zero`` is the step of the tokens' that stands for zero."""
    columns = np.maximum(np.abs(matrix).max(axis=0) / _LARGEST, _LEAST)
    length = nodes.node("Shape", [inputs], end=1)
    zeros = nodes.node(
        "Expand", [nodes.constant(f"zeros_{zero}", np.array([zero], np.uint8)), length]
    )
    found = nodes.node(
        "MatMulIntegerToFloat",
        [
            nodes.node("QuantizeLinear", [inputs, scales, zeros], axis=0),
            nodes.constant(f"{name}.matrix", np.rint(matrix / columns).astype(np.int8)),
            nodes.constant("one", np.float32(1)),
            nodes.constant(f"{name}.columns", columns.astype(np.float32)),
            nodes.constant(f"zero_{zero}", np.uint8(zero)),
        ],
        MICROSOFT,
    )
    return nodes.node("Mul", [found, nodes.node("Unsqueeze", [scales, nodes.integers(1)])])
