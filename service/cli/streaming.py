"""Commands that talk to a broker: demo, worker, topics, publish, watch."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import aclosing, suppress
from typing import Annotated

import typer
from rich.console import Console

from service.cli import bars, formats
from service.cli.edge import (
    FAILED,
    MISUSED,
    Bootstrap,
    Paths,
    broker_errors,
    fail,
    load_settings,
    warn,
)

app = typer.Typer()
topics = typer.Typer(no_args_is_help=True, help="The topics.")
app.add_typer(topics, name="topics")


@app.command()
def publish(files: Paths, *, bootstrap_servers: Bootstrap = None) -> None:
    """Publish articles: JSON lines, JSON, text, HTML, feeds, or the files in a folder.

    Feeds are RSS, Atom, NewsML-G2, ninjs, and the JSON-LD of schema.org.

    Example: claimstream publish seeds --bootstrap-servers 127.0.0.1:9092
    """
    from service.files import STDIN, FileError, Record, count_records, list_files, read_records
    from service.publishing import publish as send
    from service.topics import check

    try:
        paths = list_files(files)
    except FileError as error:
        fail(error, MISUSED)
    settings = load_settings(bootstrap_servers)
    standard_input = sys.stdin.buffer.read() if STDIN in paths else b""
    taken = refused = 0

    def records() -> Iterator[Record]:
        nonlocal refused
        for path in paths:
            try:
                yield from read_records(path, standard_input)
            except FileError as error:
                refused += 1
                warn(error)

    with bars.bar() as bar:
        # What comes through a pipe can be read once only.
        can_count = not bar.disable and all(path == STDIN or path.is_file() for path in paths)
        total = count_records(paths, standard_input) if can_count else None
        task = bar.add_task("publishing", total=total)

        def done(record: Record, reason: str | None) -> None:
            nonlocal taken, refused
            bar.advance(task)
            if reason is None:
                taken += 1
            else:
                refused += 1
                warn(f"{record.origin}: {reason}")

        async def run() -> None:
            await check(settings)
            await send(settings, records(), done)

        with broker_errors():
            asyncio.run(run())
    print(f"articles: {taken} taken by the broker, {refused} refused")
    if refused:
        raise typer.Exit(FAILED)


@app.command()
def watch(
    *,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Begin with the oldest article.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="End after so many articles.")] = None,
    form: formats.Chosen = None,
    as_json: formats.AsJsonLines = False,
    bootstrap_servers: Bootstrap = None,
) -> None:
    """Follow the labelled articles until Ctrl-C.

    As text, sentences are marked for a terminal; jsonl is one labelled article a line, csv has a
    row a sentence. The other formats need a last article.

    Example: claimstream watch --from-start --limit 10 --format csv
    """
    from service.topics import check
    from service.watching import follow

    chosen = formats.choose_endless(form, as_json=as_json)
    settings = load_settings(bootstrap_servers)

    async def run() -> None:
        await check(settings)
        count = 0
        with formats.open_writer(chosen) as put:
            async with aclosing(follow(settings, from_start=from_start)) as arrivals:
                async for labelled in arrivals:
                    if isinstance(labelled, str):
                        warn(labelled)
                        continue
                    put(labelled, None)
                    count += 1
                    if count == limit:
                        return

    with broker_errors(), suppress(KeyboardInterrupt):
        asyncio.run(run())


@app.command()
def worker(
    *,
    processes: Annotated[
        str, typer.Option(help="How many worker processes; auto is one for each usable core.")
    ] = "1",
    bootstrap_servers: Bootstrap = None,
) -> None:
    """Label the articles topic until SIGTERM.

    With several processes each has an HTTP port of its own: the one of the settings, the next, …

    Example: claimstream worker --bootstrap-servers kafka:9092
    """
    from service.processes import ProcessesError, count_processes, run_processes

    try:
        count = count_processes(processes)
        settings = load_settings(bootstrap_servers)
        if count > 1:
            raise typer.Exit(run_processes(settings, count))
    except ProcessesError as error:
        fail(error, MISUSED)

    from service.worker import run

    raise typer.Exit(run(settings))


@topics.command("create")
def create_topics(*, bootstrap_servers: Bootstrap = None) -> None:
    """Create the topics with the right settings; harmless when they exist.

    Example: claimstream topics create --bootstrap-servers kafka:9092
    """
    from service.topics import create

    settings = load_settings(bootstrap_servers)
    with broker_errors():
        for report in asyncio.run(create(settings)):
            print(f"{report.name}: {report.outcome}, {report.partitions} partitions")


@app.command()
def demo(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="End when every article is labelled.")
    ] = False,
    bootstrap_servers: Bootstrap = None,
) -> None:
    """Run everything on this machine: broker, worker, the articles of seeds/ labelled and shown.

    Example: claimstream demo --once
    """
    from service.broker import BrokerStartError
    from service.demo import DemoError, run
    from service.files import FileError

    settings = load_settings(bootstrap_servers)
    with broker_errors():
        try:
            run(Console(), settings, embedded=bootstrap_servers is None, once=once)
        except (BrokerStartError, DemoError, FileError) as error:
            fail(error, FAILED)
