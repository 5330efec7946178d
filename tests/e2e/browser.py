"""A real browser on a viewer under test: headless Chromium, driven by Playwright.

After each use it is checked that the page ran without an error, that nothing was refused by the
content security policy (which would mean that something got into the page), that no dialog was
opened, and that nothing was asked for anywhere else.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from service.contracts import LabelledArticle
from service.pipeline import Labeller
from tests.labellers import RuleLabeller
from tests.viewer.site import Site, open_site

try:
    from playwright.async_api import Page, async_playwright, expect
except ModuleNotFoundError:
    Page = Any
    async_playwright = expect = None

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

__all__ = ["Page", "browse", "expect", "needs_browser", "open_page"]

needs_browser = [
    pytest.mark.skipif(
        async_playwright is None,
        reason="Playwright is not installed: pip install 'claimstream[browser]'",
    ),
    pytest.mark.skipif(
        CHROMIUM is None, reason="Chromium is not installed: on Debian apt-get install chromium"
    ),
]

Use = Callable[[Page, Site], Awaitable[None]]


@asynccontextmanager
async def open_page(
    address: str, *, expected: tuple[str, ...] = (), **options: Any
) -> AsyncIterator[Page]:
    """Open a tab, and check afterwards that it went well.

    Args:
        address: where the viewer is; paths are relative to it.
        expected: how messages of the browser begin that are no fault.
        options: what the browser is like: ``viewport``, ``color_scheme``, ``has_touch``, …
    """
    wrong: list[str] = []
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        context = await browser.new_context(base_url=address, **options)
        page = await context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on(
            "console",
            lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None,
        )
        page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
        page.on(
            "request",
            lambda asked: None if asked.url.startswith(address) else wrong.append(asked.url),
        )
        try:
            yield page
        finally:
            await browser.close()
    wrong = [words for words in wrong if not words.startswith(expected)]
    assert not wrong, wrong


def browse(
    use: Use,
    *articles: LabelledArticle,
    labeller: Labeller | None = RuleLabeller(),  # noqa: B008 - it has no state
    **options: Any,
) -> None:
    """Open a viewer that holds these articles, and use it in a browser."""

    async def run() -> None:
        async with (
            open_site(*articles, labeller=labeller) as site,
            open_page(str(site.client.make_url("")), **options) as page,
        ):
            await use(page, site)

    asyncio.run(run())
