"""The viewer by keyboard and by pointer."""

from __future__ import annotations

from tests.e2e.browser import Page, browse, expect, needs_browser
from tests.e2e.samples import ARTICLE
from tests.viewer.samples import labelled
from tests.viewer.site import Site

pytestmark = needs_browser


async def focused(page: Page) -> str:
    """What has the focus: its words."""
    words: str = await page.evaluate("document.activeElement.textContent.trim()")
    return words


def test_the_list_by_keyboard() -> None:
    """J and k go up and down, Enter opens, / searches, Esc leaves the field."""

    async def use(page: Page, _: Site) -> None:
        await page.goto("/")
        for key, expected in (("j", "C"), ("j", "B"), ("j", "A"), ("j", "A"), ("k", "B")):
            await page.keyboard.press(key)
            assert await focused(page) == expected
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        await page.keyboard.press("/")
        await page.keyboard.type("j?k/")
        assert await page.get_by_label("Search").input_value() == "j?k/"
        await page.keyboard.press("Escape")
        assert await page.evaluate("document.activeElement === document.body")
        await page.keyboard.press("/")
        assert await page.get_by_label("Search").input_value() == "j?k/"
        await page.keyboard.press("Backspace")
        await page.keyboard.press("Escape")
        await expect(page.locator(".articles h2")).to_have_count(3)
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/articles/c")

    browse(use, *(labelled(name.lower(), title=name) for name in "ABC"))


def test_an_article_by_keyboard() -> None:
    """J and k go from sentence to sentence and show what is known of it; Esc puts it away."""

    async def use(page: Page, _: Site) -> None:
        await page.goto("/articles/a")
        await page.keyboard.press("j")
        card = page.locator("#s0 .card")
        await expect(card).to_be_visible()
        assert "Source Anna Ortiz" in " ".join((await card.inner_text()).split())
        for label in ("Fact", "Claim", "Opinion"):
            await expect(card.locator(".scores")).to_contain_text(label)
        await page.keyboard.press("j")
        await expect(card).to_be_hidden()
        await expect(page.locator("#s1 .card")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator(".card:visible")).to_have_count(0)
        await page.get_by_role("checkbox", name="Claim").uncheck()
        await expect(page.locator(".s:not(.out)")).to_have_count(2)
        await page.get_by_role("checkbox", name="Claim").blur()
        await page.keyboard.press("j")
        assert await page.evaluate("document.activeElement.closest('.s').id") == "s2"

    browse(use, ARTICLE)


def test_tab_goes_through_everything() -> None:
    """First the way past the top, then all links and fields, each with a focus that is seen."""

    async def use(page: Page, _: Site) -> None:
        await page.goto("/articles/a")
        await page.keyboard.press("Tab")
        assert await focused(page) == "Skip to the content"
        await expect(page.locator(".skip")).to_be_in_viewport()
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "main"
        seen = []
        for _ in range(40):
            await page.keyboard.press("Tab")
            name, style = await page.evaluate(
                "() => [document.activeElement.tagName, "
                "getComputedStyle(document.activeElement).outlineStyle]"
            )
            if name == "BODY":
                break
            seen.append(name)
            assert style != "none", await focused(page)
        assert {"A", "INPUT", "SELECT", "BUTTON"} <= set(seen)

    browse(use, ARTICLE)


def test_the_list_of_keys() -> None:
    """? opens it, Esc closes it, and shortcuts can be turned off for good."""

    async def use(page: Page, _: Site) -> None:
        await page.goto("/")
        dialog = page.get_by_role("dialog", name="Keyboard")
        await page.keyboard.press("?")
        await expect(dialog).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
        await page.get_by_role("button", name="Keyboard shortcuts").click()
        await page.get_by_label("Single-key shortcuts on").uncheck()
        await page.get_by_role("button", name="Close").click()
        await page.reload()
        await page.keyboard.press("j")
        await page.keyboard.press("?")
        await expect(dialog).to_be_hidden()
        assert await page.evaluate("document.activeElement === document.body")

    browse(use, ARTICLE)


def test_the_pointer_shows_what_is_known() -> None:
    """Confidence, scores, source and cue; Esc puts it away until the pointer moves on."""

    async def use(page: Page, _: Site) -> None:
        await page.goto("/articles/a")
        await page.locator("#s1 .words").hover()
        card = page.locator("#s1 .card")
        await expect(card).to_be_visible()
        await expect(card).to_contain_text("sure")
        await expect(card).to_contain_text("The bank")
        await expect(card).to_contain_text("claimed")
        assert await card.locator(".score").count() == 3
        await page.keyboard.press("Escape")
        await expect(card).to_be_hidden()
        await page.mouse.move(5, 5)
        await page.locator("#s2 .words").hover()
        await expect(page.locator("#s2 .card")).to_contain_text("uncertain")

    browse(use, ARTICLE)
