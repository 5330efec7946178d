"""Fine-tunes the network: stages of epochs over corpora, resumable, the same for the same seed."""

from __future__ import annotations

import json
import math
import random
import tomllib
from collections.abc import Sequence
from itertools import accumulate, chain
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress
from torch import Tensor
from transformers import AutoModel, AutoTokenizer

from models.training.batches import Batch, collate, shuffled
from models.training.corpora import corpus
from models.training.encode import Encoded, Example, encode, examples
from models.training.losses import total_loss
from service.network import Network
from service.torch_backend import computes_in_bfloat16
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


def encoder_options(config: dict[str, Any]) -> dict[str, int]:
    """What the recipe changes of the base model: ``layers`` keeps only so many of the lowest."""
    return {"num_hidden_layers": config["layers"]} if "layers" in config else {}


def average(files: Sequence[Path]) -> dict[str, Tensor]:
    """The mean of several runs' weights (Wortsman et al. 2022, Model soups)."""
    states = [torch.load(file, weights_only=True) for file in files]
    return {name: sum(state[name] for state in states) / len(states) for name in states[0]}


def read_corpora(
    config: dict[str, Any], stage: dict[str, Any], data: Path, tokenizer: Any
) -> list[Encoded]:
    """Read and tokenise a stage's corpora; dev splits stay out."""
    documents = []
    for name, weight in stage["corpora"].items():
        articles = corpus(data, name, config.get("files", {}).get(name))
        share = stage.get("shares", {}).get(name, 1.0)
        articles = random.Random(name).sample(articles, round(share * len(articles)))
        encoded = encode(articles, tokenizer, unsure_weight=config["unsure_weight"], weight=weight)
        documents += encoded * stage.get("repeats", {}).get(name, 1)
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


def train(  # noqa: PLR0913 - what a training is made of
    config: dict[str, Any],
    data: Path,
    base: Path,
    run: Path,
    *,
    init: Sequence[Path] = (),
    skip: int = 0,
) -> Path:
    """Train by a recipe, going on from the run's checkpoint if there is one.

    Args:
        config: the recipe.
        data: folder of the corpora.
        base: folder of the base model.
        run: folder for checkpoints, weights of each epoch, and the log.
        init: weights of other runs to begin with, averaged.
        skip: how many of the recipe's first stages to leave out.

    Returns:
        The file with the final weights (torch state dict).
    """
    run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config["seed"])
    tokenizer = AutoTokenizer.from_pretrained(base)
    layout = layout_for(tokenizer, config)
    # Dropout inside attention keeps torch from its fused kernel: a step takes 1.6 times as long.
    encoder = AutoModel.from_pretrained(
        base,
        add_pooling_layer=False,
        dtype=torch.float32,
        attention_probs_dropout_prob=0.0,
        **encoder_options(config),
    )
    network = Network(encoder.config, encoder)
    done: tuple[int, int] = (skip, 0)
    if init:
        network.load_state_dict(average(init))
    saved = _load(run)
    if saved:
        network.load_state_dict(saved["network"])
        done = saved["done"]
    with Progress() as bars:
        for number in range(done[0], len(config["stages"])):
            stage = config["stages"][number]
            articles = read_corpora(config, stage, data, tokenizer)
            epochs = stage_batches(articles, layout, stage, config, number)
            optimiser = torch.optim.AdamW(parameter_groups(network, config))
            start = done[1] if number == done[0] else 0
            if saved and start:
                optimiser.load_state_dict(saved["optimiser"])
            _train_stage(network, optimiser, epochs, config, run, number, start, bars)
    return run / f"stage{len(config['stages'])}-epoch{config['stages'][-1]['epochs']}.pt"


def _train_stage(  # noqa: PLR0913, PLR0917 - a stage is where all of it meets
    network: Network,
    optimiser: torch.optim.Optimizer,
    epochs: list[list[list[Example]]],
    config: dict[str, Any],
    run: Path,
    number: int,
    start: int,
    bars: Progress,
) -> None:
    """Go through a stage's batches from ``start`` on."""
    name, ends = f"stage{number + 1}", list(accumulate(map(len, epochs)))
    bar = bars.add_task(name, total=ends[-1], completed=start)
    mean = 0.0
    for step, rows in enumerate(chain.from_iterable(epochs)):
        if step < start:
            continue
        # Dropout follows from the step, so that a resumed run draws the same.
        torch.manual_seed(config["seed"] * 1_000_003 + number * 100_003 + step)
        share = config["stages"][number]["scale"] * rate_at(step, ends[-1], config["warmup"])
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * share
        loss = update(network, optimiser, collate(rows), config)
        mean = loss if step == start else 0.98 * mean + 0.02 * loss
        bars.update(bar, advance=1, description=f"{name}, loss {mean:.3f}")
        done = step + 1
        if done % config["checkpoint_steps"] == 0 or done == ends[-1]:
            _log(run, stage=number + 1, step=done, total=ends[-1], loss=round(mean, 4))
            _save(run, network, optimiser, (number, done))
        if done % config.get("keep_steps", math.inf) == 0:
            torch.save(network.state_dict(), run / f"{name}-step{done}.pt")
        if done in ends:
            torch.save(network.state_dict(), run / f"{name}-epoch{ends.index(done) + 1}.pt")


def update(
    network: Network, optimiser: torch.optim.Optimizer, batch: Batch, config: dict[str, Any]
) -> float:
    """One step down the gradient; returns the loss."""
    network.train()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=computes_in_bfloat16()):
        logits = network(batch.ids, batch.mask, batch.owner, batch.markers)
    loss = total_loss(
        logits, batch, smoothing=config["smoothing"], span_weight=config["span_weight"]
    )
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    return float(loss.detach())


def _load(run: Path) -> dict[str, Any] | None:
    """The last checkpoint of a run, if there is one."""
    file = run / CHECKPOINT
    if not file.exists():
        return None
    saved: dict[str, Any] = torch.load(file, weights_only=True)
    return saved


def _save(run: Path, network: Network, optimiser: Any, done: tuple[int, int]) -> None:
    state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "done": done}
    partial = run / f"{CHECKPOINT}.partial"
    torch.save(state, partial)
    partial.replace(run / CHECKPOINT)


def _log(run: Path, **figures: float) -> None:
    with (run / "log.jsonl").open("a") as file:
        file.write(json.dumps(figures) + "\n")
