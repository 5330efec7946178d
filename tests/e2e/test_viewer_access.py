"""The viewer for everybody: small screens, fingers, dark rooms, paper, no scripts, axe."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.browser import Page, browse, expect, needs_browser
from tests.e2e.samples import ARTICLE, MISSING, PAGES
from tests.viewer.site import Site

pytestmark = needs_browser


def test_a_finger_shows_what_is_known() -> None:
    """A tap on a sentence, and another one elsewhere puts it away."""

    async def use(page: Page, _: Site) -> None:
        await page.goto("/articles/a")
        await page.locator("#s0 .words").tap()
        await expect(page.locator("#s0 .card")).to_be_visible()
        box = await page.locator("#s0 .card").bounding_box()
        assert box is not None
        assert box["width"] <= 360
        await page.locator(".head .meta").tap()
        await expect(page.locator(".card:visible")).to_have_count(0)

    browse(use, ARTICLE, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)


@pytest.mark.parametrize("width", [320, 360, 768])
@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wider_than_the_screen(path: str, width: int) -> None:
    """Also words that are longer than a line, and with all tools open."""

    async def use(page: Page, _: Site) -> None:
        await page.goto(path)
        await page.evaluate(
            "() => document.querySelectorAll('details').forEach(d => d.open = true)"
        )
        assert await page.evaluate("document.documentElement.scrollWidth") <= width

    browse(use, ARTICLE, viewport={"width": width, "height": 740}, expected=MISSING)


def test_a_phone_begins_with_the_text() -> None:
    """The tools are folded there, and open on a wide screen."""

    async def narrow(page: Page, _: Site) -> None:
        await page.goto("/articles/a")
        await expect(page.get_by_label("Confidence")).to_be_hidden()
        await page.get_by_text("Filter and copy").click()
        await expect(page.get_by_label("Confidence")).to_be_visible()

    async def wide(page: Page, _: Site) -> None:
        await page.goto("/articles/a")
        await expect(page.get_by_label("Confidence")).to_be_visible()

    browse(narrow, ARTICLE, viewport={"width": 360, "height": 740})
    browse(wide, ARTICLE)


def test_the_dark_theme_follows_the_system() -> None:
    """Dark ground and light words where the reader's system is dark, and the other way round."""
    found: dict[str, list[float]] = {}

    def look(scheme: str) -> None:
        async def use(page: Page, _: Site) -> None:
            await page.goto("/")
            found[scheme] = await page.evaluate(
                "() => ['backgroundColor', 'color'].map(name =>"
                " Number(getComputedStyle(document.body)[name].match(/\\d+/)[0]))"
            )

        browse(use, ARTICLE, color_scheme=scheme)

    look("light")
    look("dark")
    assert found["light"][0] > 200
    assert found["light"][1] < 60
    assert found["dark"][0] < 60
    assert found["dark"][1] > 200


def test_print_keeps_letters_and_lines() -> None:
    """Without what is of use on a screen only, and on white also in a dark room."""

    async def use(page: Page, _: Site) -> None:
        await page.goto("/articles/a")
        await page.emulate_media(media="print")
        for gone in (".top nav", ".tools", ".status"):
            await expect(page.locator(gone)).to_be_hidden()
        await expect(page.locator("#s0 .letter")).to_be_visible()
        line = await page.locator("#s0 .words").evaluate(
            "e => getComputedStyle(e).textDecorationStyle"
        )
        assert line == "dashed"
        ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(255, 255, 255)"

    browse(use, ARTICLE, color_scheme="dark")


def test_it_reads_without_scripts() -> None:
    """Pages, filters, sources, the box: all but what is live, the keys and the copy buttons."""

    async def use(page: Page, _: Site) -> None:
        await page.goto("/")
        await page.get_by_label("Search").fill("rates")
        await page.get_by_role("button", name="Show").click()
        await page.wait_for_url("**/?q=rates*")
        await page.locator(".articles h2 a").click()
        await page.get_by_text("Filter and copy").click()
        await page.get_by_role("checkbox", name="Claim").uncheck()
        await page.get_by_role("button", name="Show").click()
        await expect(page.locator(".s:not(.out)")).to_have_count(0)
        await page.goto("/articles/a")
        await page.locator("#s0 .words").hover()
        await expect(page.locator("#s0 .card")).to_be_visible()
        await expect(page.get_by_role("button", name="Copy")).to_have_count(0)

    browse(use, ARTICLE, java_script_enabled=False)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_serious(scheme: str, width: int) -> None:
    """On any page, in both themes, with everything open."""
    axe = pytest.importorskip(
        "axe_playwright_python.async_playwright",
        reason="axe is not installed: pip install 'claimstream[browser]'",
    ).Axe()

    async def use(page: Page, _: Site) -> None:
        for path in PAGES:
            await page.goto(path)
            await page.evaluate(
                "() => document.querySelectorAll('details').forEach(d => d.open = true)"
            )
            await check(page)
        await page.goto("/articles/a")
        await page.locator("#s2 .words").hover()
        await check(page)
        if width > 400:
            await page.keyboard.press("?")
            await check(page)

    async def check(page: Page) -> None:
        response = (await axe.run(page)).response
        assert len(response["passes"]) > 10
        found: Any = response["violations"]
        serious = [
            (fault["id"], [node["html"] for node in fault["nodes"]][:3])
            for fault in found
            if fault["impact"] in {"serious", "critical"}
        ]
        assert not serious, page.url

    browse(
        use,
        ARTICLE,
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
        expected=MISSING,
    )
