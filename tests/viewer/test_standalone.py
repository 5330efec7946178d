"""Labelled articles as one page that needs nothing else."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.viewer.marking import SENTENCES_A_PAGE
from service.viewer.standalone import to_html
from tests.viewer.samples import BODY, changed, labelled

EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(1)></style>{{ 7 * 7 }}'


class Page(HTMLParser):
    """The tags, ids and links of a page, and its words without those of the style sheet."""

    def __init__(self, html: str) -> None:
        """Read a page."""
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words = ""
        self._in_style = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and its attributes."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        """Note the end of the style sheet."""
        self._in_style = self._in_style and tag != "style"

    def handle_data(self, data: str) -> None:
        """Note words."""
        self.words += "" if self._in_style else data

    def values(self, name: str) -> list[str]:
        """The values of an attribute, wherever it is."""
        return [value for found, value in self.attributes if found == name]


def test_sentences_are_marked_as_in_the_viewer() -> None:
    """Label, source, cue, confidence and furniture, in the order of the text."""
    body = f"{BODY}\n\nRead more"
    page = to_html([(labelled(title="A title", body=body), body)])
    assert re.findall(r'<span class="s (\w+)" id="a1-s(\d)">', page) == [
        ("fact", "0"),
        ("claim", "1"),
        ("opinion", "2"),
        ("claim", "3"),
    ]
    assert '<span class="source">Anna Ortiz</span> <span class="cue">said</span>' in page
    assert "Read more" in page
    assert "A title" in page
    assert "% sure" in page


def test_uncertain_sentences_are_marked() -> None:
    """By a question mark at the letter and by a pattern, not by colour alone."""
    page = to_html([(changed(labelled(), 0, uncertain=True), BODY)])
    assert re.search(r'<span class="s fact uncertain" id="a1-s0">.*?>F\?</a>', page)


def test_a_speaker_named_nearby_leads_there() -> None:
    """The link is to a sentence of the same article on the same page."""
    article = labelled()
    nearby = changed(article, 3, source=article.sentences[1].source)
    page = Page(to_html([(labelled(), BODY), (nearby, BODY)]))
    assert "#a2-s1" in page.values("href")


def test_several_articles_do_not_mix() -> None:
    """Every id is there once, and every link inside the page leads to one."""
    page = Page(to_html([(labelled(str(n)), BODY) for n in range(3)]))
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    targets = [link[1:] for link in page.values("href") if link.startswith("#")]
    assert len(targets) > 12
    assert set(targets) <= set(ids)
    assert set(page.values("aria-describedby")) <= set(ids)


def test_nothing_is_loaded_or_run() -> None:
    """No script, picture, style sheet or font, and a policy that forbids them."""
    article = labelled(url="https://example.com/1", title=EVIL)
    html = to_html([(changed(article, 0, text=EVIL), None)])
    page = Page(html)
    assert not {"script", "img", "link", "iframe", "object", "base", "form"} & set(page.tags)
    assert not page.values("src")
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert not re.search(r"url\(|@import", html)
    assert "default-src 'none'; style-src 'unsafe-inline'" in page.values("content")
    assert {link for link in page.values("href") if not link.startswith("#")} == {
        "https://example.com/1"
    }


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd"])
def test_only_web_addresses_are_links(url: str) -> None:
    """Anything else is written as words."""
    page = Page(to_html([(labelled(url=url), BODY)]))
    assert url in page.words
    assert url not in page.values("href")


_PLAIN = Page(to_html([(labelled(), None)]))


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60))
def test_words_are_what_they_were(text: str) -> None:
    """Whatever an article says is shown as text, and makes no tag."""
    other = changed(labelled(), 0, text=text)
    page = Page(to_html([(other, None)]))
    assert sorted(page.tags) == sorted(_PLAIN.tags)
    shown = re.sub("[\u202a-\u202e\u2066-\u2069\x80-\x9f]", "\N{REPLACEMENT CHARACTER}", text)
    assert shown in page.words


def test_long_articles_are_shown_whole() -> None:
    """In the viewer they are cut into parts; a file has them all."""
    body = "It rained. " * (SENTENCES_A_PAGE + 5)
    article = labelled(body=body)
    page = to_html([(article, body)])
    assert page.count('<span class="s fact"') == SENTENCES_A_PAGE + 5 + 1  # one in the legend


def test_no_article_is_said() -> None:
    """Where none could be labelled the page says so."""
    assert "There is no article here." in to_html([])
