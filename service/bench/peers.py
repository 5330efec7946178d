"""What people would otherwise write: each sentence by itself through transformers, in float32.

The encoder is the released one. The head is as wide but untrained, for the released heads read
windows: what the peers answer means nothing, only how long it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, pipeline

from service.bench.floor import LONGEST
from service.release import weight_files

BATCH = 32
# How the names of its weights begin in a release.
_ENCODER = "encoder."

# Sentences to their labels.
Classify = Callable[[Sequence[str]], list[str]]


class Peer(NamedTuple):
    """A network of transformers and its tokenizer."""

    network: Any
    tokenizer: Any


def load_peer(folder: Path) -> Peer:
    """A classifier of single sentences around a release's encoder, on one thread."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    network = AutoModelForSequenceClassification.from_config(config).eval()
    encoder = {
        name.removeprefix(_ENCODER): value.float()
        for file in weight_files(folder)
        for name, value in load_file(folder / file).items()
        if name.startswith(_ENCODER)
    }
    missing, unexpected = network.base_model.load_state_dict(encoder, strict=False)
    # A pooler belongs to the head.
    if unexpected or any(not name.startswith("pooler.") for name in missing):
        raise ValueError(f"not this encoder's weights: {missing} {unexpected}")
    return Peer(network, AutoTokenizer.from_pretrained(folder, local_files_only=True))


def one_by_one(peer: Peer) -> Classify:
    """A pipeline called for each sentence."""
    classify = _pipeline(peer)
    return lambda sentences: [classify(sentence)[0]["label"] for sentence in sentences]


def in_batches(peer: Peer) -> Classify:
    """A pipeline called once, told to batch."""
    classify = _pipeline(peer)
    return lambda sentences: [
        found["label"] for found in classify(list(sentences), batch_size=BATCH)
    ]


def padded(peer: Peer) -> Classify:
    """Batches by hand, in the order of the sentences, padded to the longest of each batch."""
    names = peer.network.config.id2label

    def classify(sentences: Sequence[str]) -> list[str]:
        labels: list[str] = []
        with torch.inference_mode():
            for first in range(0, len(sentences), BATCH):
                batch = peer.tokenizer(
                    list(sentences[first : first + BATCH]),
                    padding=True,
                    truncation=True,
                    max_length=LONGEST,
                    return_tensors="pt",
                )
                found = peer.network(**batch).logits.argmax(dim=1)
                labels += [names[number] for number in found.tolist()]
        return labels

    return classify


def _pipeline(peer: Peer) -> Any:
    return pipeline(
        "text-classification",
        model=peer.network,
        tokenizer=peer.tokenizer,
        device="cpu",
        truncation=True,
        max_length=LONGEST,
    )
