"""Makes a released model out of trained weights: half precision, calibrated, with its digests."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoTokenizer

from models.training.train import average, layout_for
from service.contracts import Model
from service.evaluation import Pairing, pair, report
from service.gold import CLASSES, GoldArticle
from service.labeller import NetworkLabeller
from service.network import Network
from service.release import MANIFEST, Manifest, file_digest

# Weights are kept in half precision: two bytes of a number that was trained with less.
STORED = torch.float16


def release(  # noqa: PLR0913 - what goes into a release
    config: dict[str, Any],
    weights: Sequence[Path],
    base: Path,
    dev: Sequence[GoldArticle],
    *,
    folder: Path,
    version: str,
) -> dict[str, Any]:
    """Write a released model and score it.

    Args:
        config: the recipe that the weights were trained by.
        weights: state dicts that :func:`models.training.train.train` wrote; several are averaged.
        base: folder of the base model (its configuration and tokenizer).
        dev: annotated articles for calibration and scores.
        folder: where the release goes; replaced file by file.
        version: of the model.

    Returns:
        The figures, as they stand in ``metrics.json``.
    """
    tokenizer = AutoTokenizer.from_pretrained(base)
    layout = replace(layout_for(tokenizer, config), context_tokens=config["serving_context_tokens"])
    encoder = AutoConfig.from_pretrained(base)
    state = {name: value.to(STORED) for name, value in average(weights).items()}
    network = Network(encoder)
    network.load_state_dict({name: value.float() for name, value in state.items()})
    name = f"claimstream-{config['name']}"
    unnamed = Model(name=name, version=version, digest="")
    raw = NetworkLabeller(network, tokenizer, layout, unnamed)
    pairings = [row for article in dev for row in pair(article, raw)]
    temperature = fit_temperature(pairings)

    encoder.id2label = dict(enumerate(CLASSES))
    encoder.label2id = {label: number for number, label in enumerate(CLASSES)}
    encoder.claimstream = {"layout": asdict(layout), "temperature": temperature}
    folder.mkdir(parents=True, exist_ok=True)
    encoder.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    loaded = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
    files = {file: file_digest(folder / file) for file in loaded}
    manifest = Manifest(name=name, version=version, files=files)
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n")

    calibrated = NetworkLabeller(network, tokenizer, layout, unnamed, temperature)
    figures = report([row for article in dev for row in pair(article, calibrated)])
    figures |= {"temperature": temperature, "version": version, "recipe": config}
    (folder / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")
    return figures


def fit_temperature(pairings: Sequence[Pairing]) -> float:
    """The temperature (to 0.01) that makes the annotated classes most likely.

    Temperature scaling as in Guo et al. (2017). Takes predictions made with temperature 1.
    """
    rows = [
        (CLASSES.index(gold.label), [math.log(max(p, 1e-12)) for p in found.probabilities])
        for gold, found in pairings
        if gold.label is not None
    ]
    wanted = torch.tensor([row[0] for row in rows])
    logits = torch.tensor([row[1] for row in rows])

    def loss(hundredths: int) -> float:
        return float(torch.nn.functional.cross_entropy(logits / (hundredths / 100), wanted))

    return min(range(30, 401), key=loss) / 100
