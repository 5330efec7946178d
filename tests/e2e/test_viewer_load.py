"""A rush of articles with the page open: it stays responsive, and the viewer stays small.

Run by ``pytest -m slow -s tests/e2e/test_viewer_load.py``, which prints what it measured.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import aiohttp
import numpy as np
import psutil
import pytest
from aiokafka import AIOKafkaProducer

from service.decoding import decode
from service.files import list_files, read_records
from service.pipeline import label_article
from service.settings import Settings, ViewerSettings
from tests.cluster import Cluster
from tests.e2e.browser import Page, expect, needs_browser, open_page, run
from tests.labellers import RuleLabeller
from tests.viewer.command import ROOT, Command, view

pytestmark = [*needs_browser, pytest.mark.slow]

ARTICLES, A_SECOND, HELD = 1000, 50, 300
# What a reader does, over and over: goes through the list, searches, leaves the search.
KEYS = ("j", "j", "j", "k", "/", "r", "a", "Backspace", "Backspace", "Escape", "j", "k")
INPUTS_A_SECOND = 10
# An input's delay until its handler runs, and until the next frame is through.
PROBE = """() => {
  window.inputs = [];
  for (const kind of ["keydown", "pointerdown", "pointermove"]) {
    addEventListener(kind, (event) => {
      const delay = performance.now() - event.timeStamp;
      requestAnimationFrame(() => {
        const after = new MessageChannel();
        after.port1.onmessage =
          () => inputs.push([delay, performance.now() - event.timeStamp]);
        after.port2.postMessage(0);
      });
    }, { capture: true, passive: true });
  }
}"""


class Memory(NamedTuple):
    """Resident bytes of the viewer's process, and how many articles it holds."""

    held: int
    rss: int


class Rush:
    """The articles, sent at their pace."""

    def __init__(self, settings: Settings) -> None:
        """Make the articles, so that sending them is all there is to do."""
        self._settings = settings
        self._values = list(itertools.islice(values(), ARTICLES))
        self.seconds = 0.0
        # From the last one sent to the last one seen.
        self.behind = 0.0

    async def send(self) -> None:
        """Send them all."""
        async with AIOKafkaProducer(
            bootstrap_servers=self._settings.kafka.bootstrap_servers
        ) as producer:
            started = time.monotonic()
            for number, value in enumerate(self._values):
                await asyncio.sleep(started + number / A_SECOND - time.monotonic())
                await producer.send(self._settings.topics.claims, value, key=b"%d" % number)
            await producer.flush()
            self.seconds = time.monotonic() - started


def values() -> Iterator[bytes]:
    """Labelled articles of the seeds' kind and length, no two the same."""
    records = [record for path in list_files([ROOT / "seeds"]) for record in read_records(path)]
    articles = [label_article(decode(record.value), RuleLabeller()) for record in records]
    for number, article in enumerate(itertools.cycle(articles)):
        own = {"id": f"{number:064x}", "article_id": f"a{number}", "title": f"Title {number}"}
        yield article.model_copy(update=own).to_json().encode()


async def read_on(page: Page, sending: asyncio.Task[None]) -> None:
    """Use the keyboard and the pointer as long as articles are sent."""
    for number, key in enumerate(itertools.cycle(KEYS)):
        if sending.done():
            return
        started = time.monotonic()
        await page.keyboard.press(key)
        await page.mouse.move(200 + number % 400, 300 + number % 200)
        await asyncio.sleep(started + 1 / INPUTS_A_SECOND - time.monotonic())


async def weigh(command: Command, address: str, seen: list[Memory]) -> None:
    """Look at the viewer's memory, again and again."""
    process = psutil.Process(command.process.pid)
    async with aiohttp.ClientSession() as client:
        while True:
            async with client.get(f"{address}/healthz") as answer:
                held = json.loads(await answer.text())["articles"]
            seen.append(Memory(held, process.memory_info().rss))
            await asyncio.sleep(0.25)


def test_a_thousand_articles_at_fifty_a_second(cluster: Cluster) -> None:
    """Input delay is 100 ms at most in 95 of 100 cases; memory stays where it was when full."""
    settings = cluster.settings.model_copy(update={"viewer": ViewerSettings(max_articles=HELD)})
    rush = Rush(settings)

    async def use(command: Command) -> None:
        address = await asyncio.to_thread(lambda: command.address)
        async with open_page(address) as page:
            await page.goto("/")
            await page.wait_for_selector(".status[data-kind=live]")
            await page.evaluate(PROBE)
            load, memory = os.getloadavg()[0], list[Memory]()
            weighing = asyncio.create_task(weigh(command, address, memory))
            sending = asyncio.create_task(rush.send())
            await read_on(page, sending)
            await sending
            sent_at = time.monotonic()
            await page.keyboard.press("Escape")
            # Partitions are read in any order: the last one sent need not be the last to arrive.
            await page.get_by_label("Search").fill(f"a{ARTICLES - 1}")
            await expect(page.locator(".articles h2")).to_have_text(
                [f"Title {ARTICLES - 1}"], timeout=120_000
            )
            rush.behind = time.monotonic() - sent_at
            weighing.cancel()
            await asyncio.wait({weighing})
            inputs = np.array(await page.evaluate("inputs"))
        report(inputs, memory, rush, load)

    with view(settings, "--no-labeller") as command:
        run(use(command))


def report(inputs: Any, memory: list[Memory], rush: Rush, load: float) -> None:
    """Print what was measured, and hold it against what was promised."""
    delay, frame = np.percentile(inputs, [50, 95, 100], axis=0).T
    full = [at.rss for at in memory if at.held == HELD]
    mib = 1024 * 1024
    print(  # noqa: T201 - what the test is for
        f"\n{ARTICLES} articles in {rush.seconds:.1f} s, the last seen {rush.behind:.1f} s later, "
        f"load average {load:.1f} before and {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores"
        f"\n{len(inputs)} inputs, p50/p95/max: delay {delay.round(1).tolist()} ms, "
        f"to the next frame {frame.round(1).tolist()} ms"
        f"\nmemory: {memory[0].rss / mib:.0f} MiB empty, {full[0] / mib:.0f} MiB when full, "
        f"{max(full) / mib:.0f} MiB at most afterwards"
    )
    assert max(at.held for at in memory) == HELD
    assert len(inputs) >= 100
    assert delay[1] <= 100
    assert max(full) - full[0] <= 24 * mib
