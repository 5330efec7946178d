"""An open page through outages: of the broker, and of the viewer itself."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from service.broker import EmbeddedBroker, free_port
from service.contracts import LabelledArticle
from service.settings import Settings
from tests.cluster import Cluster
from tests.e2e.browser import Page, expect, needs_browser, open_page, run
from tests.integration.test_viewer import publish
from tests.viewer.command import Command, view
from tests.viewer.samples import labelled

pytestmark = needs_browser

TITLES = ".articles h2"
LONG_MS = 60_000


async def arrives(page: Page, settings: Settings, article: LabelledArticle, *titles: str) -> None:
    """Publish an article, and see it on the open list."""
    await publish(settings, article)
    await expect(page.locator(TITLES)).to_have_text(titles, timeout=LONG_MS)


async def is_live(page: Page) -> None:
    """Wait until the page says so."""
    await page.wait_for_selector(".status[data-kind=live]", timeout=LONG_MS)


def test_the_broker_is_killed_and_started_again(tmp_path: Path) -> None:
    """The page says that it is away, keeps what it shows, can be used, and goes on by itself."""

    async def use(broker: EmbeddedBroker, command: Command, settings: Settings) -> None:
        address = await asyncio.to_thread(lambda: command.address)
        async with open_page(address) as page:
            await page.goto("/")
            await page.evaluate("window.isSame = true")
            await is_live(page)
            await arrives(page, settings, labelled("a", title="Before"), "Before")
            os.kill(broker.pid, signal.SIGKILL)
            broker.stop()
            await page.wait_for_selector(".status[data-kind=away]", timeout=LONG_MS)
            await expect(page.locator(".status")).to_contain_text("Broker not reached since")
            await page.get_by_label("Search").fill("before")
            await expect(page.locator(TITLES)).to_have_text(["Before"])
            await page.get_by_label("Search").fill("")
            # This broker forgets everything: its topics are made anew, and begin at 0.
            broker.__enter__()
            await asyncio.to_thread(Cluster.create_topics, cluster)
            await is_live(page)
            await arrives(page, settings, labelled("b", title="After"), "After", "Before")
            assert await page.evaluate("window.isSame")

    with EmbeddedBroker(log=tmp_path / "broker.log", port=free_port()) as broker:
        cluster = Cluster(broker.bootstrap_servers)
        cluster.create_topics()
        with view(cluster.settings, "--no-labeller") as command:
            run(use(broker, command, cluster.settings))


def test_the_viewer_is_killed_and_started_again(cluster: Cluster) -> None:
    """The page says that it does not answer, and catches up with the one that comes after it."""
    port = str(free_port())
    settings = cluster.settings

    async def use() -> None:
        with view(settings, "--no-labeller", "--from-start", "--port", port) as first:
            address = await asyncio.to_thread(lambda: first.address)
            async with open_page(address, expected=("Failed to load resource",)) as page:
                await page.goto("/")
                await is_live(page)
                await arrives(page, settings, labelled("a", title="Before"), "Before")
                await asyncio.to_thread(first.end, signal.SIGKILL)
                await page.wait_for_selector("text=The viewer does not answer, trying again")
                await publish(settings, labelled("b", title="Meanwhile"))
                with view(settings, "--no-labeller", "--from-start", "--port", port):
                    await expect(page.locator(TITLES)).to_have_text(
                        ["Meanwhile", "Before"], timeout=LONG_MS
                    )
                    await is_live(page)

    run(use())
