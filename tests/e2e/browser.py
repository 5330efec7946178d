"""A real browser on a viewer under test: headless Chromium, driven by Playwright.

One browser serves all tests, for to start it takes longer than most of them; each test has a
profile of its own in it. After each it is checked that the page ran without an error, that nothing
was refused by the content security policy (which would mean that something got into the page),
that no dialog was opened, and that nothing was asked for anywhere else.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from service.contracts import LabelledArticle
from service.pipeline import Labeller
from tests.labellers import RuleLabeller
from tests.viewer.site import Site, open_site

try:
    from playwright.async_api import Browser, Page, async_playwright, expect

    expect.set_options(timeout=30_000)
except ModuleNotFoundError:
    Browser = Page = Any
    async_playwright = expect = None

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

__all__ = ["Page", "browse", "end_browser", "expect", "needs_browser", "open_page", "run"]

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


class _Shared:
    """The browser of all tests, and the event loop that it belongs to."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self.runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._browser: Browser | None = None

    async def browser(self) -> Browser:
        """The browser; a new one where there is none, or the last one is gone."""
        if self._browser is None or not self._browser.is_connected():
            await self.end()
            playwright = await self._stack.enter_async_context(async_playwright())
            arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
            self._browser = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=arguments
            )
            self._stack.push_async_callback(self._browser.close)
        return self._browser

    async def end(self) -> None:
        """End the browser and what drives it."""
        self._browser = None
        await self._stack.aclose()


_shared = _Shared()


def run(use: Coroutine[Any, Any, None]) -> None:
    """Run what uses the browser to its end."""
    _shared.runner.run(use)


def end_browser() -> None:
    """End the browser; harmless where none was started."""
    _shared.runner.run(_shared.end())
    _shared.runner.close()


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
    browser = await _shared.browser()
    context = await browser.new_context(base_url=address, **options)
    try:
        page = await context.new_page()
        page.set_default_timeout(30_000)
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
        yield page
    finally:
        await context.close()
    wrong = [words for words in wrong if not words.startswith(expected)]
    assert not wrong, wrong


def browse(
    use: Use,
    *articles: LabelledArticle,
    labeller: Labeller | None = RuleLabeller(),  # noqa: B008 - it has no state
    holding: Mapping[str, int] | None = None,
    **options: Any,
) -> None:
    """Open a viewer that holds these articles, and use it in a browser.

    Args:
        use: what is done.
        articles: the last one as the newest.
        labeller: labels what is pasted.
        holding: settings of the viewer that are not the default.
        options: those of `open_page`.
    """

    async def open_both() -> None:
        async with (
            open_site(*articles, labeller=labeller, **(holding or {})) as site,
            open_page(str(site.client.make_url("")), **options) as page,
        ):
            await use(page, site)

    run(open_both())
