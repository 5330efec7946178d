"""The viewer in a real browser: what arrives, copies, the box."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from service.viewer import events
from service.viewer.following import Connected, Disconnected, Withdrawn
from tests.e2e.browser import Page, browse, expect, needs_browser
from tests.viewer.samples import BODY, labelled
from tests.viewer.site import Site, arrival, until

pytestmark = needs_browser

TITLES = ".articles h2"


def test_articles_appear_as_they_arrive() -> None:
    """At the top and without a reload; what the reader is at keeps focus and place."""

    async def use(page: Page, site: Site) -> None:
        await page.goto("/")
        await page.get_by_role("link", name="First").focus()
        await page.evaluate("window.isSame = true")
        await site.live.apply(arrival(labelled("b", title="Second")))
        await expect(page.locator(TITLES)).to_have_count(2)
        assert await page.locator(TITLES).all_inner_texts() == ["Second", "First"]
        assert await page.evaluate("document.activeElement.textContent") == "First"
        assert await page.evaluate("window.isSame")
        assert "2 articles held" in await page.locator(".notes").inner_text()
        await site.live.apply(Withdrawn("a"))
        await expect(page.locator(TITLES)).to_have_count(1)

    browse(use, labelled("a", title="First"))


def test_what_the_list_says_of_an_article() -> None:
    """Title, publisher, time, and a bar whose parts are as wide as the labels are many."""
    article = labelled("a", title="Rain", publisher="Desk", published_at="2026-11-24T08:00:00Z")

    async def use(page: Page, site: Site) -> None:
        await page.goto("/")
        await site.live.apply(arrival(article))
        row = page.locator(".articles > li")
        await expect(row.locator("h2")).to_have_text("Rain")
        await expect(row.locator(".meta > *")).to_have_text(
            ["Desk", "24 Nov 2026, 08:00 UTC", "4 sentences"]
        )
        await expect(row.get_by_role("img")).to_have_accessible_name(
            "Facts: 1, claims: 2, opinions: 1"
        )
        boxes = [await part.bounding_box() for part in await row.locator(".mix rect").all()]
        widths = [box["width"] for box in boxes if box]
        assert [width / sum(widths) for width in widths] == pytest.approx(
            [1 / 4, 2 / 4, 1 / 4], abs=0.02
        )

    browse(use)


def test_the_last_articles_are_held_and_no_more() -> None:
    """The oldest leave the open list as new ones come; an open article stays and says so."""

    async def use(page: Page, site: Site) -> None:
        await page.goto("/")
        for number in range(5):
            await site.live.apply(arrival(labelled(f"a{number}", title=f"Title {number}")))
        await expect(page.locator(TITLES)).to_have_text(["Title 4", "Title 3", "Title 2"])
        await expect(page.locator(".notes")).to_have_text("3 articles held")
        await page.goto("/articles/a2")
        await site.live.apply(arrival(labelled("a5")))
        await page.wait_for_selector(".banner.gone:visible")
        await expect(page.locator(".s")).to_have_count(4)

    browse(use, holding={"max_articles": 3})


def test_a_rush_of_arrivals_is_shown() -> None:
    """All of them, on the list and among the sources, whatever page is open."""

    async def use(page: Page, site: Site) -> None:
        await page.goto("/sources")
        for number in range(30):
            body = f"Speaker{number} said it rained."
            await site.live.apply(arrival(labelled(f"a{number}", body)))
        await expect(page.locator(".speaker")).to_have_count(30)

    browse(use)


def test_a_slow_answer_is_waited_for() -> None:
    """In a rush the page is brought up to date again and again, also where that takes a while."""

    async def use(page: Page, site: Site) -> None:
        async def answer_slowly(route: Any) -> None:
            await asyncio.sleep(1.3)
            await route.continue_()

        await page.goto("/")
        await page.route("**/", answer_slowly)
        for number in range(12):
            await site.live.apply(arrival(labelled(f"a{number}")))
            await asyncio.sleep(0.4)
        assert await page.locator(TITLES).count() > 1
        await expect(page.locator(TITLES)).to_have_count(12, timeout=20_000)
        await page.unroute_all(behavior="ignoreErrors")

    browse(use)


def test_only_what_was_asked_for_arrives() -> None:
    """A filtered list stays filtered."""

    async def use(page: Page, site: Site) -> None:
        await page.goto("/?q=snow")
        await site.live.apply(arrival(labelled("a", "It rained.", title="Rain")))
        await site.live.apply(arrival(labelled("b", "It snowed.", title="Snow")))
        await page.wait_for_selector("text=1 of 2 articles has this")
        assert await page.locator(TITLES).all_inner_texts() == ["Snow"]

    browse(use)


def test_the_status_is_said_on_every_page() -> None:
    """Broker away, catching up, live again; and when the viewer itself is away."""

    async def use(page: Page, site: Site) -> None:
        status = page.locator(".status")
        await page.goto("/articles/a")
        await site.live.apply(Disconnected("gone"))
        await page.wait_for_selector(".status[data-kind=away]")
        assert "Broker not reached since" in await status.inner_text()
        await site.live.apply(Connected(500))
        await page.wait_for_selector("text=Catching up, 500 records to go")
        await site.live.apply(Connected(0))
        await page.wait_for_selector(".status[data-kind=live]")
        await site.live.close()
        await page.wait_for_selector("text=The viewer does not answer, trying again")

    browse(use, labelled("a"))


def test_an_article_s_page_hears_of_new_versions() -> None:
    """A newer version is offered, a withdrawal is told, and the text stays until one leaves."""

    async def use(page: Page, site: Site) -> None:
        await page.goto("/articles/a%2Fb")
        await site.live.apply(arrival(labelled("a/b", "It snowed.")))
        await page.wait_for_selector(".banner.newer:visible")
        assert await page.locator("#s0 .words").inner_text() == "Prices rose in May."
        await page.get_by_role("link", name="Show it").click()
        assert await page.locator("#s0 .words").inner_text() == "It snowed."
        await site.live.apply(Withdrawn("a/b"))
        await page.wait_for_selector(".banner.gone:visible")

    browse(use, labelled("a/b"))


@pytest.mark.parametrize("kind", ["JSON", "CSV", "Markdown"])
def test_copies(kind: str) -> None:
    """A button puts the whole article on the clipboard, the link beside it downloads the same."""

    async def use(page: Page, site: Site) -> None:
        await page.goto("/articles/a")
        await page.get_by_role("button", name=f"Copy as {kind}").click()
        await page.wait_for_selector("text=Copied.")
        copied = await page.evaluate("navigator.clipboard.readText()")
        extension = {"JSON": "json", "CSV": "csv", "Markdown": "md"}[kind]
        exported = await site.get(f"/articles/a/export.{extension}")
        assert copied.replace("\r\n", "\n") == exported.replace("\r\n", "\n")
        async with page.expect_download() as download:
            await page.get_by_role("link", name=kind, exact=True).click()
        assert (await download.value).suggested_filename.endswith(f".{extension}")

    browse(
        use,
        labelled("a", "It rained 😀, he said."),
        permissions=["clipboard-read", "clipboard-write"],
    )


def test_a_copy_that_is_not_allowed_is_told() -> None:
    """With what to do instead."""

    async def use(page: Page, _: Site) -> None:
        await page.goto("/articles/a")
        await page.evaluate(
            "() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }"
        )
        await page.get_by_role("button", name="Copy as CSV").click()
        await page.wait_for_selector("text=Not copied")

    browse(use, labelled("a"))


def test_the_box_labels_what_is_pasted() -> None:
    """The result is there at once, with the true text; emoji do not move the marks."""

    async def use(page: Page, _: Site) -> None:
        await page.goto("/")
        await page.get_by_role("link", name="Label a text").click()
        text = "😀🇨🇿 It rained.\n\nAnna Ortiz said 👩‍👩‍👧 it snowed 🌧️.\n\nRead more 😀 here"
        await page.get_by_role("textbox").fill(text)
        await page.get_by_role("button", name="Label it").click()
        await page.wait_for_url("**/pasted/*")
        assert await page.locator(".source").all_inner_texts() == ["Anna Ortiz"]
        assert await page.locator(".text .cue").all_inner_texts() == ["said"]
        assert await page.locator(".s .words").nth(1).inner_text() == (
            "Anna Ortiz said 👩‍👩‍👧 it snowed 🌧️."
        )
        assert "Read more 😀 here" in await page.locator(".furniture").inner_text()
        await page.get_by_role("checkbox", name="Fact").uncheck()
        await page.wait_for_selector("text=1 of 2 sentences stands out")

    browse(use)


def test_the_box_takes_a_page() -> None:
    """HTML by its main text; its markup, its scripts and its menu are not in the result."""
    markup = (
        "<!doctype html><title>Rain at last</title><nav><a href=/>Menu</a></nav><article>"
        f"<h1>Rain at last</h1><p>{BODY}</p><script>window.pwned=1</script><p>{BODY}</p></article>"
    )

    async def use(page: Page, _: Site) -> None:
        await page.goto("/label")
        await page.get_by_role("textbox").fill(markup)
        await page.get_by_role("button", name="Label it").click()
        await expect(page.locator("h1")).to_have_text("Rain at last")
        await expect(page.locator(".text .source").first).to_have_text("Anna Ortiz")
        assert "Menu" not in await page.locator(".text").inner_text()
        assert await page.evaluate("window.pwned") is None
        async with page.expect_download() as download:
            await page.get_by_role("link", name="CSV", exact=True).click()
        assert (await download.value).suggested_filename.endswith(".csv")

    browse(use)


def test_an_empty_box_is_not_sent() -> None:
    """The browser says so; what is only white space the viewer says."""

    async def use(page: Page, _: Site) -> None:
        await page.goto("/label")
        await page.get_by_role("button", name="Label it").click()
        assert page.url.endswith("/label")
        await page.get_by_role("textbox").fill("   ")
        async with page.expect_response("**/label") as answer:
            await page.evaluate("document.querySelector('.paste form').submit()")
        assert (await answer.value).status == 422
        await page.wait_for_selector("text=There is nothing to label")

    browse(use, expected=("Failed to load resource: the server responded with a status of 422",))


def test_hidden_pages_do_not_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Browsers have six connections for a site: ten open tabs must not block the eleventh."""
    monkeypatch.setattr(events, "_HEARTBEAT_S", 0.2)

    async def use(page: Page, site: Site) -> None:
        async def show(is_hidden: str) -> None:
            await page.evaluate(
                "Object.defineProperty(document, 'hidden', "
                f"{{value: {is_hidden}, writable: true}});"
                "document.dispatchEvent(new Event('visibilitychange'))"
            )

        await page.goto("/")
        await until(lambda: site.live.streams == 1)
        await show("true")
        await until(lambda: site.live.streams == 0)
        await site.live.apply(arrival(labelled("b", title="Meanwhile")))
        await asyncio.sleep(1)
        await expect(page.locator(TITLES)).to_have_count(1)
        await show("false")
        await expect(page.locator(TITLES)).to_have_text(["Meanwhile", "First"])

    browse(use, labelled("a", title="First"))
