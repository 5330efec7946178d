"""Makes a released model out of trained weights: half precision, calibrated, with digests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoConfig, AutoTokenizer

from models.training.train import average, encoder_options, layout_for
from service.contracts import LABELS, Model
from service.evaluation import Pairing, pair
from service.gold import CLASSES, GoldArticle
from service.labeller import WindowLabeller
from service.network import Network
from service.pipeline import label_of
from service.release import MANIFEST, Manifest, file_digest, load_tokenizer
from service.scores import expected_calibration_error
from service.torch_backend import TorchBackend

# Weights are kept in half precision: two bytes of a number that was trained with less.
STORED = torch.float16
# A file in git is at most 50 MB; a little is left for the header.
SHARD_BYTES = 49_900_000


def release(  # noqa: PLR0913 - what goes into a release
    config: dict[str, Any],
    weights: Sequence[Path],
    base: Path,
    dev: Sequence[GoldArticle],
    *,
    folder: Path,
    version: str,
) -> float:
    """Write a released model.

    Args:
        config: the recipe that the weights were trained by.
        weights: state dicts that :func:`models.training.train.train` wrote; several are averaged.
        base: folder of the base model (its configuration and tokenizer).
        dev: annotated articles for calibration.
        folder: where the release goes; replaced file by file.
        version: of the model.

    Returns:
        The temperature that calibrates it.
    """
    tokenizer = AutoTokenizer.from_pretrained(base)
    layout = replace(layout_for(tokenizer, config), context_tokens=config["serving_context_tokens"])
    encoder = AutoConfig.from_pretrained(base, **encoder_options(config))
    state = {name: value.to(STORED) for name, value in average(weights).items()}
    network = Network(encoder)
    network.load_state_dict({name: value.float() for name, value in state.items()})
    name = f"claimstream-{config['name']}"
    unnamed = Model(name=name, version=version, digest="")
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(folder)
    raw = WindowLabeller(TorchBackend(network), load_tokenizer(folder), layout, unnamed)
    temperature = fit_temperature([row for article in dev for row in pair(article, raw)])

    encoder.id2label = dict(enumerate(CLASSES))
    encoder.label2id = {label: number for number, label in enumerate(CLASSES)}
    encoder.claimstream = {"layout": asdict(layout), "temperature": temperature}
    encoder.save_pretrained(folder)
    loaded = ["config.json", "tokenizer.json", "tokenizer_config.json", *save(state, folder)]
    files = {file: file_digest(folder / file) for file in sorted(loaded)}
    manifest = Manifest(name=name, version=version, files=files)
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n")
    return temperature


def save(state: dict[str, Tensor], folder: Path) -> list[str]:
    """Write weights in as many safetensors files as keep each within the limit for git.

    Returns:
        The files' names, in order. A single tensor over the limit gets a file of its own.
    """
    shards: list[dict[str, Tensor]] = [{}]
    room = SHARD_BYTES
    for name, value in state.items():
        if shards[-1] and value.nbytes > room:
            shards.append({})
            room = SHARD_BYTES
        shards[-1][name] = value.contiguous()
        room -= value.nbytes
    for old in folder.glob("*.safetensors"):
        old.unlink()
    names = [f"model-{n:05}-of-{len(shards):05}.safetensors" for n in range(1, len(shards) + 1)]
    for name, shard in zip(names, shards, strict=True):
        save_file(shard, folder / name, {"format": "pt"})
    return names


def fit_temperature(pairings: Sequence[Pairing]) -> float:
    """The temperature (to 0.01) with the least expected calibration error over the three labels.

    Temperature scaling as in Guo et al. (2017), who fit it by likelihood: with smoothed labels that
    leaves twice the error (models/EXPERIMENTS.md). Takes predictions made with temperature 1.
    """
    rows = [
        (row.gold.label == label_of(row.found), row.found.probabilities[:3])
        for row in pairings
        if row.gold.label is not None and label_of(row.found) in LABELS
    ]
    logits = torch.tensor([probabilities for _, probabilities in rows]).clamp(min=1e-12).log()
    right = [is_right for is_right, _ in rows]

    def error(hundredths: int) -> float:
        confidences = (logits / (hundredths / 100)).softmax(dim=1).amax(dim=1).tolist()
        return expected_calibration_error(list(zip(confidences, right, strict=True)))

    return min(range(30, 401), key=error) / 100
