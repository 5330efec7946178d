"""From an article on Kafka to the reader's screen: broker, worker, the command, a browser."""

from __future__ import annotations

import asyncio
import json

from tests.cluster import Cluster
from tests.conftest import StartWorker
from tests.e2e.browser import expect, needs_browser, open_page, run
from tests.viewer.command import view

pytestmark = needs_browser


def record(article_id: str, body: str, **fields: str) -> tuple[bytes, bytes]:
    """An article as a producer sends it."""
    return article_id.encode(), json.dumps({"id": article_id, "body": body, **fields}).encode()


def test_an_article_goes_all_the_way(cluster: Cluster, start_worker: StartWorker) -> None:
    """It appears in the open page, is read sentence by sentence, changes, and is withdrawn."""
    start_worker(cluster.settings)

    async def use() -> None:
        async def publish(key: bytes, value: bytes | None) -> None:
            await asyncio.to_thread(cluster.publish, [(key, value)])

        with view(cluster.settings, "--no-labeller", "--from-start") as command:
            address = await asyncio.to_thread(lambda: command.address)
            async with open_page(address) as page:
                await page.goto("/")
                await publish(*record("desk/1", "Anna Ortiz said it rained.", title="Rain"))
                await page.get_by_role("link", name="Rain").click(timeout=40_000)
                await expect(page.locator(".source")).to_have_text("Anna Ortiz")
                await publish(*record("desk/1", "It snowed after all.", title="Snow"))
                await page.get_by_role("link", name="Show it").click()
                await expect(page.locator("h1")).to_have_text("Snow")
                await page.goto("/")
                await publish(b"desk/1", None)
                await expect(page.locator(".articles > li")).to_have_count(0, timeout=10_000)

    run(use())
