"""The main job on one machine: broker, topics, a worker, the seeds published, the results shown."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

from service.broker import EmbeddedBroker, free_port
from service.children import start_child
from service.contracts import LABELS, LabelledArticle
from service.decoding import decode
from service.files import Record, list_files, read_records
from service.pipeline import article_text
from service.publishing import publish
from service.rendering import show
from service.settings import PREFIX, HttpSettings, KafkaSettings, Settings
from service.topics import create
from service.watching import follow

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
# From start to the last seed labelled, most of it torch and the model being loaded.
_PATIENCE_S = 60.0
_STOPPING_S = 30.0


class DemoError(Exception):
    """The demo did not come to its end; the message says why."""


def run(console: Console, bootstrap_servers: str | None, *, once: bool) -> None:
    """Show the main job.

    Args:
        console: where to.
        bootstrap_servers: an existing cluster instead of the embedded broker.
        once: end when every seed came back labelled; else stay up until Ctrl-C.

    Raises:
        DemoError: an article did not come back labelled in time, or the worker ended.
        service.broker.BrokerStartError: the embedded broker cannot be started.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "worker.log"
        if bootstrap_servers:
            _run(console, bootstrap_servers, log, once=once)
        else:
            with EmbeddedBroker() as broker:
                _run(console, broker.bootstrap_servers, log, once=once)


def _run(console: Console, bootstrap_servers: str, log: Path, *, once: bool) -> None:
    settings = Settings(
        kafka=KafkaSettings(
            bootstrap_servers=bootstrap_servers,
            # A group joins after half the session's timeout.
            session_timeout_s=6,
            heartbeat_interval_s=1,
            rebalance_timeout_s=6,
        ),
        http=HttpSettings(port=free_port()),
    )
    asyncio.run(create(settings))
    with _worker(settings, log) as process:
        console.print(f"broker at {bootstrap_servers}, topics created, the worker is starting …")
        asyncio.run(_show(console, settings, process, log))
        if once:
            return
        console.print(
            f"Up until Ctrl-C. Broker: {bootstrap_servers}. "
            f"Metrics: http://{settings.http.host}:{settings.http.port}/metrics\n"
            f"Try: claimstream publish FILE --bootstrap-servers {bootstrap_servers}",
            highlight=False,
        )
        try:
            asyncio.run(_follow(console, settings, process, log))
        except KeyboardInterrupt:
            console.print("stopping …")


@contextmanager
def _worker(settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker; it ends with the context."""
    with log.open("wb") as output:
        command = [sys.executable, "-m", "service", "worker"]
        process = start_child(command, output, os.environ | _environment(settings))
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOPPING_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(settings: Settings) -> dict[str, str]:
    """The settings that the demo changed, as the worker reads them."""
    changed = settings.model_dump(mode="json", exclude_unset=True)
    return {
        f"{PREFIX}{group}__{name}".upper(): str(value)
        for group, values in changed.items()
        for name, value in values.items()
    }


async def _show(
    console: Console, settings: Settings, process: subprocess.Popen[bytes], log: Path
) -> None:
    """Publish the seeds and show each as it comes back."""
    records = [record for path in list_files([SEEDS]) for record in read_records(path)]
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
