"""The main job on one machine: broker, topics, a worker, the seeds published, the results shown."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, aclosing, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from service.broker import EmbeddedBroker, free_port
from service.contracts import LABELS, LabelledArticle
from service.decoding import decode
from service.files import Record, list_files, read_records
from service.pipeline import article_text
from service.processes import QUICK_GROUP, worker_process
from service.publishing import publish
from service.rendering import show
from service.settings import Settings
from service.topics import create
from service.viewer.server import serve
from service.watching import follow

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
# From start to the last seed labelled, also on a machine that is busy with other things.
_PATIENCE_S = 120.0
_STOPPING_S = 30.0


class DemoError(Exception):
    """The demo did not come to its end; the message says why."""


def run(console: Console, settings: Settings, *, embedded: bool, once: bool) -> None:
    """Show the main job.

    Args:
        console: where to.
        settings: what is in force otherwise.
        embedded: start a broker of our own instead of using the cluster of the settings.
        once: end when every seed came back labelled; else stay up until Ctrl-C.

    Raises:
        DemoError: an article did not come back labelled in time, or the worker ended.
        service.broker.BrokerStartError: the embedded broker cannot be started.
        service.files.FileError: the seeds are not there.
    """
    # Both end the demo in order, also where it was started in the background of a script, whose
    # children begin with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    records = [record for path in list_files([SEEDS]) for record in read_records(path)]
    with ExitStack() as stack:
        log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "worker.log"
        changes: dict[str, dict[str, Any]] = {
            "kafka": dict(QUICK_GROUP),
            "http": {"port": free_port()},
        }
        if embedded:
            broker = stack.enter_context(EmbeddedBroker())
            changes["kafka"]["bootstrap_servers"] = broker.bootstrap_servers
        groups = {
            name: getattr(settings, name).model_copy(update=values)
            for name, values in changes.items()
        }
        _run(console, settings.model_copy(update=groups), changes, records, log, once=once)


def _run(  # noqa: PLR0913 - what the demo is made of
    console: Console,
    settings: Settings,
    changes: dict[str, dict[str, Any]],
    records: list[Record],
    log: Path,
    *,
    once: bool,
) -> None:
    servers = settings.kafka.bootstrap_servers
    asyncio.run(create(settings))
    with _worker(changes, log) as process:
        console.print(f"broker at {servers}, topics created, the worker is starting …")
        asyncio.run(_show(console, settings, records, process, log))
        if once:
            return
        try:
            asyncio.run(_stay(console, settings, process, log))
        except KeyboardInterrupt:
            console.print("stopping …")


@contextmanager
def _worker(changes: dict[str, dict[str, Any]], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker; it ends with the context."""
    with (
        log.open("wb") as output,
        worker_process(changes, output, stop_timeout_s=_STOPPING_S) as process,
    ):
        yield process


async def _show(
    console: Console,
    settings: Settings,
    records: list[Record],
    process: subprocess.Popen[bytes],
    log: Path,
) -> None:
    """Publish the seeds and show each as it comes back."""
    articles = {article.id: article for article in (decode(r.value) for r in records)}
    await publish(settings, records, _refuse_none)
    waiting, totals = set(articles), dict.fromkeys(LABELS, 0)
    try:
        async with (
            asyncio.timeout(_PATIENCE_S),
            aclosing(_arrivals(settings, process, log)) as all_,
        ):
            async for labelled in all_:
                article = articles.get(labelled.article_id)
                show(console, labelled, article_text(article)[0] if article else None)
                waiting.discard(labelled.article_id)
                for label in LABELS:
                    totals[label] += getattr(labelled.counts, label)
                if not waiting:
                    break
    except TimeoutError as error:
        raise DemoError(
            f"{len(waiting)} of {len(articles)} articles not labelled within {_PATIENCE_S:g} s: "
            f"{', '.join(sorted(waiting))}\n{_tail(log)}"
        ) from error
    counts = ", ".join(f"{count} {label}" for label, count in totals.items())
    console.print()
    console.rule(Text(f"{len(articles)} articles labelled: {counts}", style="bold"), align="left")


def _refuse_none(record: Record, refused: str | None) -> None:
    if refused:
        raise DemoError(f"{record.origin}: {refused}")


async def _stay(
    console: Console, settings: Settings, process: subprocess.Popen[bytes], log: Path
) -> None:
    """Show what else is published, on the terminal and in the viewer, until Ctrl-C."""
    servers = settings.kafka.bootstrap_servers
    async with serve(settings, from_start=True) as viewer:
        console.print(
            f"Read them in a browser: {viewer.address}\n"
            f"Up until Ctrl-C. Broker: {servers}. "
            f"Metrics: http://{settings.http.host}:{settings.http.port}/metrics\n"
            f"Try: claimstream publish FILE --bootstrap-servers {servers}",
            highlight=False,
        )
        await _follow(console, settings, process, log)


async def _follow(
    console: Console, settings: Settings, process: subprocess.Popen[bytes], log: Path
) -> None:
    async with aclosing(_arrivals(settings, process, log, from_start=False)) as arrivals:
        async for labelled in arrivals:
            show(console, labelled)


async def _arrivals(
    settings: Settings, process: subprocess.Popen[bytes], log: Path, *, from_start: bool = True
) -> AsyncGenerator[LabelledArticle]:
    """Yield labelled articles as long as the worker lives."""
    async with aclosing(follow(settings, from_start=from_start)) as items:
        while True:
            coming = asyncio.ensure_future(anext(items))
            try:
                while not (await asyncio.wait({coming}, timeout=0.5))[0]:
                    if process.poll() is not None:
                        raise DemoError(
                            f"the worker ended with exit code {process.returncode}\n{_tail(log)}"
                        )
            finally:
                if not coming.done():
                    coming.cancel()
                    await asyncio.wait({coming})
            if isinstance(item := coming.result(), LabelledArticle):
                yield item


def _tail(log: Path, lines: int = 5) -> str:
    """The last lines that the worker logged."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
