"""Articles that attack the page: in a real browser nothing of theirs runs, loads or leads astray.

`tests.e2e.browser` fails a test when a dialog opens, a script fails, the content security policy
has something to refuse, or anything is asked for elsewhere.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.contracts import LabelledArticle
from tests.e2e.browser import Page, browse, expect, needs_browser
from tests.viewer.samples import labelled
from tests.viewer.site import Site, arrival

pytestmark = needs_browser

EVILS = {
    "script": "<script>window.pwned=1;alert(1)</script>",
    "image": "\"'><img src=x onerror=\"window.pwned=1\"><svg onload='window.pwned=1'>",
    "attribute": '" onmouseover="window.pwned=1" autofocus onfocus=\'window.pwned=1\' x="',
    "end": "</p></main></body></html><iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    "template": "{{ 7 * 7 }}{% raw %}${window.pwned=1}<%= 1 %>",
    "style": "</style><style>*{display:none}</style><link rel=stylesheet href=//example.com/x>",
    "form": "<form action=//example.com><button>Log in</button></form><base href=//example.com>",
    "entity": "&lt;script&gt;window.pwned=1&lt;/script&gt; &#x3c;img src=x onerror=alert(1)&#x3e;",
    "direction": "\u202egnp.exe\u2066 \x00\x1b[2J\ufeff",
    "comment": "<!-- --><!--><script>window.pwned=1</script> ]]> <![CDATA[",
}
# What is replaced before it is shown.
REPLACED = str.maketrans(dict.fromkeys("\u202e\u2066\x00\x1b", "\ufffd"))


def article(number: int, field: str, evil: str) -> LabelledArticle:
    """An article with an attack in one of its fields."""
    fields: dict[str, Any] = {"article_id": f"a{number}", "title": f"Title {number}"}
    if field == "source":
        fields["body"] = f"{evil} said rain. Bert said rain."
    elif field == "url":
        fields["url"] = f"javascript:window.pwned=1//{evil}"
    else:
        fields[field] = evil
    return labelled(**fields)


async def is_unharmed(page: Page) -> None:
    """Nothing ran, and the page is as ours are."""
    assert await page.evaluate("window.pwned") is None
    assert await page.locator("script").count() == 2
    assert await page.locator("iframe, img, base, style, [style], main form form").count() == 0
    assert await page.locator("link[rel=stylesheet]").count() == 1
    await expect(page.locator("footer.foot")).to_be_visible()


@pytest.mark.parametrize("field", ["title", "publisher", "url", "body", "source", "article_id"])
def test_nothing_of_an_article_runs(field: str) -> None:
    """On every page, also where it comes in live, is filtered by and hovered over."""

    async def use(page: Page, site: Site) -> None:
        await page.goto("/")
        for number, evil in enumerate(EVILS.values()):
            await site.live.apply(arrival(article(number, field, evil)))
        links = page.locator(".articles h2 a")
        await expect(links).to_have_count(len(EVILS))
        await is_unharmed(page)
        await page.goto("/sources?q=rain&source=script")
        await is_unharmed(page)
        await page.goto("/")
        # The last one to arrive is on top.
        addresses = reversed([await link.get_attribute("href") for link in await links.all()])
        for address, evil in zip(addresses, EVILS.values(), strict=True):
            await page.goto(str(address))
            await page.locator(".s .words").first.hover()
            await is_unharmed(page)
            if field == "source":
                await page.get_by_label("Source").fill(evil[:20])
                await page.locator(".speaker h3 a").first.click()
                await is_unharmed(page)
            elif field in {"title", "body"}:
                words = await page.locator("h1" if field == "title" else ".text").inner_text()
                assert evil.translate(REPLACED).split()[0] in words
            protocols = await page.evaluate("[...document.links].map(link => link.protocol)")
            assert set(protocols) <= {"http:", "https:"}

    browse(use)


def test_nothing_that_is_pasted_runs() -> None:
    """Labelled as a text, and come back in the box when it cannot be labelled."""

    async def use(page: Page, _: Site) -> None:
        for evil in EVILS.values():
            for text in (f"{evil} said {evil} rained.", json.dumps({"id": evil})):
                await page.goto("/label")
                await page.get_by_role("textbox").fill(text)
                async with page.expect_navigation():
                    await page.get_by_role("button", name="Label it").click()
                await is_unharmed(page)

    browse(use, expected=("Failed to load resource: the server responded with a status of 422",))


def test_the_policy_holds_should_anything_get_in() -> None:
    """What is put into the page by force neither runs nor loads: the second line of defence."""

    async def use(page: Page, _: Site) -> None:
        failed = []
        page.on("requestfailed", lambda request: failed.append(request.url))
        await page.goto("/")
        await page.evaluate(
            """() => {
            document.body.insertAdjacentHTML("beforeend",
              "<img src='//example.com/x.png' onerror='window.pwned=1'><p style='color:red'>x</p>");
            const script = document.createElement("script");
            script.textContent = "window.pwned=1";
            document.body.append(script);
            }"""
        )
        await page.wait_for_timeout(500)
        assert await page.evaluate("window.pwned") is None
        assert failed == ["http://example.com/x.png"]
        assert await page.locator("p[style]").evaluate("e => getComputedStyle(e).color") != (
            "rgb(255, 0, 0)"
        )

    browse(
        use,
        expected=(
            *("Refused to", "Executing inline", "Applying inline", "Loading the image"),
            "http://example.com/x.png",
        ),
    )


def test_an_id_that_is_a_step_in_the_path_is_reached() -> None:
    """Browsers take ".." for a step up, also percent-encoded; its article has a page though."""

    async def use(page: Page, _: Site) -> None:
        for name in ("Two dots", "One dot", "Slashes"):
            await page.goto("/")
            await page.get_by_role("link", name=name).click()
            await expect(page.locator("h1")).to_have_text(name)
            await page.locator("#s1 .letter").click()
            await page.reload()
            await expect(page.locator("h1")).to_have_text(name)

    browse(
        use,
        labelled("..", title="Two dots"),
        labelled(".", title="One dot"),
        labelled("../../etc/passwd?x#y", title="Slashes"),
    )
