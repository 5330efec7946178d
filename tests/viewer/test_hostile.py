"""Hostile and odd articles, ids and addresses, through the server."""

import json

import pytest
from yarl import URL

from service.viewer.addresses import segment_of
from tests.viewer.samples import BODY, labelled
from tests.viewer.site import Markup, Site, visit

EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}"


@pytest.mark.parametrize("field", ["title", "publisher", "url", "body", "id"])
def test_everything_is_escaped(field: str) -> None:
    """Markup in any field is words on every page."""
    values = {"id": "a", "body": BODY, field: EVIL}
    if field == "body":
        values["body"] = f"{EVIL} said {EVIL} rained. {EVIL} claimed {EVIL} rained."
    article = labelled(values.pop("id") or "", values.pop("body") or "", **values)

    async def use(site: Site) -> None:
        address = f"/articles/{segment_of(article.article_id)}"
        for path in ("/", "/?q=script", "/sources", address, f"{address}?q=alert&source=script"):
            page = await site.get(path)
            markup = Markup(page)
            assert len(markup.all("script")) == 2
            assert not markup.all("img")
            assert not [a for _, a in markup.tags if any(n.startswith("on") for n in a)]
            assert not [a for _, a in markup.tags if "style" in a]
            assert "49" not in page or "{{ 7 * 7 }}" in page
        assert EVIL in Markup(await site.get(address)).words

    visit(use, article)


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", " javascript:x", "//x"],
)
def test_dangerous_addresses_are_words(url: str) -> None:
    """They are shown, and lead nowhere."""

    async def use(site: Site) -> None:
        markup = Markup(await site.get("/articles/a"))
        assert url.strip() in markup.words
        assert url not in [a.get("href") for a in markup.all("a")]

    visit(use, labelled("a", url=url))


def test_controls_and_overrides_are_not_sent() -> None:
    """What could show another text than there is is replaced, in titles and sentences."""

    async def use(site: Site) -> None:
        page = await site.get("/articles/a") + await site.get("/")
        assert not set("\x00\x1b\u202e\u2066") & set(page)
        assert "\ufffd" in page

    visit(use, labelled("a", "It \x1b rained \u202e today.", title="A \x00\u2066 title"))


@pytest.mark.parametrize(
    "article_id",
    ["a/b", "..", ".", "~", "a b", "ünï", "%2e%2e%2f", "a?b#c", "a&b", "😀", '"<x>', "\n"],
)
def test_hostile_ids_have_addresses(article_id: str) -> None:
    """Each leads to its article, its copies and its permalinks."""

    async def use(site: Site) -> None:
        markup = Markup(await site.get("/"))
        (link,) = [a for a in markup.all("a") if "data-step" in a]
        url = URL(str(link["href"]), encoded=True)
        async with site.client.get(url) as answer:
            assert answer.status == 200
            assert "Hello there" in await answer.text()
        export = URL(f"{link['href']}/export.json", encoded=True)
        async with site.client.get(export) as answer:
            assert json.loads(await answer.text())["article_id"] == article_id

    visit(use, labelled(article_id, title="Hello there"))


@pytest.mark.parametrize(
    "path",
    [
        "/articles/other",
        "/articles/",
        "/articles/a/b",
        "/articles/..%2f..%2fetc%2fpasswd",
        "/articles/%ff%fe",
        "/articles/%00",
        "/articles/a/export.exe",
        "/static/../server.py",
        "/static/..%2fserver.py",
        "/static/",
        "/nothing",
        f"/articles/{'x' * 5000}",
    ],
)
def test_what_is_not_there_is_said_in_plain_words(path: str) -> None:
    """A page of ours with status 404 and a way back."""

    async def use(site: Site) -> None:
        async with site.client.get(URL(path, encoded=True)) as answer:
            page = await answer.text()
            assert answer.status in {403, 404}
            assert f"({answer.status})</h1>" in page
            assert "To the articles" in page
            assert "Traceback" not in page

    visit(use, labelled("a"))


def test_odd_unicode_is_shown_whole() -> None:
    """Emoji of many code points, combining marks, scripts from right to left, private use."""
    body = "👩‍👩‍👧‍👦 said 🇨🇿 e\u0301 שלום مرحبا \U000f0000 \U0001f9ff 𝔘 rained."

    async def use(site: Site) -> None:
        page = await site.get("/articles/a")
        assert '<span class="source">👩‍👩‍👧‍👦</span> <span class="cue">said</span> 🇨🇿' in page
        assert body.split(" said ")[1] in Markup(page).words

    visit(use, labelled("a", body, title=body))
