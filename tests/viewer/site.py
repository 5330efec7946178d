"""A viewer's web application under test, without a broker: what it holds is put in by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import NamedTuple

from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from service.contracts import LabelledArticle
from service.pipeline import Labeller
from service.settings import ViewerSettings
from service.viewer.following import Arrived, Connected
from service.viewer.live import Live
from service.viewer.pasting import PasteBox
from service.viewer.server import build_app
from tests.labellers import RuleLabeller

Client = TestClient[Request, Application]


class Site(NamedTuple):
    """The application, its state and a client for it."""

    live: Live
    client: Client
    box: PasteBox | None

    async def get(self, path: str, status: int = 200) -> str:
        """Ask for a page."""
        async with self.client.get(path) as answer:
            assert answer.status == status, await answer.text()
            return await answer.text()


@asynccontextmanager
async def open_site(
    *articles: LabelledArticle, labeller: Labeller | None, **settings: int
) -> AsyncIterator[Site]:
    """Serve the articles, the last one as the newest."""
    live = Live(ViewerSettings(**settings))
    await live.apply(Connected(0))
    for article in articles:
        await live.apply(arrival(article))
    box = PasteBox(labeller) if labeller else None
    async with TestClient(TestServer(build_app(live, box))) as client:
        yield Site(live, client, box)
    if box:
        box.close()


def visit(
    use: Callable[[Site], Awaitable[None]],
    *articles: LabelledArticle,
    labeller: Labeller | None = RuleLabeller(),  # noqa: B008 - it has no state
    **settings: int,
) -> None:
    """Serve the articles and use the site."""

    async def run() -> None:
        async with open_site(*articles, labeller=labeller, **settings) as site:
            await use(site)

    asyncio.run(run())


def arrival(article: LabelledArticle) -> Arrived:
    """An article as it comes from the topic."""
    return Arrived(article, len(article.to_json()), datetime(2026, 11, 24, 8, 0, tzinfo=UTC))


async def until(is_so: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(timeout_s):
        while not is_so():  # noqa: ASYNC110 - nobody tells a test when
            await asyncio.sleep(0.01)


class Markup(HTMLParser):
    """What a page is made of: its tags with their attributes, and its words."""

    def __init__(self, page: str) -> None:
        """Read a page."""
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note words."""
        self.words += data

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        """The attributes of the tags of a kind that have these values."""
        return [
            attributes
            for name, attributes in self.tags
            if name == tag and wanted.items() <= attributes.items()
        ]
