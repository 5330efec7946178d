"""Trains and scores variants of one recipe, each of which changes one thing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.training.release import release
from models.training.train import train
from service.evaluation import evaluate
from service.gold import read
from service.release import load
from service.settings import ModelSettings

RESULTS = "results.jsonl"


def variants(recipe: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and recipe of each variant.

    A variant's values take the place of the recipe's; those in its ``stage`` that of the first
    stage's.
    """
    common = {name: value for name, value in recipe.items() if name != "variants"}
    for name, changes in recipe["variants"].items():
        stage = common["stages"][0] | changes.get("stage", {})
        others = {key: value for key, value in changes.items() if key != "stage"}
        yield name, common | others | {"stages": [stage]}


def ablate(
    recipe: dict[str, Any], data: Path, base: Path, run: Path, threads: int
) -> Iterator[dict[str, Any]]:
    """Train each variant and score it on the dev split, boundaries given, as it would be served.

    Goes on where an interrupted run stopped; variants that have a result are not run again.

    Args:
        recipe: common values and ``variants``.
        data: folder of the corpora.
        base: folder of the base model.
        run: folder for checkpoints, weights and results.
        threads: compute threads for scoring.

    Yields:
        The result of each variant, old or new: its name, macro-F1, that of the sure sentences,
        exact F1 of source and cue, and calibration error.
    """
    results = run / RESULTS
    run.mkdir(parents=True, exist_ok=True)
    lines = results.read_text().splitlines() if results.exists() else []
    found = {result["variant"]: result for result in map(json.loads, lines)}
    dev = [a for a in read(data / "labelled_articles.jsonl") if a.split == "dev"]
    for name, config in variants(recipe):
        if name not in found:
            weights = train(config, data, base, run / name)
            made = run / name / "release"
            release(config, [weights], base, dev, folder=made, version="0")
            labeller = load(ModelSettings(path=made, backend="torch", threads=threads))
            scores = evaluate(dev, labeller)
            found[name] = {
                "variant": name,
                "macro_f1": scores["macro_f1"],
                "sure": scores["sure"]["macro_f1"],
                "source": scores["source"]["exact_f1"],
                "cue": scores["cue"]["exact_f1"],
                "ece": scores["ece"],
            }
            with results.open("a") as file:
                file.write(json.dumps(found[name]) + "\n")
        yield found[name]
