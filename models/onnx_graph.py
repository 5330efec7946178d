"""Writes the network of a release as an ONNX graph, its matrices in int8.

It is written node by node and not exported from torch: query, key and value become one product,
operations that ONNX Runtime has fused are named directly, and whoever makes the file needs neither
torch nor an exporter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper

from models.int8_products import Channels, product, product_after_gelu
from models.onnx_nodes import MICROSOFT, Array, Nodes

Weights = Mapping[str, NDArray[np.float32]]

# Relative positions of mpnet, after T5 (Raffel et al. 2020): one bucket each for the nearest, then
# wider and wider ones up to this distance.
_FARTHEST: Final = 128


class Family(NamedTuple):
    """How a family of encoders names the parts of a layer, and where its positions begin."""

    attention: tuple[str, str, str]
    mixed: str
    first_norm: str
    first_position: int


FAMILIES: Final = {
    "bert": Family(
        ("attention.self.query", "attention.self.key", "attention.self.value"),
        "attention.output.dense",
        "attention.output.LayerNorm",
        0,
    ),
    "mpnet": Family(
        ("attention.attn.q", "attention.attn.k", "attention.attn.v"),
        "attention.attn.o",
        "attention.LayerNorm",
        2,
    ),
}


def build(
    config: Mapping[str, Any], weights: Weights, loud: Mapping[str, Channels] | None = None
) -> ModelProto:
    """Write the graph.

    It takes ``ids`` (length,), ``pool`` (pieces, length), for each piece the share of each token
    in its mean, and ``markers`` (pieces,), their positions; it gives ``classes`` (pieces, 4) and
    ``span_ends`` (length, 4).

    Args:
        config: the release's ``config.json``.
        weights: its tensors, by the names that the network has for them.
        loud: of each product the channels that stay in single precision. Without it everything
            does, and the graph gives each product's activations too, by the product's name.

    Raises:
        ValueError: the encoder is of a family that is not written here.
    """
    if config["model_type"] not in FAMILIES:
        raise ValueError(f"no graph for encoders of type {config['model_type']}")
    encoder = _Encoder(config, weights, loud)
    hidden = encoder.embeddings()
    bias = encoder.relative_bias()
    for number in range(config["num_hidden_layers"]):
        hidden = encoder.layer(f"encoder.encoder.layer.{number}", hidden, bias)
    return encoder.finish(hidden)


def relative_buckets(longest: int, buckets: int) -> NDArray[np.int64]:
    """For each position the bucket of each other one (longest, longest)."""
    positions = np.arange(longest)
    back = positions[:, np.newaxis] - positions
    half = buckets // 2
    exact = half // 2
    distance = np.abs(back)
    logarithm = np.log(np.maximum(distance, 1).astype(np.float32) / exact)
    far = exact + (logarithm / np.float32(np.log(_FARTHEST / exact)) * (half - exact)).astype(int)
    near = np.where(distance < exact, distance, np.minimum(far, half - 1))
    buckets_of: NDArray[np.int64] = np.where(back < 0, half, 0) + near
    return buckets_of


class _Encoder:
    """Adds the parts of the network; methods take and return names of values."""

    def __init__(
        self, config: Mapping[str, Any], weights: Weights, loud: Mapping[str, Channels] | None
    ) -> None:
        self._config = config
        self._weights = weights
        self._loud = loud
        self._family = FAMILIES[config["model_type"]]
        self._longest = int(config["claimstream"]["layout"]["max_tokens"])
        self._nodes = Nodes()
        self._length = self._nodes.node("Shape", ["ids"])
        self._shown: list[str] = []

    def embeddings(self) -> str:
        """Words and positions, normalised (length, width)."""
        prefix = "encoder.embeddings"
        first = self._family.first_position
        positions = self._weights[f"{prefix}.position_embeddings.weight"]
        positions = positions[first : first + self._longest]
        if (kinds := self._weights.get(f"{prefix}.token_type_embeddings.weight")) is not None:
            positions = positions + kinds[0]
        words = self._weights[f"{prefix}.word_embeddings.weight"].astype(np.float16)
        picked = self._nodes.node("Gather", [self._nodes.constant("words", words), "ids"])
        picked = self._nodes.node("Cast", [picked], to=TensorProto.FLOAT)
        places = self._beginning("positions", positions, 0)
        return self._normalised([picked, places], f"{prefix}.LayerNorm")

    def relative_bias(self) -> str | None:
        """What a token's distance adds to attention (1, heads, length, length), where it does."""
        table = self._weights.get("encoder.encoder.relative_attention_bias.weight")
        if table is None:
            return None
        bias = table[relative_buckets(self._longest, len(table))].transpose(2, 0, 1)[np.newaxis]
        return self._beginning("relative_bias", bias, 2, 3)

    def layer(self, prefix: str, hidden: str, relative: str | None) -> str:
        """One layer."""
        names = [f"{prefix}.{part}" for part in self._family.attention]
        together = np.concatenate([self._weights[f"{name}.weight"] for name in names])
        biases = np.concatenate([self._weights[f"{name}.bias"] for name in names])
        packed = self._product(f"{prefix}.attention", together.T, hidden)
        mixed = self._attention(
            packed, self._nodes.constant(f"{prefix}.attention.bias", biases), relative
        )
        out = self._dense(f"{prefix}.{self._family.mixed}", mixed)
        hidden = self._normalised([*out, hidden], f"{prefix}.{self._family.first_norm}")
        wide = self._dense(f"{prefix}.intermediate.dense", hidden)
        active = self._nodes.node("BiasGelu", wide, MICROSOFT)
        out = self._dense(f"{prefix}.output.dense", active, after_gelu=True)
        return self._normalised([*out, hidden], f"{prefix}.output.LayerNorm")

    def finish(self, hidden: str) -> ModelProto:
        """Add the heads and make a model of it all."""
        means = self._nodes.node("MatMul", ["pool", hidden])
        marked = self._nodes.node("Gather", [hidden, "markers"])
        sentences = self._nodes.node("Concat", [means, marked], axis=1)
        for name, inputs, out in (
            ("class_head", sentences, "classes"),
            ("span_head", hidden, "span_ends"),
        ):
            head = [inputs, self._weight(f"{name}.weight"), self._weight(f"{name}.bias")]
            self._nodes.output(out, "Gemm", head, transB=1)
        value, integer, real = helper.make_tensor_value_info, TensorProto.INT64, TensorProto.FLOAT
        return self._nodes.model(
            [
                value("ids", integer, ["length"]),
                value("pool", real, ["pieces", "length"]),
                value("markers", integer, ["pieces"]),
            ],
            [
                value("classes", real, ["pieces", 4]),
                value("span_ends", real, ["length", 4]),
                *(value(name, real, None) for name in self._shown),
            ],
        )

    def _attention(self, packed: str, biases: str, relative: str | None) -> str:
        """Attention over queries, keys and values that lie side by side (length, 3 width)."""
        batch = self._nodes.node("Unsqueeze", [packed, self._nodes.integers(0)])
        parts = self._nodes.nodes("Split", [batch], 3, axis=2, num_outputs=3)
        mixed = self._nodes.node(
            "MultiHeadAttention",
            [*parts, biases, "", relative or ""],
            MICROSOFT,
            num_heads=int(self._config["num_attention_heads"]),
        )
        return self._nodes.node("Squeeze", [mixed, self._nodes.integers(0)])

    def _dense(self, name: str, inputs: str, *, after_gelu: bool = False) -> tuple[str, str]:
        """A product, and the bias that belongs to it."""
        matrix = self._weights[f"{name}.weight"].T
        found = self._product(name, matrix, inputs, after_gelu=after_gelu)
        return found, self._weight(f"{name}.bias")

    def _product(self, name: str, matrix: Array, inputs: str, *, after_gelu: bool = False) -> str:
        """Tokens times a matrix (in, out)."""
        if self._loud is None:
            if not after_gelu:
                self._nodes.output(name, "Identity", [inputs])
                self._shown.append(name)
            constant = self._nodes.constant(f"{name}.matrix", matrix)
            return self._nodes.node("MatMul", [inputs, constant])
        if after_gelu:
            return product_after_gelu(self._nodes, name, matrix, inputs)
        return product(self._nodes, name, matrix, inputs, self._loud[name])

    def _normalised(self, terms: Sequence[str], name: str) -> str:
        # Added one by one: the fused SkipLayerNormalization takes half as long again (measured).
        inputs = [
            self._nodes.total(terms),
            self._weight(f"{name}.weight"),
            self._weight(f"{name}.bias"),
        ]
        epsilon = float(self._config["layer_norm_eps"])
        return self._nodes.node("LayerNormalization", inputs, epsilon=epsilon)

    def _beginning(self, name: str, value: Array, *axes: int) -> str:
        """As much of a constant as the window is long."""
        ends = self._length
        if len(axes) > 1:
            ends = self._nodes.node("Concat", [self._length] * len(axes), axis=0)
        constant = self._nodes.constant(name, value.astype(np.float32))
        starts = self._nodes.integers(*[0] * len(axes))
        return self._nodes.node("Slice", [constant, starts, ends, self._nodes.integers(*axes)])

    def _weight(self, name: str) -> str:
        return self._nodes.constant(name, self._weights[name])
