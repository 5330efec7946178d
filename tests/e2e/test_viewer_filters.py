"""The viewer in a real browser: filters, search, permalinks."""

from __future__ import annotations

from tests.e2e.browser import Page, browse, expect, needs_browser
from tests.viewer.samples import changed, labelled
from tests.viewer.site import Site

pytestmark = needs_browser

TITLES = ".articles h2"
SHOWN = ".s:not(.out)"


def test_each_filter_of_an_article() -> None:
    """Label, source, confidence and words make sentences stand out; the address says which."""
    article = changed(labelled("a"), 0, uncertain=True, confidence=0.5)

    async def use(page: Page, _: Site) -> None:
        async def stand_out(number: int) -> None:
            await expect(page.locator(SHOWN)).to_have_count(number)

        await page.goto("/articles/a")
        await stand_out(4)
        await page.get_by_role("checkbox", name="Fact").uncheck()
        await page.get_by_role("checkbox", name="Opinion").uncheck()
        await stand_out(2)
        assert page.url.endswith("/articles/a?label=attributed_claim")
        await page.get_by_label("Source").fill("anna")
        await stand_out(1)
        assert await page.locator(SHOWN).get_attribute("id") == "s1"
        await page.reload()
        await stand_out(1)
        assert await page.get_by_label("Source").input_value() == "anna"
        await page.get_by_role("link", name="Show everything").click()
        await stand_out(4)
        await page.get_by_label("Confidence").select_option("uncertain only")
        await stand_out(1)
        assert await page.locator(SHOWN).get_attribute("id") == "s0"
        await page.get_by_label("Confidence").select_option("any")
        await page.get_by_label("Search").fill("inflation fur")
        await stand_out(2)
        assert await page.locator(".text mark").all_inner_texts() == [
            "inflation",
            "inflation",
            "fur",
        ]

    browse(use, article)


def test_each_filter_of_the_list() -> None:
    """Label, source, confidence and words leave the articles that have them."""

    async def use(page: Page, _: Site) -> None:
        async def titles(*expected: str) -> None:
            await expect(page.locator(TITLES)).to_have_text(expected)

        await page.goto("/")
        await titles("Opinion", "Claim", "Fact")
        for label, left in (("Fact", "Opinion,Claim"), ("Claim", "Opinion")):
            await page.get_by_role("checkbox", name=label).uncheck()
            await titles(*left.split(","))
        await page.get_by_role("link", name="Show everything").click()
        await page.get_by_label("Source").fill("ortiz")
        await titles("Claim")
        assert "Anna Ortiz said" in await page.locator(".snippets").inner_text()
        await page.get_by_label("Source").fill("")
        await page.get_by_label("Confidence").select_option("uncertain only")
        await titles("Fact")
        await page.get_by_label("Confidence").select_option("any")
        await page.get_by_label("Search").fill("should")
        await titles("Opinion")
        await page.get_by_role("navigation").get_by_role("link", name="Who says what").click()
        await page.wait_for_url("**/sources?q=should")

    browse(
        use,
        changed(labelled("f", "It rained.", title="Fact"), 0, uncertain=True),
        labelled("c", "Anna Ortiz said it snowed.", title="Claim"),
        labelled("o", "It should freeze.", title="Opinion"),
    )


def test_search_leads_to_the_sentence() -> None:
    """From the list to the sentence in its article, with the words still marked."""

    async def use(page: Page, _: Site) -> None:
        await page.goto("/")
        await page.get_by_label("Search").fill("further")
        await page.locator(".snippets a").click()
        await page.wait_for_url("**/articles/a?q=further#s3")
        assert await page.locator("#s3 mark").inner_text() == "further"

    browse(use, labelled("a"))


def test_a_permalink_shows_its_sentence() -> None:
    """It is scrolled to and marked, also in the second part of a long article."""
    body = "\n\n".join(f"It rained on day {n}." for n in range(450))

    async def use(page: Page, _: Site) -> None:
        for address, number in (("/articles/a#s312", 312), ("/articles/a?page=2#s440", 440)):
            await page.goto(address)
            sentence = page.locator(f"#s{number} .words")
            await sentence.wait_for()
            box = await sentence.bounding_box()
            assert box is not None
            assert 0 < box["y"] < 700
            shadow = await sentence.evaluate("e => getComputedStyle(e).boxShadow")
            assert shadow != "none"
        await page.locator("#s441 .letter").click()
        assert page.url.endswith("?page=2#s441")

    browse(use, labelled("a", body))
