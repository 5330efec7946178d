"""Main text from HTML: what is found, what is left out, and pages made to do harm."""

import json
import logging
import socket
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.extraction import Extracted, ExtractionError, extract
from service.segmentation import segment

STORY = [
    "The harbour authority closed the northern pier on Thursday after divers had found cracks.",
    "“Nobody should be near it in a storm,” said Ada Brandt, who leads the inspection.",
    "The pier was built in 1931 and rebuilt twice, after storms in 1950 and 1987.",
    "The council should have acted years ago, and every shopkeeper on the northern side knows it.",
]
PARAGRAPHS = "".join(f"<p>{paragraph}</p>" for paragraph in STORY)
NAV = "<nav><ul><li><a href='/n'>News</a></li><li><a href='/s'>Sport</a></li></ul></nav>"
FOOTER = "<footer><p>© 2025 Example Press. All rights reserved.</p></footer>"
META = (
    "<title>Pier closed | Example Press</title><meta property='og:title' content='Pier closed'>"
    "<meta name='author' content='Rosa Lind'>"
    "<meta property='article:published_time' content='2025-03-06T23:30:00-05:00'>"
)


def page(content: str, head: str = "") -> str:
    """Put content into a page with a menu and a footer."""
    return f"<!DOCTYPE html><html><head>{head}</head><body>{NAV}{content}{FOOTER}</body></html>"


def test_the_article_is_found_among_the_rest() -> None:
    """Menus, cookie notice, newsletter box, related links, comments and footer stay out."""
    content = (
        "<div class='cookie-banner'><p>We use cookies. Accept them all.</p></div><main><article>"
        f"<h1>Pier closed</h1>{PARAGRAPHS}<aside><a href='/a'>Ferry fares to rise</a></aside>"
        "<div class='newsletter'><p>Sign up for our newsletter.</p><form><input></form></div>"
        "</article><section id='comments' class='comments'><div class='comment'>"
        "<p>This is a scandal and somebody should resign.</p></div></section></main>"
    )
    assert extract(page(content)).text.split("\n\n") == ["Pier closed", *STORY]


def test_the_page_names_title_date_and_author() -> None:
    """Title, author and date come from the page's own marks; the date is a full date."""
    found = extract(page(f"<article>{PARAGRAPHS}</article>", META))
    assert found[1:] == ("Pier closed", "2025-03-06", "Rosa Lind")


def test_a_page_that_names_nothing() -> None:
    """Without marks there is no title, date or author, though the text holds a year."""
    assert extract(f"<html><body>{PARAGRAPHS}</body></html>")[1:] == (None, None, None)


def test_dates_do_not_depend_on_the_day() -> None:
    """A date in the future is as good as one in the past: a replay gives the same answer."""
    meta = META.replace("2025-03-06", "2093-03-06")
    assert extract(page(PARAGRAPHS, meta)).published_at == "2093-03-06"


@pytest.mark.parametrize(
    "content",
    [
        f"<article>{PARAGRAPHS}</article>",
        "<div class='story'>" + "".join(f"<div>{p}</div>" for p in STORY) + "</div>",
        "<div class='story'>" + "<br><br>".join(STORY) + "</div>",
        f"<table><tr><td></td><td><font size='2'>{PARAGRAPHS}</font></td></tr></table>",
        PARAGRAPHS.replace("</p>", ""),
        PARAGRAPHS.replace(" ", "\n   "),
    ],
    ids=["article", "divs", "line breaks", "layout table", "unclosed", "wrapped source"],
)
def test_paragraphs_however_they_are_marked(content: str) -> None:
    """Every paragraph is a block of its own, without marks of lists or tables."""
    assert extract(page(content)).text.split("\n\n") == STORY


def test_lists_tables_quotations_and_headings_are_blocks() -> None:
    """Structure within the article gives blocks; the cells of a row stay in one line."""
    content = (
        f"<article>{PARAGRAPHS}<h2>What comes next</h2><ul><li>fill the cracks</li><li>test it</li>"
        "</ul><blockquote>We told them.</blockquote><p>It is<br>late.</p>"
        "<table><tr><td>1950</td><td>Great storm</td></tr></table></article>"
    )
    blocks = ["What comes next", "fill the cracks", "test it", "We told them.", "It is\nlate."]
    assert extract(page(content)).text.split("\n\n") == [*STORY, *blocks, "1950\tGreat storm"]


def test_words_are_not_torn_by_inline_marks() -> None:
    """Bold, links and spans within a word or a sentence leave it whole."""
    content = PARAGRAPHS.replace("authority closed", "<b>author</b>ity <a href='/c'>closed</a>")
    assert extract(page(content)).text.split("\n\n") == STORY


def test_short_articles_are_kept() -> None:
    """One sentence is an article, with a page around it or without."""
    assert extract(page(f"<article><p>{STORY[0]}</p></article>")).text == STORY[0]
    assert extract("<p>The pier is closed.</p>").text == "The pier is closed."
    assert extract("The pier is closed.").text == "The pier is closed."


def test_short_sentences_may_repeat() -> None:
    """What the article says twice is there twice."""
    added = ["Nobody came.", "It rained.", "Nobody came."]
    content = PARAGRAPHS + "".join(f"<p>{sentence}</p>" for sentence in added)
    assert extract(page(f"<article>{content}</article>")).text.split("\n\n") == STORY + added


def test_an_article_that_stands_in_the_pages_data_only() -> None:
    """A page that draws its text with scripts gives it as JSON-LD."""
    data = {"@type": "NewsArticle", "articleBody": " ".join(STORY)}
    script = f"<script type='application/ld+json'>{json.dumps(data)}</script>"
    assert extract(f"<html><head>{script}</head><body></body></html>").text == " ".join(STORY)


def test_characters_are_kept_as_they_are() -> None:
    """Entities are read once, and nothing is composed, decomposed or transliterated."""
    page_text = "Cafe\u0301 &amp;amp; &lt;b&gt; ﬁne &#8220;x&#8221; naïve 😀 שלום. " + STORY[0]
    wanted = "Cafe\u0301 &amp; <b> ﬁne “x” naïve 😀 שלום. " + STORY[0]
    assert extract(page(f"<p>{page_text}</p>{PARAGRAPHS}")).text.split("\n\n")[0] == wanted


@pytest.mark.parametrize(
    "declaration",
    [
        "<?xml version='1.0' encoding='iso-8859-1'?>",
        "<meta charset='windows-1252'>",
        "<meta http-equiv='Content-Type' content='text/html; charset=utf-16'>",
    ],
)
def test_declared_encodings_are_void(declaration: str) -> None:
    """The page is text already: what it says about its bytes changes nothing."""
    assert (
        extract(f"{declaration}<html><body>{PARAGRAPHS}</body></html>").text.split("\n\n") == STORY
    )


@pytest.mark.parametrize(
    "bad", ["\0", "\x01", "\x0b", "\ufffe", "\xad", "\u200b", "&#0;", "&#xD800;"]
)
def test_bad_characters_do_not_end_the_page(bad: str) -> None:
    """What comes after a character that no page may hold is found all the same."""
    text = extract(
        page(f"<p>{STORY[0]} {bad}</p>{PARAGRAPHS.replace('northern', f'nor{bad}thern')}")
    ).text
    assert text.endswith("knows it.")
    assert not set(text) & {"\0", "\x01", "\ufffe", "\xad", "\u200b"}


def test_lone_surrogates_become_replacement_characters() -> None:
    """A lone surrogate is replaced, so that the text can be encoded, and nothing is lost."""
    text = extract(
        page(PARAGRAPHS.replace("pier", "pi\ud800er"), META.replace("Pier", "\udfff"))
    ).text
    assert text.encode().decode().replace("\ufffd", "").split("\n\n") == STORY


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ("<!-- nothing -->", "main text|empty"),
        ("<html></html>", "main text"),
        ("<html><body><script>var a = 'We have news.';</script></body></html>", "main text"),
        (f"<html><body>{NAV}</body></html>", "main text"),
        ("<div>" * 100_000 + PARAGRAPHS, "nested"),
        (PARAGRAPHS + "<div>" * 300 + PARAGRAPHS + "</div>" * 300 + PARAGRAPHS, "nested"),
        ("<b>" * 100_000 + "x." + "</b>" * 100_000, "nested"),
        (("<ul><li>x" * 110 + "</li></ul>" * 110) * 200, "nests 4.* elements 1.* deep"),
        ("<br>" * 200_000 + PARAGRAPHS, "200.* elements"),
        (f"<p {' '.join(f'a{n}' for n in range(100_000))}>{PARAGRAPHS}", "100000 attributes"),
    ],
)  # fmt: skip
def test_pages_without_a_main_text_say_why(html: str, reason: str) -> None:
    """A page that is empty, holds menus and scripts only, or would be cut, is refused."""
    with pytest.raises(ExtractionError, match=reason):
        extract(html)


def test_a_failure_of_the_library_is_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the library fails with, the page is refused; only a lack of memory goes on up."""

    def fail(error: type[BaseException]) -> None:
        def failing(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr("trafilatura.bare_extraction", failing)

    fail(RecursionError)
    with pytest.raises(ExtractionError, match="RecursionError"):
        extract(PARAGRAPHS)
    fail(MemoryError)
    with pytest.raises(MemoryError):
        extract(PARAGRAPHS)


def test_nothing_is_fetched_and_nothing_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Links, images, frames and redirects are left alone, and odd pages make no noise."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    head = META + (
        "<link rel='canonical' href='https://example.com/a'><base href='https://example.com/'>"
        "<meta http-equiv='refresh' content='0; url=https://example.com/b'>"
    )
    frame = "<iframe src='https://example.com/f'></iframe><img src='https://example.com/i.png'>"
    with caplog.at_level(logging.DEBUG):
        extract(page(f"<article>{PARAGRAPHS}{frame}</article>", head))
        for bad in ("", "x", "<html></html>"):
            with pytest.raises(ExtractionError):
                extract(bad)
    assert not caplog.records


def test_a_large_page_is_read_whole() -> None:
    """Ten thousand different paragraphs of a megabyte are all there."""
    lines = [
        f"On day {n} the northern pier stayed closed, as it had been before." for n in range(10_000)
    ]
    content = "".join(f"<p>{line}</p>" for line in lines)
    assert extract(page(f"<article>{content}</article>")).text.split("\n\n") == lines


@pytest.mark.parametrize(
    "content",
    [
        "<ul><li>x</li></ul>" * 5_000,
        "<form>x</form>" * 10_000,
        "<script type='application/ld+json'>" + '"author":"' * 10_000 + "</script>",
        "<script type='application/settings+json'>" + '{"author":{' * 10_000 + "</script>",
        "<p " + " ".join(f"a{n}=1" for n in range(4_000)) + ">x</p>",
    ],
    ids=["lists", "forms", "open strings", "open objects", "attributes"],
)
def test_no_library_takes_the_square_of_a_pages_length(content: str) -> None:
    """What the libraries work at for minutes is read in seconds, and the article is found."""
    started = time.process_time()
    text = extract(page(f"<article>{PARAGRAPHS}{content}</article>")).text
    assert text.startswith(STORY[0])
    assert time.process_time() - started < 20


TAGS = st.sampled_from([
    *["<p>", "</p>", "<div>", "</div>", "<table>", "<tr>", "<td>", "</table>", "<ul>", "<li>"],
    *["</ul>", "<br>", "<a href=x>", "</a>", "<b>", "</b>", "<script>", "</script>", "<!--", "-->"],
    *["<![CDATA[", "]]>", "<html>", "</body>", "<article>", "</article>", "<h1>", "</h1>", "<pre>"],
    *["<blockquote>", "<svg>", "<math>", "<template>", "<textarea>", "&amp;", "&#", "&#x110000;"],
    *["<", ">", "\0", "\ud800", '"', "'", "<?xml encoding='x'?>", "<head>", "<title>", "</title>"],
])  # fmt: skip
PIECES = st.lists(TAGS | st.sampled_from(STORY) | st.text(max_size=6), max_size=40)


@settings(max_examples=150, deadline=None)
@given(PIECES)
def test_any_html_is_read_or_refused(pieces: list[str]) -> None:
    """Rubbish gives a text that can be encoded and divided, or the one error; always the same."""
    html = "".join(pieces)

    def outcome() -> Extracted | str:
        try:
            return extract(html)
        except ExtractionError as error:
            return str(error)

    found = outcome()
    assert outcome() == found
    if not isinstance(found, str):
        assert found.text.encode()
        assert found.text == found.text.strip()
        assert segment(found.text)
