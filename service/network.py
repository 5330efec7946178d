"""The network: a transformers encoder with a head for sentences and a head for spans."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers import AutoModel, PretrainedConfig

from service.contracts import LABELS

CLASSES = (*LABELS, "furniture")
# What the token head says of each token: that the source, or the cue, starts or ends there.
# The same four at a sentence's marker say that it has none.
SPAN_ENDS = ("source_start", "source_end", "cue_start", "cue_end")


class Logits(NamedTuple):
    """Unnormalised scores: of each sentence (n, 4) and of each token (windows, length, 4)."""

    classes: Tensor
    span_ends: Tensor


class Network(nn.Module):
    """One pass over windows gives the classes of their sentences and the ends of their spans."""

    def __init__(self, config: PretrainedConfig, encoder: nn.Module | None = None) -> None:
        """Build the network for an encoder's configuration, around a given encoder if any."""
        super().__init__()
        self.encoder = encoder or AutoModel.from_config(config, add_pooling_layer=False)
        width = config.hidden_size
        self.depth: int = config.num_hidden_layers
        self.dropout = nn.Dropout(0.1)
        self.class_head = nn.Linear(2 * width, len(CLASSES))
        self.span_head = nn.Linear(width, len(SPAN_ENDS))

    def forward(self, ids: Tensor, mask: Tensor, owner: Tensor, markers: Tensor) -> Logits:
        """Score windows.

        Args:
            ids: token ids (windows, length).
            mask: 1 where there is a token, 0 where there is padding (windows, length).
            owner: for each token the number of its sentence in the batch, or the number of
                sentences where it belongs to none (windows, length).
            markers: for each sentence the position of its marker in the flattened batch (n,).
        """
        # Sums over tokens and the heads want more digits than an encoder in bfloat16 has.
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        flat = hidden.flatten(0, 1)
        count = markers.shape[0]
        # One bin more than there are sentences takes what belongs to none.
        sums = flat.new_zeros(count + 1, flat.shape[1]).index_add(0, owner.flatten(), flat)
        sizes = torch.bincount(owner.flatten(), minlength=count + 1).clamp(min=1)
        means = (sums / sizes.unsqueeze(1).to(sums.dtype))[:count]
        sentences = torch.cat([means, flat[markers]], dim=1)
        classes = self.class_head(self.dropout(sentences))
        return Logits(classes.float(), self.span_head(self.dropout(hidden)).float())
