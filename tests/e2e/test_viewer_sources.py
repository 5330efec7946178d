"""The viewer in a real browser: who says what, in an article and across them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.browser import Page, browse, expect, needs_browser
from tests.viewer.samples import changed, labelled
from tests.viewer.site import Site, arrival

pytestmark = needs_browser

BANK = labelled(
    "bank",
    "Anna Ortiz said interest rates would fall. She said it rained. Ortiz claimed trams were late.",
    title="The bank",
)
MINISTRY = changed(
    labelled("ministry", "The Ministry claimed interest rates would rise.", title="The ministry"),
    0,
    uncertain=True,
)
SPEAKERS = ".speaker h3"


async def boxes(page: Page) -> list[Any]:
    """Where the two claims of a pair stand."""
    return [await claim.bounding_box() for claim in await page.locator(".pair blockquote").all()]


def test_every_source_of_an_article_with_its_claims() -> None:
    """By the fullest name; who is only a pronoun is said to be; each claim leads to its place."""

    async def use(page: Page, _: Site) -> None:
        await page.goto("/articles/bank")
        await expect(page.locator(SPEAKERS)).to_have_text(
            ["Anna Ortiz", "She see the text for who that is"]
        )
        claims = page.locator(".speaker").first.get_by_role("listitem")
        await expect(claims).to_have_count(2)
        await claims.nth(1).get_by_role("link").click()
        assert page.url.endswith("/articles/bank#s2")
        await expect(page.locator("#s2 .words")).to_be_in_viewport()
        await page.get_by_role("link", name="Anna Ortiz", exact=True).click()
        await expect(page.locator(".s:not(.out)")).to_have_count(2)

    browse(use, BANK)


@pytest.mark.parametrize("width", [390, 1280])
def test_across_articles_claims_on_one_subject_stand_beside_each_other(width: int) -> None:
    """Side by side, on a phone below each other, with the words that they share marked."""

    async def use(page: Page, _: Site) -> None:
        await page.goto("/sources")
        await expect(page.locator(SPEAKERS)).to_have_text(
            ["Anna Ortiz 2 claims", "The Ministry 1 claim"]
        )
        pair = page.locator(".pair")
        await expect(pair).to_have_count(1)
        await expect(pair.locator("cite")).to_have_text(["Anna Ortiz", "The Ministry"])
        assert await pair.locator("mark").all_inner_texts() == ["interest", "rates"] * 2
        first, second = await boxes(page)
        if width > 1000:
            assert first["y"] == second["y"]
            assert first["x"] + first["width"] < second["x"]
        else:
            assert first["x"] == second["x"]
            assert first["y"] + first["height"] <= second["y"]
        await pair.get_by_role("link", name="The bank").click()
        assert page.url.endswith("/articles/bank#s0")

    browse(use, BANK, MINISTRY, viewport={"width": width, "height": 800})


def test_filters_leave_the_claims_that_are_asked_for() -> None:
    """By source, confidence and words; what arrives meanwhile is filtered too."""

    async def use(page: Page, site: Site) -> None:
        async def speakers(*expected: str) -> None:
            await expect(page.locator(SPEAKERS)).to_have_text(expected)

        source = page.get_by_role("combobox", name="Source")
        await page.goto("/sources")
        await page.get_by_label("Confidence").select_option("uncertain only")
        await speakers("The Ministry 1 claim")
        await page.get_by_label("Confidence").select_option("any")
        await source.fill("anna")
        await speakers("Anna Ortiz 2 claims")
        await site.live.apply(arrival(labelled("b", "Anna Berg said it snowed.")))
        await site.live.apply(arrival(labelled("c", "Bert said it snowed.")))
        await speakers("Anna Ortiz 2 claims", "Anna Berg 1 claim")
        await source.fill("")
        await page.get_by_label("Search").fill("ministry")
        await speakers("The Ministry 1 claim")
        await page.get_by_role("link", name="Show everything").click()
        await expect(page.locator(SPEAKERS)).to_have_count(4)

    browse(use, BANK, MINISTRY)


def test_what_arrives_is_put_beside_what_is_there() -> None:
    """A second voice on the same subject makes a pair on the open page."""

    async def use(page: Page, site: Site) -> None:
        await page.goto("/sources")
        await expect(page.locator(".pair")).to_have_count(0)
        await site.live.apply(arrival(MINISTRY))
        await expect(page.locator(".pair")).to_have_count(1)

    browse(use, BANK)
