"""Nodes and constants of an ONNX graph, as they are added. Everything is named by its value."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

Array = NDArray[Any]

MICROSOFT: Final = "com.microsoft"
_OPSETS: Final = (("", 20), (MICROSOFT, 1))
_IR_VERSION: Final = 9


class Nodes:
    """A graph in the making."""

    def __init__(self) -> None:
        """Begin without nodes."""
        self._nodes: list[NodeProto] = []
        self._constants: dict[str, TensorProto] = {}

    def constant(self, name: str, value: Array | np.generic) -> str:
        """A constant; the first of its name counts."""
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.array(value, order="C"), name)
        return name

    def integers(self, *values: int) -> str:
        """A list of integers."""
        return self.constant("integers_" + "_".join(map(str, values)), np.array(values, np.int64))

    def node(self, kind: str, inputs: Sequence[str], domain: str = "", **attributes: Any) -> str:
        """What an operation gives."""
        return self.nodes(kind, inputs, 1, domain, **attributes)[0]

    def nodes(
        self, kind: str, inputs: Sequence[str], count: int, domain: str = "", **attributes: Any
    ) -> list[str]:
        """All that an operation with several outputs gives."""
        names = [f"value_{len(self._nodes)}_{number}" for number in range(count)]
        self._nodes.append(helper.make_node(kind, inputs, names, domain=domain, **attributes))
        return names

    def output(self, name: str, kind: str, inputs: Sequence[str], **attributes: Any) -> None:
        """An operation whose outcome has a name of its own."""
        self._nodes.append(helper.make_node(kind, inputs, [name], **attributes))

    def total(self, terms: Sequence[str]) -> str:
        """The sum of several values."""
        return reduce(lambda left, right: self.node("Add", [left, right]), terms)

    def model(
        self, inputs: Sequence[ValueInfoProto], outputs: Sequence[ValueInfoProto]
    ) -> ModelProto:
        """Make a model of all that was added."""
        graph = helper.make_graph(
            self._nodes, "claimstream", inputs, outputs, list(self._constants.values())
        )
        opsets = [helper.make_opsetid(*opset) for opset in _OPSETS]
        return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
