"""What the demo shows: the seeds published, each article as it comes back, then what else comes."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from rich.console import Console
from rich.text import Text

from service.contracts import LABELS, LabelledArticle
from service.decoding import decode
from service.demo import DemoError
from service.files import Record, list_files, read_records
from service.pipeline import article_text
from service.publishing import publish
from service.rendering import show
from service.settings import Settings
from service.topics import create
from service.viewer.server import serve
from service.watching import follow

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
# Until the first seed is labelled, and then the next: also on a machine that is busy otherwise.
_PATIENCE_S = 120.0


def show_seeds(
    console: Console,
    settings: Settings,
    process: subprocess.Popen[bytes],
    log: Path,
    *,
    once: bool,
) -> None:
    """Create the topics, publish the seeds and show each as it comes back labelled.

    Args:
        console: where to.
        settings: with the cluster and the group of the worker.
        process: the worker.
        log: what it writes.
        once: end then; else serve the viewer and show what else is published, until Ctrl-C.

    Raises:
        DemoError: an article did not come back labelled in time, or the worker ended.
        service.files.FileError: the seeds are not there.
        service.kafka.BrokerError: the cluster cannot be reached.
    """
    records = [record for path in list_files([SEEDS]) for record in read_records(path)]
    asyncio.run(create(settings))
    servers = settings.kafka.bootstrap_servers
    console.print(f"broker at {servers}, topics created, the worker is starting …")
    asyncio.run(_show(console, settings, records, process, log))
    if once:
        return
    try:
        asyncio.run(_stay(console, settings, process, log))
    except KeyboardInterrupt:
        console.print("stopping …")


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
            asyncio.timeout(_PATIENCE_S) as patience,
            aclosing(_arrivals(settings, process, log)) as all_,
        ):
            async for labelled in all_:
                patience.reschedule(asyncio.get_running_loop().time() + _PATIENCE_S)
                article = articles.get(labelled.article_id)
                show(console, labelled, article_text(article)[0] if article else None)
                waiting.discard(labelled.article_id)
                for label in LABELS:
                    totals[label] += getattr(labelled.counts, label)
                if not waiting:
                    break
    except TimeoutError as error:
        raise DemoError(
            f"{len(waiting)} of {len(articles)} articles not labelled, none for {_PATIENCE_S:g} s: "
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
