"""Commands for dead letters: dlq list, dlq show, dlq replay."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from service.cli import bars, filters
from service.cli.edge import (
    FAILED,
    MISUSED,
    Bootstrap,
    Json,
    broker_errors,
    fail,
    load_settings,
    warn,
)

if TYPE_CHECKING:
    from service.dlq.records import DeadLetter, Step
    from service.dlq.replaying import Plan
    from service.records import SourceRecord
    from service.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Dead letters: what they are, and replaying them.")

# Where nobody looks at it on a terminal nothing need be cut.
_UNCUT: Final = 10_000


@app.command("list")
def list_dead_letters(  # noqa: PLR0913 - the filters
    *,
    stage: filters.Stage = None,
    reason: filters.Reason = None,
    since: filters.Since = None,
    until: filters.Until = None,
    offsets: filters.Offsets = None,
    source_offsets: filters.SourceOffsets = None,
    key: filters.Key = None,
    limit: filters.Limit = None,
    as_json: Json = False,
    bootstrap_servers: Bootstrap = None,
) -> None:
    """List the dead letters there are, oldest first, and how many of each kind.

    Example: claimstream dlq list --since 2h --stage infer
    """
    from service.dlq.records import select
    from service.dlq.rendering import show_letters, show_summary, to_json
    from service.reading import open_reader

    selection = filters.selection(
        stage=stage,
        reason=reason,
        since=since,
        until=until,
        offsets=offsets,
        source_offsets=source_offsets,
        key=key,
        limit=limit,
    )
    settings = load_settings(bootstrap_servers)

    async def read(step: Step) -> tuple[list[DeadLetter], int]:
        async with open_reader(settings) as reader:
            return await select(reader, settings.topics.dead_letters, selection, step)

    with _errors(), bars.bar() as bar:
        letters, in_topic = asyncio.run(read(bars.steps(bar)))
    if as_json:
        for letter in letters:
            print(json.dumps(to_json(letter), ensure_ascii=False))
        return
    if not letters:
        print(_none(settings, in_topic))
        return
    console = _console()
    show_letters(console, letters)
    console.print()
    show_summary(console, letters)
    console.print(f"{len(letters)} of {in_topic} dead letters in {settings.topics.dead_letters}")


@app.command()
def show(
    place: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="As list gives it.")],
    *,
    raw: Annotated[
        bool, typer.Option("--raw", help="Write the original bytes, and nothing else.")
    ] = False,
    bootstrap_servers: Bootstrap = None,
) -> None:
    """Show one dead letter whole: headers and value.

    Example: claimstream dlq show 0:14
    """
    from service.dlq.records import parse_place, read_place
    from service.dlq.rendering import describe
    from service.reading import open_reader

    async def read() -> SourceRecord:
        async with open_reader(settings) as reader:
            return await read_place(reader, settings.topics.dead_letters, parse_place(place))

    settings = load_settings(bootstrap_servers)
    with _errors():
        record = asyncio.run(read())
    if raw:
        sys.stdout.buffer.write(record.value or b"")
        sys.stdout.buffer.flush()
        return
    for line in describe(record):
        print(line)


@app.command()
def replay(  # noqa: PLR0913 - the filters
    *,
    stage: filters.Stage = None,
    reason: filters.Reason = None,
    since: filters.Since = None,
    until: filters.Until = None,
    offsets: filters.Offsets = None,
    source_offsets: filters.SourceOffsets = None,
    key: filters.Key = None,
    limit: filters.Limit = None,
    to: Annotated[
        str | None, typer.Option(help="Send them to this topic, not where they came from.")
    ] = None,
    rate: Annotated[int, typer.Option(min=1, help="Records a second, at most.")] = 100,
    again: Annotated[
        bool,
        typer.Option("--again", help="Also what was replayed before. Cut off, it starts over."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be replayed, and send nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before sending.")] = False,
    bootstrap_servers: Bootstrap = None,
) -> None:
    """Put dead letters back on the topic they came from, each once.

    What was replayed before is left out: a replay that was cut off is finished by giving the same
    command again.

    Example: claimstream dlq replay --stage infer --since 2h --dry-run
    """
    from service.dlq.replaying import plan

    if not (yes or dry_run or sys.stdin.isatty()):
        fail("there is no terminal to ask on: give --yes, or --dry-run", MISUSED)
    selection = filters.selection(
        stage=stage,
        reason=reason,
        since=since,
        until=until,
        offsets=offsets,
        source_offsets=source_offsets,
        key=key,
        limit=limit,
    )
    settings = load_settings(bootstrap_servers)
    with _errors(), bars.bar() as bar:
        planned = asyncio.run(plan(settings, selection, to=to, again=again, step=bars.steps(bar)))
    for letter in planned.homeless:
        warn(f"{letter.partition}:{letter.offset} does not say where it came from: give --to")
    if planned.unknown():
        warn(
            f"{planned.unknown()} are older than what their topic still holds: whether they were "
            "replayed before then is not known"
        )
    if not (planned.waiting or planned.already or planned.homeless):
        print(_none(settings, planned.in_topic))
    elif dry_run:
        _show_plan(planned)
    else:
        if planned.waiting and not yes:
            _ask(planned)
        _carry_out(settings, planned, rate)
    if planned.homeless:
        raise typer.Exit(FAILED)


def _carry_out(settings: Settings, planned: Plan, rate: int) -> None:
    """Replay what is planned and say what became of it; exits with 1 unless all of it arrived."""
    from aiokafka.errors import KafkaError

    from service.dlq.replaying import replay as send
    from service.dlq.sender import ReplayError
    from service.kafka import BrokerError
    from service.reading import ReadError
    from service.topics import TopicsMissingError

    taken = refused = 0
    with bars.bar() as bar:
        sending = bar.add_task("replaying", total=len(planned.waiting))

        def done(letter: DeadLetter, reason: str | None) -> None:
            nonlocal taken, refused
            bar.update(sending, advance=1, total=len(planned.waiting))
            if reason is None:
                taken += 1
            else:
                refused += 1
                warn(f"{letter.partition}:{letter.offset}: {reason}")

        rest = "give the same command again for the rest"
        try:
            gone = asyncio.run(send(settings, planned, rate=rate, step=bars.steps(bar), done=done))
        except KeyboardInterrupt:
            fail(f"stopped after {taken} of {len(planned.waiting)}: {rest}", FAILED)
        except (BrokerError, KafkaError, ReadError, ReplayError, TopicsMissingError) as error:
            fail(f"{error}; {taken} of {len(planned.waiting)} replayed: {rest}", FAILED)
    for letter in gone:
        warn(f"{letter.partition}:{letter.offset} was deleted before it could be replayed")
    lost = f", {refused + len(gone)} not" if refused or gone else ""
    print(f"dead letters: {taken} replayed, {len(planned.already)} already replayed{lost}")
    if lost:
        raise typer.Exit(FAILED)


def _show_plan(planned: Plan) -> None:
    from service.dlq.rendering import show_letters

    if planned.waiting:
        console = _console()
        show_letters(console, planned.waiting)
        console.print()
    for topic, count in planned.targets().items():
        print(f"would replay {count} to {topic}")
    print(f"already replayed: {len(planned.already)}")


def _ask(planned: Plan) -> None:
    """Ask whether to replay; exits with 1 if not."""
    what = ", ".join(f"{count} to {topic}" for topic, count in planned.targets().items())
    question = f"Replay {what} ({len(planned.already)} already replayed)?"
    if not typer.confirm(question, err=True):
        fail("nothing was replayed", FAILED)


@contextmanager
def _errors() -> Iterator[None]:
    """Turn what goes wrong before anything is sent into one clear line."""
    from service.dlq.records import SelectionError
    from service.reading import ReadError

    with broker_errors():
        try:
            yield
        except SelectionError as error:
            fail(error, MISUSED)
        except ReadError as error:
            fail(error, FAILED)


def _console() -> Console:
    """Standard output; as wide as the text is where it is no terminal."""
    return Console() if sys.stdout.isatty() else Console(width=_UNCUT)


def _none(settings: Settings, in_topic: int) -> str:
    topic = settings.topics.dead_letters
    if in_topic:
        return f"none of the {in_topic} dead letters in {topic} is meant"
    return f"no dead letters in {topic}"
