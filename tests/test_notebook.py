"""The display of a labelled article in a notebook."""

from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from service.notebook import to_html
from service.viewer.marking import harmless
from tests.viewer.samples import changed, labelled

BODY = (
    "Prices rose in May. Anna Ortiz said inflation was falling.\n\n"
    "We should wait. Read more about prices."
)
HOSTILE = (
    "The <script>alert(1)</script> \"><img src=x onerror=alert(2)> ' onmouseover='alert(3) "
    "\u202e& {{ 7 * 7 }} {% raw %} said that it was so."
)


class Elements(HTMLParser):
    """The elements and the words of a piece of HTML."""

    def __init__(self, markup: str) -> None:
        """Read it."""
        super().__init__()
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note."""
        self.names.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        """Take note."""
        self.words += data

    @property
    def titles(self) -> list[str | None]:
        """What is said of what is pointed at."""
        return [value for name, value in self.attributes if name == "title"]


def test_letters_lines_and_roles() -> None:
    """Each label has a letter and a line besides its colour; source and cue are set apart."""
    shown = to_html(labelled(body=BODY, title="Prices"), BODY)
    elements = Elements(shown)
    lines = [line for line in elements.words.split("\n") if line]
    assert lines[0] == "Prices"
    assert lines[1] == "F Fact: 1 · C Claim: 1 · O Opinion: 1 · source, cue, ? uncertain"
    assert lines[2] == "FPrices rose in May. CAnna Ortiz said inflation was falling."
    assert lines[3] == "OWe should wait. Read more about prices."
    assert [shown.count(f"underline {line} ") for line in ("solid", "dashed", "wavy")] == [1, 1, 1]
    assert (
        '<span style="font-weight:700">Anna Ortiz</span> <span style="font-style:italic">said'
        in shown
    )
    assert elements.titles[1].endswith("sure; source: Anna Ortiz; cue: said")  # type: ignore[union-attr]
    assert elements.titles[-1] == "furniture"


def test_what_is_uncertain_has_a_mark() -> None:
    """A question mark at the letter, and the word where it is pointed at."""
    article = changed(labelled(body=BODY), 0, uncertain=True)
    elements = Elements(to_html(article, BODY))
    assert "F?Prices rose" in elements.words
    assert elements.titles[0] is not None
    assert elements.titles[0].endswith("; uncertain")


def test_a_speaker_named_nearby_is_told() -> None:
    """A claim whose source stands in another sentence says who it is."""
    article = labelled(body=BODY)
    source = article.sentences[1].source
    article = changed(article, 0, label="attributed_claim", source=source, cue=None)
    elements = Elements(to_html(article, BODY))
    assert "CPrices rose in May. ‹Anna Ortiz, named nearby›" in elements.words
    assert elements.titles[0] is not None
    assert elements.titles[0].endswith("; source: Anna Ortiz")


def test_a_claim_of_nobody() -> None:
    """Where nobody is named, that is said."""
    article = changed(labelled(body=BODY), 1, source=None, cue=None)
    assert str(Elements(to_html(article, BODY)).titles[1]).endswith("sure; source: none named")


def test_hostile_text_is_shown_and_not_run() -> None:
    """Tags, quotes and templates are words in title, text, source and what is pointed at."""
    article = labelled(article_id=HOSTILE, title=HOSTILE, body=HOSTILE)
    (sentence,) = article.sentences
    assert sentence.source is not None
    assert "<script>" in sentence.source.text
    elements = Elements(to_html(article, HOSTILE))
    assert elements.names == {"div", "p", "span", "b", "i", "sup"}
    assert {name for name, _ in elements.attributes} == {"style", "title"}
    assert elements.words.count("<script>alert(1)</script>") == 2
    assert elements.words.count("{{ 7 * 7 }} {% raw %}") == 2
    assert "<img src=x onerror=alert(2)>" in str(elements.titles[0])
    assert "\u202e" not in elements.words + str(elements.titles[0])


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_text_is_shown_as_it_is(body: str) -> None:
    """Whatever the text, its words are there, in its order, and nothing of it is an element."""
    elements = Elements(to_html(labelled(body=body, title="T"), body))
    assert elements.names <= {"div", "p", "span", "b", "i", "sup"}
    letters = iter("".join(elements.words.split()))
    assert all(one in letters for one in harmless("".join(body.split())))


def test_long_articles_are_shown_in_part() -> None:
    """A book does not make a cell that no browser can hold: the rest is counted."""
    body = "It rained on Monday. " * 450
    shown = to_html(labelled(body=body), body)
    assert shown.count("<sup") == 400
    assert "… and 50 more sentences" in shown


def test_nothing_comes_from_elsewhere() -> None:
    """No link, picture, script or style sheet: the piece stands alone."""
    article = labelled(body=BODY, url="https://a.example/1")
    elements = Elements(to_html(article, BODY))
    assert not {name for name, _ in elements.attributes} & {"src", "href", "id", "class"}
    assert "url(" not in to_html(article, BODY)
