"""Commands that need no broker: label, evaluate, settings."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from service.cli import bars, formats
from service.cli.edge import FAILED, MISUSED, Json, Paths, fail, load_labeller, load_settings, warn
from service.settings import PREFIX

app = typer.Typer()


@app.command()
def label(
    files: Paths = [Path("-")],  # noqa: B006 - typer copies
    *,
    form: formats.Chosen = None,
    as_json: formats.AsJsonLines = False,
) -> None:
    """Label text, HTML, article JSON, or feeds: RSS, Atom, NewsML-G2, ninjs, JSON-LD.

    As text, sentences are marked for a terminal. Otherwise: jsonl is one labelled article a line;
    json is one array, also of a single article; csv has a row a sentence; markdown is a list of
    sentences; html is one page that needs no other file.

    Example: claimstream label article.txt --format html > article.html
    """
    from service.decoding import DecodeError, decode
    from service.extraction import ExtractionError
    from service.files import STDIN, FileError, list_files, read_records
    from service.pipeline import label_article

    chosen = formats.choose(form, as_json=as_json)
    try:
        paths = list_files(files)
    except FileError as error:
        fail(error, MISUSED)
    labeller = load_labeller(load_settings())
    standard_input = sys.stdin.buffer.read() if STDIN in paths else b""
    failed = False
    with formats.open_writer(chosen) as put:
        for path in paths:
            try:
                for record in read_records(path, standard_input):
                    if record.fault is not None:
                        warn(f"{record.origin}: {record.fault}")
                        failed = True
                        continue
                    try:
                        article = decode(record.value)
                        labelled = label_article(article, labeller)
                    except (DecodeError, ExtractionError) as error:
                        warn(f"{record.origin}: {error}")
                        failed = True
                        continue
                    # The text that was extracted from a page comes along.
                    put(labelled, article.body if labelled.text is None else labelled.text)
            except FileError as error:
                warn(error)
                failed = True
    if failed:
        raise typer.Exit(FAILED)


@app.command()
def evaluate(
    file: Annotated[Path, typer.Argument(help="Annotated articles, one JSON object a line.")],
    *,
    split: Annotated[str | None, typer.Option(help="Only articles of this split.")] = None,
    own_segmentation: Annotated[
        bool, typer.Option("--own-segmentation", help="Score the whole way from raw text.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Score the model on annotated articles.

    Example: claimstream evaluate labelled_articles.jsonl --split dev
    """
    from service.evaluation import pair, report
    from service.gold import GoldError, read

    try:
        articles = [a for a in read(file) if split in (None, a.split)]
    except OSError as error:
        fail(f"{file}: {error.strerror}", MISUSED)
    except GoldError as error:
        fail(error, FAILED)
    if not articles:
        fail(f"{file}: no articles" + (f" of split {split!r}" if split else ""), MISUSED)
    labeller = load_labeller(load_settings())
    with bars.bar() as bar:
        figures = report(
            [
                row
                for article in bar.track(articles, description="labelling")
                for row in pair(article, labeller, own_segmentation=own_segmentation)
            ]
        )
    if as_json:
        print(json.dumps(figures))
    else:
        _show_figures(figures)


def _show_figures(figures: dict[str, Any]) -> None:
    def number(value: float | None) -> str:
        return "–" if value is None else f"{value:.3f}"

    console = Console()
    table = Table("class", "precision", "recall", "F1", "support")
    for name, score in figures["labels"].items():
        cells = (number(score[key]) for key in ("precision", "recall", "f1"))
        table.add_row(name, *cells, str(score["support"]))
    console.print(table)
    spans = Table("span", "exact F1", "overlap F1", "support")
    for name in ("source", "cue"):
        score = figures[name]
        spans.add_row(
            name, number(score["exact_f1"]), number(score["overlap_f1"]), str(score["support"])
        )
    console.print(spans)
    if len(figures["groups"]) > 1:
        groups = Table("group", "macro-F1", "accuracy", "sentences")
        for name, score in figures["groups"].items():
            groups.add_row(
                name,
                number(score["macro_f1"]),
                number(score["accuracy"]),
                str(score["sentences"]),
            )
        console.print(groups)
    console.print(
        f"{figures['sentences']} sentences; macro-F1 {number(figures['macro_f1'])} "
        f"(sure ones {number(figures['sure']['macro_f1'])}), accuracy "
        f"{number(figures['accuracy'])}, calibration error {number(figures['ece'])}"
    )


@app.command("settings")
def show_settings(*, as_json: Json = False) -> None:
    """Print the settings in force, secrets hidden.

    Example: CLAIMSTREAM_KAFKA__GROUP=desk claimstream settings
    """
    settings = load_settings()
    if as_json:
        print(settings.model_dump_json(indent=2))
        return
    for name, value in _flatten(settings, PREFIX):
        print(f"{name}={value}")


def _flatten(group: BaseModel, prefix: str) -> list[tuple[str, str]]:
    rows = []
    for name in type(group).model_fields:
        value = getattr(group, name)
        if isinstance(value, BaseModel):
            rows += _flatten(value, f"{prefix}{name.upper()}__")
        else:
            rows.append((f"{prefix}{name.upper()}", "" if value is None else str(value)))
    return rows
