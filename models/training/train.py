"""Fine-tunes the network: stages of epochs over corpora, resumable, the same for the same seed."""

from __future__ import annotations

import json
import math
import random
import tomllib
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress
from transformers import AutoModel, AutoTokenizer

from models.training.batches import Batch, collate, shuffled
from models.training.encode import Encoded, Example, encode, examples
from models.training.losses import total_loss
from service.gold import read
from service.network import Network
from service.windows import WindowLayout

CHECKPOINT = "checkpoint.pt"


def read_config(path: Path) -> dict[str, Any]:
    """Read a recipe."""
    with path.open("rb") as file:
        return tomllib.load(file)


def layout_for(tokenizer: Any, config: dict[str, Any]) -> WindowLayout:
    """The windows' layout, its markers taken from the vocabulary's unused entries."""
    markers = tokenizer.convert_tokens_to_ids(["[unused1]", "[unused2]", "[unused3]"])
    return WindowLayout(
        config["max_tokens"],
        config["context_tokens"],
        tokenizer.cls_token_id,
        tokenizer.sep_token_id,
        *markers,
    )


def read_corpora(
    stage: dict[str, Any], data: Path, tokenizer: Any, unsure_weight: float
) -> list[Encoded]:
    """Read and tokenise a stage's corpora; dev splits stay out."""
    documents = []
    for name, weight in stage["corpora"].items():
        corpus = [d for d in read(data / f"{name}.jsonl") if d.split in ("train", None)]
        documents += encode(corpus, tokenizer, unsure_weight=unsure_weight, weight=weight)
    return documents


def parameter_groups(network: Network, config: dict[str, Any]) -> list[dict[str, Any]]:
    """Learning rates that fall from the heads to the embeddings; no decay on biases and norms."""
    depth = network.depth
    groups = []
    for name, parameter in network.named_parameters():
        if "head" in name:
            rate = config["head_learning_rate"]
        else:
            layer = int(name.split(".layer.")[1].split(".")[0]) if ".layer." in name else -1
            rate = config["learning_rate"] * config["layer_decay"] ** (depth - 1 - layer)
        decay = 0.0 if parameter.ndim == 1 else config["weight_decay"]
        groups.append({"params": [parameter], "lr": rate, "weight_decay": decay, "peak": rate})
    return groups


def rate_at(step: int, total: int, warmup: float) -> float:
    """Share of the peak learning rate: linear up, then a half cosine down to 0."""
    rise = max(1, int(total * warmup))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, total - rise)))


def stage_batches(
    documents: list[Encoded],
    layout: WindowLayout,
    stage: dict[str, Any],
    config: dict[str, Any],
    number: int,
) -> list[list[list[Example]]]:
    """All batches of a stage, epoch by epoch, drawn from the seed."""
    epochs = []
    for epoch in range(stage["epochs"]):
        rng = random.Random(f"{config['seed']}/{number}/{epoch}")
        rows = examples(documents, layout, rng)
        epochs.append(shuffled(rows, config["batch_windows"], rng))
    return epochs


def train(config: dict[str, Any], data: Path, base: Path, run: Path) -> Path:
    """Train by a recipe, going on from the run's checkpoint if there is one.

    Returns:
        The file with the final weights (torch state dict).
    """
    run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config["seed"])
    tokenizer = AutoTokenizer.from_pretrained(base)
    layout = layout_for(tokenizer, config)
    # Dropout inside attention keeps torch from its fused kernel: a step takes 1.6 times as long.
    encoder = AutoModel.from_pretrained(
        base, add_pooling_layer=False, dtype=torch.float32, attention_probs_dropout_prob=0.0
    )
    network = Network(encoder.config, encoder)
    state_file, done = run / CHECKPOINT, (0, 0)
    saved = torch.load(state_file, weights_only=True) if state_file.exists() else None
    if saved:
        network.load_state_dict(saved["network"])
        done = tuple(saved["done"])
    with Progress() as bars:
        for number, stage in enumerate(config["stages"]):
            if number < done[0]:
                continue
            documents = read_corpora(stage, data, tokenizer, config["unsure_weight"])
            epochs = stage_batches(documents, layout, stage, config, number)
            ends = list(accumulate(map(len, epochs)))
            total = ends[-1]
            optimiser = torch.optim.AdamW(parameter_groups(network, config))
            start = done[1] if number == done[0] else 0
            if saved and start:
                optimiser.load_state_dict(saved["optimiser"])
            bar = bars.add_task(f"stage {number + 1}", total=total, completed=start)
            mean = None
            for step, rows in enumerate([b for epoch in epochs for b in epoch]):
                if step < start:
                    continue
                torch.manual_seed(config["seed"] * 1_000_003 + number * 100_003 + step)
                share = stage["scale"] * rate_at(step, total, config["warmup"])
                for group in optimiser.param_groups:
                    group["lr"] = group["peak"] * share
                loss = update(network, optimiser, collate(rows), config)
                mean = loss if mean is None else 0.98 * mean + 0.02 * loss
                bars.update(bar, advance=1, description=f"stage {number + 1} loss {mean:.3f}")
                if (step + 1) % config["checkpoint_steps"] == 0 or step + 1 == total:
                    _log(run, stage=number + 1, step=step + 1, total=total, loss=round(mean, 4))
                    _save(state_file, network, optimiser, (number, step + 1))
                if step + 1 in ends:
                    epoch = ends.index(step + 1) + 1
                    torch.save(network.state_dict(), run / f"stage{number + 1}-epoch{epoch}.pt")
    return run / f"stage{number + 1}-epoch{epoch}.pt"


def update(
    network: Network, optimiser: torch.optim.Optimizer, batch: Batch, config: dict[str, Any]
) -> float:
    """One step down the gradient; returns the loss."""
    network.train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(batch.ids, batch.mask, batch.owner, batch.markers)
    loss = total_loss(
        logits, batch, smoothing=config["smoothing"], span_weight=config["span_weight"]
    )
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    return float(loss.detach())


def _save(file: Path, network: Network, optimiser: Any, done: tuple[int, int]) -> None:
    state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "done": done}
    partial = file.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(file)


def _log(run: Path, **figures: float) -> None:
    with (run / "log.jsonl").open("a") as file:
        file.write(json.dumps(figures) + "\n")
