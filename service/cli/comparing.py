"""The command that compares two models on the same articles: compare."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from service.cli import bars
from service.cli.edge import (
    FAILED,
    MISUSED,
    Bootstrap,
    Json,
    broker_errors,
    fail,
    load_labeller,
    load_settings,
    warn,
)

if TYPE_CHECKING:
    from service.comparing.results import Report
    from service.contracts import Article
    from service.pipeline import Labeller
    from service.settings import Settings

app = typer.Typer()

_SIZES: Final = ("base", "small")
_SHARE: Final = re.compile(r"(\d+(?:\.\d+)?)(\s*%)?", re.ASCII)
# Where nobody looks at it on a terminal nothing need be broken into lines.
_UNBROKEN: Final = 10_000
# Which articles were left out for a fault of their own; filled while they are read.
_Faults = list[str]


@app.command()
def compare(  # noqa: PLR0913 - each is an option
    model_a: Annotated[
        str | None, typer.Argument(help="Model in force: base, small or a release's folder.")
    ] = None,
    model_b: Annotated[str | None, typer.Argument(help="Model to be; the same.")] = None,
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Articles as label takes them; - is standard input."),
    ] = None,
    *,
    topics: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="A B", help="Compare what lies in two topics of labelled articles."),
    ] = None,
    newest: Annotated[
        int, typer.Option(min=1, help="With --topics: so many records of A, the newest.")
    ] = 10_000,
    show: Annotated[int, typer.Option(min=0, help="Show so many disagreements.")] = 10,
    fail_over: Annotated[
        str | None,
        typer.Option(metavar="SHARE", help="End with 1 where more labels differ, as in 2%."),
    ] = None,
    as_json: Json = False,
    bootstrap_servers: Bootstrap = None,
) -> None:
    """Compare two models on the same articles, before one takes over from the other.

    Both label the files, in turns. With --topics nothing is labelled: articles of the same id and
    text are compared as two groups of workers left them. Neither says which model is right: where
    there are annotated articles, score each with `claimstream evaluate`.

    Example: claimstream compare base models/green articles.jsonl --fail-over 2%
    """
    most = _parse_share(fail_over)
    faults: _Faults = []
    if topics is not None:
        if model_a is not None:
            fail("compare: give two models and files, or --topics A B, not both", MISUSED)
        report = _compare_topics(load_settings(bootstrap_servers), topics, newest, show)
    elif model_a is None or model_b is None or not files:
        fail("compare: give two models and at least one file, or --topics A B", MISUSED)
    else:
        report = _compare_files((model_a, model_b), files, show, faults)
    if not report.parts:
        where = "these files" if topics is None else f"both {topics[0]} and {topics[1]}"
        fail(f"nothing to compare: no sentence of the same article and text in {where}", FAILED)
    _print(report, as_json=as_json)
    if most is not None and report.differing_share > most:
        fail(f"{report.differing_share:.2%} of the labels differ, over {most:.2%}", FAILED)
    if faults:
        raise typer.Exit(FAILED)


def _compare_files(
    models: tuple[str, str], files: list[Path], show: int, faults: _Faults
) -> Report:
    from service.comparing.labelling import compare_labellers
    from service.files import STDIN, FileError, count_records, list_files

    try:
        paths = list_files(files)
    except FileError as error:
        fail(error, MISUSED)
    settings = load_settings()
    a, b = (_load(model, settings) for model in models)
    standard_input = sys.stdin.buffer.read() if STDIN in paths else b""
    with bars.bar() as bar:
        total = None if bar.disable else count_records(paths, standard_input)
        articles = bar.track(
            _articles(paths, standard_input, faults), total=total, description="labelling"
        )
        return compare_labellers(a, b, articles, show)


def _load(model: str, settings: Settings) -> Labeller:
    """The released model of that size, or in that folder; exits with 2 where there is none."""
    named = {"size": model, "path": None} if model in _SIZES else {"path": Path(model)}
    chosen = settings.model.model_copy(update=named)
    labeller: Labeller = load_labeller(settings.model_copy(update={"model": chosen}))
    return labeller


def _articles(paths: list[Path], standard_input: bytes, faults: _Faults) -> Iterator[Article]:
    """The articles of files, with their text as body; what is none is told, and left out."""
    from service.decoding import DecodeError, decode
    from service.extraction import ExtractionError
    from service.files import FileError, read_records
    from service.pipeline import article_text

    def left_out(fault: str) -> None:
        warn(fault)
        faults.append(fault)

    for path in paths:
        try:
            for record in read_records(path, standard_input):
                if record.fault is not None:
                    left_out(f"{record.origin}: {record.fault}")
                    continue
                try:
                    article = decode(record.value)
                    text, _ = article_text(article)
                except (DecodeError, ExtractionError) as error:
                    left_out(f"{record.origin}: {error}")
                    continue
                yield article.model_copy(update={"body": text, "html": None})
        except FileError as error:
            left_out(str(error))


def _compare_topics(settings: Settings, topics: tuple[str, str], newest: int, show: int) -> Report:
    from service.comparing.topics import compare_topics
    from service.reading import ReadError, open_reader

    async def run() -> Report:
        async with open_reader(settings) as reader:
            return await compare_topics(reader, *topics, newest, show, bars.steps(bar))

    with broker_errors(), bars.bar() as bar:
        try:
            return asyncio.run(run())
        except ReadError as error:
            fail(error, FAILED)


def _parse_share(given: str | None) -> float | None:
    """A share as 2% or 0.02; exits with 2 where it is neither, or more than all."""
    if given is None:
        return None
    found = _SHARE.fullmatch(given.strip())
    share = 2.0 if found is None else float(found[1]) / (100 if found[2] else 1)
    if share > 1:
        fail(f"--fail-over {given}: a share as in 2% or 0.02", MISUSED)
    return share


def _print(report: Report, *, as_json: bool) -> None:
    from service.comparing.reporting import show_report

    if as_json:
        print(report.model_dump_json())
        return
    show_report(Console() if sys.stdout.isatty() else Console(width=_UNBROKEN), report)
