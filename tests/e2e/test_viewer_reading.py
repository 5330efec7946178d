"""What a reader sees of an article: its text, and the marks in it."""

from __future__ import annotations

import pytest

from service.contracts import LABELS, LabelledArticle
from tests.e2e.browser import Page, browse, expect, needs_browser
from tests.e2e.samples import ARTICLE
from tests.viewer.samples import changed, labelled
from tests.viewer.site import Site

pytestmark = needs_browser

BODY = (
    "It rained.\nIt snowed  twice & <again>.\n\nAnna Ortiz said 😀 it froze.\n\n"
    "Read more about rain\n\nWe should wait."
)
# What an article's page has beside the article's own words.
BESIDES = ".letter, .card, .nearby, .unseen"


def sample() -> LabelledArticle:
    """A fact that is uncertain, a fact, a claim, furniture, an opinion."""
    return changed(labelled("a", BODY), 0, uncertain=True)


async def complete(site: Site) -> None:
    """Give the article the text that it was published with."""
    (held,) = site.live.store.newest_first()
    site.live.store.complete(held, BODY)


async def style(page: Page, selector: str, name: str) -> str:
    """How something looks in one respect."""
    found: str = await page.locator(selector).first.evaluate(f"e => getComputedStyle(e).{name}")
    return found


def test_the_text_is_as_it_was_published() -> None:
    """Word for word and line by line, furniture too; what is beside it is not in the text."""

    async def use(page: Page, site: Site) -> None:
        await complete(site)
        await page.goto("/articles/a")
        for mark in await page.locator(f".text :is({BESIDES})").all():
            await mark.evaluate("e => e.classList.add('taken-out')")
        await page.evaluate("document.querySelectorAll('.taken-out').forEach(e => e.remove())")
        lines = (await page.locator(".text").inner_text()).split("\n")
        assert [line.strip() for line in lines if line.strip()] == [
            # White space within a line is shown as one space, as everywhere on the web.
            " ".join(line.split())
            for line in BODY.split("\n")
            if line.strip()
        ]

    browse(use, sample())


@pytest.mark.parametrize("media", ["screen", "print"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_labels_have_a_colour_a_letter_and_a_line_each(scheme: str, media: str) -> None:
    """No two of them share any of the three, so that none is needed to tell them apart."""

    async def use(page: Page, _: Site) -> None:
        await page.goto("/articles/a")
        await page.emulate_media(media=media)
        seen = [
            [
                await style(page, f".s.{label} .letter", "color"),
                (await page.locator(f".s.{label}:not(.uncertain) .letter").inner_text()),
                await style(page, f".s.{label} .words", "textDecorationStyle"),
            ]
            for label in ("fact", "claim", "opinion")
        ]
        for marks in zip(*seen, strict=True):
            assert len(set(marks)) == len(LABELS), marks
        assert await style(page, ".s .words", "textDecorationLine") == "underline"

    browse(use, sample(), color_scheme=scheme)


def test_source_and_cue_are_marked_inside() -> None:
    """One bold and the other in italics, both on a ground of their own."""

    async def use(page: Page, _: Site) -> None:
        await page.goto("/articles/a")
        assert await page.locator(".text .source").all_inner_texts() == ["Anna Ortiz"]
        assert await page.locator(".text .cue").all_inner_texts() == ["said"]
        assert await style(page, ".text .source", "fontWeight") == "700"
        assert await style(page, ".text .cue", "fontStyle") == "italic"
        plain = await style(page, ".s.claim .words", "backgroundColor")
        for role in ("source", "cue"):
            assert await style(page, f".text .{role}", "backgroundColor") != plain

    browse(use, sample())


def test_uncertain_sentences_look_uncertain() -> None:
    """Hatched, with a question mark at the letter; the others are neither."""

    async def use(page: Page, _: Site) -> None:
        await page.goto("/articles/a")
        assert "gradient" in await style(page, "#s0 .words", "backgroundImage")
        assert await style(page, "#s1 .words", "backgroundImage") == "none"
        assert await page.locator(".s .letter").all_inner_texts() == ["F?", "F", "C", "O"]
        await page.locator("#s0 .words").hover()
        await expect(page.locator("#s0 .card em")).to_have_text("uncertain")

    browse(use, sample())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_furniture_is_greyed(scheme: str) -> None:
    """In the quiet colour, without a letter, a line or anything to show."""

    async def use(page: Page, site: Site) -> None:
        await complete(site)
        await page.goto("/articles/a")
        furniture = page.locator(".furniture")
        await expect(furniture).to_contain_text("Read more about rain")
        quiet = await style(page, ".furniture", "color")
        assert quiet == await style(page, ".meta", "color")
        assert quiet != await style(page, "#s1 .words", "color")
        assert await style(page, ".furniture", "textDecorationLine") == "none"
        assert await furniture.locator("a, .card").count() == 0

    browse(use, sample(), color_scheme=scheme)


def test_the_tools_stay_beside_the_text() -> None:
    """They go along with it, and do not lie over what follows it."""
    body = "\n\n".join(f"Speaker{n} said interest rates fell by {n}." for n in range(60))

    async def use(page: Page, _: Site) -> None:
        await page.goto("/articles/a")
        tools = page.locator(".tools")
        await page.locator("#s30").scroll_into_view_if_needed()
        await expect(tools).to_be_in_viewport()
        await page.locator(".speaker").nth(20).scroll_into_view_if_needed()
        beside, below = await tools.bounding_box(), await page.locator(".who-says").bounding_box()
        assert beside is not None
        assert below is not None
        assert beside["y"] + beside["height"] <= below["y"]

    browse(use, labelled("a", body))


def test_what_is_not_there_is_said_in_words() -> None:
    """With the way back."""

    async def use(page: Page, _: Site) -> None:
        await page.goto("/articles/none")
        await expect(page.locator("h1")).to_have_text("Not Found (404)")
        await page.get_by_role("link", name="To the articles").click()
        await expect(page.locator(".articles > li")).to_have_count(1)

    browse(use, ARTICLE, expected=("Failed to load resource",))
