"""Finds the channels of an encoder that are much louder than the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import ModelProto

from models.int8_products import Channels
from service.onnx_backend import inputs
from service.windows import Window

# Of each product. With these few apart, the rest is rounded three times as finely.
CHANNELS: Final = 8
_OWN_OUTPUTS: Final = 2


def loud_channels(exact: ModelProto, windows: Iterable[Window]) -> Mapping[str, Channels]:
    """The channels with the largest root mean square, in order, of each product's activations.

    Args:
        exact: the graph in single precision, which shows the activations.
        windows: some windows of ordinary articles.
    """
    session = ort.InferenceSession(exact.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()][_OWN_OUTPUTS:]
    energy: dict[str, NDArray[np.float32]] = {}
    for window in windows:
        for name, found in zip(names, session.run(names, inputs(window)), strict=True):
            energy[name] = energy.get(name, np.float32(0)) + np.square(found).sum(axis=0)
    return {name: np.sort(np.argsort(total)[-CHANNELS:]) for name, total in energy.items()}
