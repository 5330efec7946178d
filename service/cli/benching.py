"""Commands that measure: bench, bench stream."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from service.cli.edge import FAILED, MISUSED, Bootstrap, Json, broker_errors, fail, load_settings

if TYPE_CHECKING:
    from service.bench.texts import Text
    from service.settings import ModelSettings

_SEEDS = Path(__file__).resolve().parent.parent.parent / "seeds"
_MINUTES, _QUICK_MINUTES = 5.0, 0.5


class _LabellerUnasked(TyperGroup):
    """Runs ``labeller`` where no command of the group is named first."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the command in front of its arguments."""
        if not args or args[0] not in self.commands:
            args = ["labeller", *args]
        rest: list[str] = super().parse_args(ctx, args)
        return rest


app = typer.Typer(cls=_LabellerUnasked)


class Size(StrEnum):
    """Which released models are measured."""

    SMALL = "small"
    BASE = "base"
    BOTH = "both"


Files = Annotated[
    list[Path] | None, typer.Argument(help="Articles: files or folders; else those of seeds/.")
]
Quick = Annotated[bool, typer.Option("--quick", help="A first impression in about a minute.")]
Minutes = Annotated[
    float | None,
    typer.Option(
        min=0.01, help="How long to measure, starts not counted.", show_default=f"{_MINUTES:g}"
    ),
]


@app.command("labeller")
def bench(  # noqa: PLR0913 - each is an option
    files: Files = None,
    *,
    size: Annotated[
        Size | None, typer.Option(help="Which model; else the one of the settings.")
    ] = None,
    quick: Quick = False,
    minutes: Minutes = None,
    as_json: Json = False,
    plots: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Draw plots into this folder, as SVG.")
    ] = None,
) -> None:
    """Measure the labeller on this machine, beside plain transformers in the same run.

    Throughput in turns with three ways of plain transformers, share of what one core could do at
    most, start-up time and memory; latency alone and under load; cost against length; agreement of
    the backends. `claimstream bench stream` measures the way through a broker.

    Example: claimstream bench --size small --quick
    """
    from service.bench.durations import divide
    from service.bench.plots import check_plots, draw
    from service.bench.report import show_report
    from service.bench.run import measure
    from service.bench.variants import check_torch

    with _bench_errors():
        with _misuse():
            check_torch()
        texts = _texts(files)
        if plots is not None:
            with _misuse():
                check_plots(plots)
        models = _models(size)
        time = minutes or (_QUICK_MINUTES if quick else _MINUTES)
        with _saying() as say:
            report = measure(models, texts, divide(time, len(models), quick=quick), say)
        if plots is not None:
            draw(report, plots)
    if as_json:
        print(report.model_dump_json())
    else:
        show_report(Console(), report)


@app.command("stream")
def bench_stream(  # noqa: PLR0913 - each is an option
    files: Files = None,
    *,
    size: Annotated[
        Size | None, typer.Option(help="Which model; else the one of the settings.")
    ] = None,
    workers: Annotated[
        list[int] | None,
        typer.Option(min=1, help="How many workers; may be given repeatedly.", show_default="1, 2"),
    ] = None,
    quick: Quick = False,
    minutes: Minutes = None,
    as_json: Json = False,
    bootstrap_servers: Bootstrap = None,
) -> None:
    """Measure the stream: through the embedded broker or a cluster, with real workers.

    Sentences a second beside the labeller alone on the same core, in turns, and latency from
    topic to topic at several rates. Topics of its own are made, and removed at the end.

    Example: claimstream bench stream --quick
    """
    from service.bench.stream_report import show_stream_report
    from service.bench.streaming import Setup, StreamDurations, measure_stream

    counts = workers or [1, 2]
    with _bench_errors(), broker_errors():
        texts = _texts(files)
        if size is Size.BOTH:
            fail("bench stream: one --size at a time", MISUSED)
        settings = load_settings(bootstrap_servers).model_copy(update={"model": _models(size)[0]})
        time = minutes or (_QUICK_MINUTES if quick else _MINUTES)
        durations = StreamDurations(time * 60 / len(counts), rounds=2 if quick else 5)
        with _saying() as say:
            setup = Setup(settings, texts, durations, say)
            report = measure_stream(setup, counts, embedded=bootstrap_servers is None)
    if as_json:
        print(report.model_dump_json())
    else:
        show_stream_report(Console(), report)


def _texts(files: list[Path] | None) -> list[Text]:
    """The articles to label; exits with 2 where they cannot be read."""
    from service.bench.texts import read_texts
    from service.files import STDIN, FileError

    paths = files or [_SEEDS]
    standard_input = sys.stdin.buffer.read() if STDIN in paths else b""
    with _misuse():
        try:
            return read_texts(paths, standard_input)
        except FileError as error:
            fail(error, MISUSED)


def _models(size: Size | None) -> list[ModelSettings]:
    """The settings of the models to measure."""
    model = load_settings().model
    if size is None:
        return [model]
    sizes = (Size.SMALL, Size.BASE) if size is Size.BOTH else (size,)
    return [model.model_copy(update={"size": one.value, "path": None}) for one in sizes]


@contextmanager
def _misuse() -> Iterator[None]:
    """Turn what is wrong with what was given into one clear line and exit code 2."""
    from service.bench.errors import BenchError

    try:
        yield
    except BenchError as error:
        fail(error, MISUSED)


@contextmanager
def _bench_errors() -> Iterator[None]:
    """Turn what a measurement raises into one clear line."""
    from service.bench.errors import BenchError
    from service.broker import BrokerStartError
    from service.release import ReleaseError

    try:
        yield
    except ReleaseError as error:
        fail(error, MISUSED)
    except (BenchError, BrokerStartError) as error:
        fail(error, FAILED)


@contextmanager
def _saying() -> Iterator[Callable[[str], Any]]:
    """Show on a terminal what is being done; elsewhere nothing."""
    console = Console(stderr=True)
    with console.status("measuring …") as status:
        yield status.update
