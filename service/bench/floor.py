"""The least time that the encoder's arithmetic takes on one core: work over peak.

Work is what multiplies matrices. A linear layer takes 2 operations (a product and a sum) for each
of its weights and each token; attention takes 4 times length squared times width in each layer, for
the scores of all pairs of tokens and for the sums weighted by them. Embeddings, norms, activations,
the heads and everything outside the network are left out: a floor is what nobody gets below.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import Tokenizer

from service.bench.results import Numbers
from service.bench.texts import Text
from service.segmentation import segment
from service.windows import WindowLayout, pack

# [CLS] and [SEP], around a sentence of its own.
_FRAME = 2
# What the encoders can take at once, and where the peers cut a sentence.
LONGEST = 512


class Encoder(NamedTuple):
    """An encoder's size: layers, width, and width between the two feed-forward layers."""

    layers: int
    width: int
    inner: int

    @property
    def linear_flops(self) -> int:
        """Operations a token takes in all linear layers: four of attention, two feed-forward."""
        return 2 * self.layers * (4 * self.width**2 + 2 * self.width * self.inner)

    def attention_flops(self, length: int) -> int:
        """Operations that attention takes over a sequence of so many tokens."""
        return self.layers * 4 * length**2 * self.width


def read_encoder(config: Mapping[str, Any]) -> Encoder:
    """The encoder's size out of a release's configuration."""
    return Encoder(config["num_hidden_layers"], config["hidden_size"], config["intermediate_size"])


def read_config(folder: Path) -> dict[str, Any]:
    """A release's configuration."""
    config: dict[str, Any] = json.loads((folder / "config.json").read_bytes())
    return config


def floor_s(
    encoder: Encoder,
    lengths: Sequence[int],
    peaks: Mapping[Numbers, float | None],
    numbers: Numbers,
) -> float | None:
    """The least seconds for sequences of these lengths, without any padding.

    Args:
        encoder: its size.
        lengths: tokens of each sequence.
        peaks: operations a second of one core, by the numbers multiplied.
        numbers: those of the linear layers. Attention has the same, but float32 beside int8.

    Returns:
        None where a peak could not be measured.
    """
    linear, attention = peaks[numbers], peaks["float32" if numbers == "int8" else numbers]
    if linear is None or attention is None:
        return None
    return (
        sum(lengths) * encoder.linear_flops / linear
        + sum(map(encoder.attention_flops, lengths)) / attention
    )


def sentence_lengths(texts: Sequence[Text], tokenizer: Tokenizer) -> list[int]:
    """Tokens of each sentence as a sequence of its own."""
    return [
        min(len(ids) + _FRAME, LONGEST) for text in texts for ids in _pieces(text, tokenizer)[0]
    ]


def window_lengths(texts: Sequence[Text], tokenizer: Tokenizer, layout: WindowLayout) -> list[int]:
    """Tokens of each window, the context that it repeats included."""
    return [len(window.ids) for text in texts for window in pack(*_pieces(text, tokenizer), layout)]


def _pieces(text: Text, tokenizer: Tokenizer) -> tuple[list[list[int]], list[bool]]:
    """Word pieces of each sentence, and whether it opens a paragraph."""
    parts = segment(text.text)
    encodings = tokenizer.encode_batch(
        [text.text[part.start : part.end] for part in parts], add_special_tokens=False
    )
    return [found.ids for found in encodings], [part.starts_paragraph for part in parts]
