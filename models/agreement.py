"""How near int8 is to single precision on the dev articles: ``python -m models.agreement``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from models.export import graph
from service.evaluation import Pairing, pair, report
from service.gold import GoldArticle, read
from service.labeller import WindowLabeller
from service.onnx_backend import OnnxBackend
from service.pipeline import label_of
from service.release import INT8, SCORES, check, load_tokenizer
from service.settings import RELEASES
from service.windows import WindowLayout


def agreement(folder: Path, articles: list[GoldArticle]) -> dict[str, Any]:
    """Compare the labels of a release in int8 and in single precision.

    Returns:
        ``sentences``, of them the shares ``differing`` in their label and ``differing_spans`` in
        source or cue, and ``macro_f1`` and ``macro_f1_single``.
    """
    exact, rounded = (_pairings(folder, articles, in_int8=in_int8) for in_int8 in (False, True))
    both = [(a.found, b.found) for a, b in zip(exact, rounded, strict=True)]
    labels = sum(label_of(a) != label_of(b) for a, b in both)
    spans = sum((a.source, a.cue) != (b.source, b.cue) for a, b in both)
    return {
        "sentences": len(both),
        "differing": labels / len(both),
        "differing_spans": spans / len(both),
        "macro_f1": report(rounded)["macro_f1"],
        "macro_f1_single": report(exact)["macro_f1"],
    }


def record(folder: Path, data: Path) -> dict[str, Any]:
    """Compare on the dev split and keep the figures in the release's ``metrics.json``."""
    articles = [a for a in read(data / "labelled_articles.jsonl") if a.split == "dev"]
    found = agreement(folder, articles)
    scores = json.loads((folder / SCORES).read_bytes())
    (folder / SCORES).write_text(json.dumps(scores | {INT8: found}, indent=1) + "\n")
    return found


def _pairings(folder: Path, articles: list[GoldArticle], *, in_int8: bool) -> list[Pairing]:
    config = json.loads((folder / "config.json").read_bytes())["claimstream"]
    labeller = WindowLabeller(
        OnnxBackend(graph(folder, in_int8=in_int8).SerializeToString(), threads=1),
        load_tokenizer(folder),
        WindowLayout(**config["layout"]),
        check(folder),
    )
    title = f"{folder.name}, {'int8' if in_int8 else 'single precision'}"
    return [row for article in track(articles, title) for row in pair(article, labeller)]


def main(
    models: Annotated[
        list[Path] | None, typer.Argument(exists=True, file_okay=False, help="Releases.")
    ] = None,
    *,
    data: Annotated[
        Path, typer.Option(exists=True, file_okay=False, help="Folder of the corpora.")
    ],
) -> None:
    """Compare int8 with single precision and keep the figures beside the releases' weights."""
    for folder in models or sorted(file.parent for file in RELEASES.glob("*/release.json")):
        Console().print(folder.name, record(folder, data))


if __name__ == "__main__":
    typer.run(main)
