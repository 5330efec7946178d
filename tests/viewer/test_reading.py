"""The pages, through the server."""

import json
from urllib.parse import quote

from service.contracts import Extent
from service.viewer.reading import ARTICLES_A_PAGE
from tests.viewer.samples import changed, labelled
from tests.viewer.site import Markup, Site, visit


def test_the_list_shows_the_newest_first() -> None:
    """Title, publisher, time and label mix of each article."""

    async def use(site: Site) -> None:
        page = await site.get("/")
        assert page.index("Second") < page.index("First")
        words = " ".join(Markup(page).words.split())
        assert "First Desk 24 Nov 2026, 06:00 UTC 4 sentences" in words
        assert "Second arrived 24 Nov 2026, 08:00 UTC 4 sentences" in words
        assert 'aria-label="Facts: 1, claims: 2, opinions: 1"' in page
        assert "2 articles held" in page

    visit(
        use,
        labelled("a", title="First", publisher="Desk", published_at="2026-11-24T08:00:00+02:00"),
        labelled("b", title="Second"),
    )


def test_the_list_says_when_it_is_empty() -> None:
    """In words, and the page is whole."""

    async def use(site: Site) -> None:
        assert "Nothing has arrived yet" in await site.get("/")
        assert "Nothing has arrived yet" in await site.get("/sources")

    visit(use)


def test_long_lists_are_turned() -> None:
    """A page of articles at a time, and what is asked for is kept when turning."""

    async def use(site: Site) -> None:
        first, second = await site.get("/?q=prices"), await site.get("/?q=prices&page=2")
        assert len(Markup(first).all("h2")) == ARTICLES_A_PAGE + 1
        assert len(Markup(second).all("h2")) == 2 + 1
        assert Markup(first).all("a", rel="next")[0]["href"] == "/?q=prices&page=2"
        assert Markup(second).all("a", rel="prev")[0]["href"] == "/?q=prices&page=1"
        for nonsense in ("0", "-1", "x", "", "999999999999", "²", "99"):
            await site.get(f"/?page={quote(nonsense)}")

    visit(use, *(labelled(f"a{n}", title=f"Title {n}") for n in range(ARTICLES_A_PAGE + 2)))


def test_search_shows_the_sentences() -> None:
    """The words are marked, and each sentence leads to its place."""

    async def use(site: Site) -> None:
        page = await site.get("/?q=inflation&label=attributed_claim")
        assert page.count("<mark>inflation</mark>") == 2
        link = "/articles/a?q=inflation&label=attributed_claim#s1"
        assert Markup(page).all("a", href=link)
        assert "1 of 2 articles has this" in page
        assert "0 of 2 articles have this" in await site.get("/?q=nothing")

    visit(use, labelled("a"), labelled("b", "It rained."))


def test_an_article_is_shown_sentence_by_sentence() -> None:
    """Label, source, cue, scores and a permalink, in the order of the text."""

    async def use(site: Site) -> None:
        page = await site.get("/articles/a")
        markup = Markup(page)
        assert [a["id"] for a in markup.all("span") if "s" in (a.get("class") or "").split()] == [
            "s0",
            "s1",
            "s2",
            "s3",
        ]
        assert '<span class="source">Anna Ortiz</span> <span class="cue">said</span>' in page
        assert page.count('role="tooltip"') == 4
        assert markup.all("a", href="#s2")[0]["aria-describedby"] == "c2"
        assert [a["href"] for a in markup.all("a") if a.get("download", "-") is None] == [
            f"/articles/a/export.{kind}" for kind in ("json", "csv", "md")
        ]

    visit(use, labelled("a"))


def test_filters_make_sentences_stand_out() -> None:
    """The others stay, without their marks; it is said how many there are."""

    async def use(site: Site) -> None:
        page = await site.get("/articles/a?label=opinion")
        assert "1 of 4 sentences stands out" in page
        assert page.count(' out"') == 3
        assert "0 of 4 sentences stand out" in await site.get("/articles/a?q=elephant")
        everything = await site.get("/articles/a")
        assert "stand out" not in everything
        assert ' out"' not in everything
        assert ' out"' not in await site.get("/articles/a?q=headline")
        assert ' out"' not in await site.get("/articles/a?certainty=nonsense&label=nonsense")

    visit(use, labelled("a", title="Headline"))


def test_a_source_named_nearby_is_said_to_be() -> None:
    """With its name and the way to its sentence."""

    async def use(site: Site) -> None:
        page = await site.get("/articles/a")
        assert '‹<a href="#s1">Anna Ortiz</a>, named nearby›' in page
        assert "Anna Ortiz (named nearby)" in page

    article = labelled("a")
    visit(use, changed(article, 3, source=article.sentences[1].source))


def test_uncertain_sentences_are_said_to_be() -> None:
    """By a question mark, a word for those who do not see it, and a class."""

    async def use(site: Site) -> None:
        page = await site.get("/articles/a")
        assert 'class="s fact uncertain"' in page
        assert 'aria-label="Fact, uncertain"' in page
        assert ">F?</a>" in page
        assert "<em>uncertain</em>" in page

    visit(use, changed(labelled("a"), 0, uncertain=True))


def test_furniture_is_a_placeholder() -> None:
    """Where the text is not known its length is all there is to say."""

    async def use(site: Site) -> None:
        assert "furniture, 20 characters" in await site.get("/articles/a")
        assert "furniture, 1 character<" in await site.get("/articles/b")

    one = labelled("b", "It rained.").model_copy(update={"furniture": (Extent(start=20, end=21),)})
    visit(use, labelled("a", "It rained.\n\nRead more about rain"), one)


def test_the_text_of_html_articles_is_shown() -> None:
    """Furniture in its own words, and what stands between sentences."""
    body = "It rained.\nIt snowed.\n\nRead more about rain"
    article = labelled("a", body).model_copy(update={"text": body})

    async def use(site: Site) -> None:
        page = await site.get("/articles/a")
        assert "Furniture: </span>Read more about rain" in page
        assert "characters" not in Markup(page).words

    visit(use, article)


def test_who_says_what_in_an_article_and_across() -> None:
    """Every source with its claims, and claims on one subject beside each other."""
    body = "Anna Ortiz said interest rates would fall. The bank claimed interest rates would rise."

    async def use(site: Site) -> None:
        page = await site.get("/articles/a")
        assert "<cite>Anna Ortiz</cite>" in page
        assert page.count("<mark>interest</mark>") == 2
        assert "/articles/a?source=Anna%20Ortiz" in page
        across = await site.get("/sources")
        assert "3 sources in 2 articles" in across
        assert '<a href="/articles/b#s0">' in across
        assert "at least two words that carry content" in across
        filtered = await site.get("/sources?q=snowed")
        assert "2 sources" not in filtered
        assert "1 source in 1 article that have this" in filtered

    visit(use, labelled("a", body), labelled("b", "Bert said it snowed."))


def test_copies_are_files() -> None:
    """With their kind, and a name of ours."""

    async def use(site: Site) -> None:
        for kind, content_type in (
            ("json", "application/json"),
            ("csv", "text/csv"),
            ("md", "text/markdown"),
        ):
            async with site.client.get(f"/articles/a/export.{kind}") as answer:
                assert answer.content_type == content_type
                assert answer.charset == "utf-8"
                disposition = answer.headers["Content-Disposition"]
                assert disposition.startswith('attachment; filename="article-')
                assert "😀" in await answer.text()

    visit(use, labelled("a", "It rained 😀."))


def test_a_long_article_has_parts_and_permalinks_lead_there() -> None:
    """A sentence of the second part has its number and its part in the address."""
    body = "\n\n".join(f"It rained on day {n}." for n in range(450))

    async def use(site: Site) -> None:
        first, second = await site.get("/articles/a"), await site.get("/articles/a?page=2")
        assert 'id="s399"' in first
        assert 'id="s400"' not in first
        assert 'id="s449"' in second
        assert "/articles/a?q=449&amp;page=2#s449" in await site.get("/?q=449")

    visit(use, labelled("a", body))


def test_articles_without_titles_are_called_by_how_they_begin() -> None:
    """Rather than by their id."""

    async def use(site: Site) -> None:
        assert Markup(await site.get("/articles/seed-1")).words.count("Prices rose in May.") >= 2
        await site.get("/articles/seed-2")

    visit(
        use, labelled("seed-1"), labelled("seed-2", "Read more."), labelled("seed-3", "", title=" ")
    )


def test_health_is_for_programs() -> None:
    """How many articles, and whether the broker answers."""

    async def use(site: Site) -> None:
        assert json.loads(await site.get("/healthz")) == {
            "broker": "live",
            "articles": 1,
            "no_articles": 0,
            "streams": 0,
        }

    visit(use, labelled("a"))


def test_who_says_what_is_bounded() -> None:
    """Thousands of sources or claims make no endless page; what is left out is said."""
    many = "\n\n".join(f"Speaker{n} said it rained." for n in range(250))
    talkative = "\n\n".join("Anna said it rained." for n in range(60))

    async def use(site: Site) -> None:
        for path in ("/articles/many", "/sources"):
            page = await site.get(path)
            assert page.count('class="speaker"') == 200
        assert "and 50 more sources" in await site.get("/articles/many")
        assert "and 10 more" in await site.get("/articles/talkative")
        assert "and 40 more" in await site.get("/sources")

    visit(use, labelled("many", many), labelled("talkative", talkative))
