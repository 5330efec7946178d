"""Paragraphs, marks and offsets."""

from hypothesis import given
from hypothesis import strategies as st

from service.contracts import Extent
from service.viewer.filtering import Wanted
from service.viewer.marking import (
    SENTENCES_A_PAGE,
    Between,
    Furniture,
    Labelled,
    Part,
    Piece,
    harmless,
    marked,
    page_count,
    page_of,
    paragraphs,
)
from service.viewer.store import Held
from tests.viewer.samples import changed, held, labelled

ALL = range(10_000)


def shape(cut: list[list[Part]]) -> list[str]:
    """One word a paragraph: s sentence, f furniture, ~ between."""
    letters = {Labelled: "s", Furniture: "f", Between: "~"}
    return ["".join(letters[type(part)] for part in paragraph) for paragraph in cut]


def text_of(part: Part) -> str:
    """The words of a part."""
    return "".join(p.text for p in part.pieces) if isinstance(part, Labelled) else part.text or ""


def test_paragraphs_come_from_gaps_where_the_text_is_not_known() -> None:
    """Two characters or more end a paragraph, one is a space."""
    article = Held(labelled(body="It rained. It snowed.\n\nIt froze.  It thawed."), 1)
    cut = paragraphs(article, Wanted(), ALL)
    assert shape(cut) == ["s~s", "s", "s"]
    assert cut[0][1] == Between(" ")


def test_paragraphs_come_from_blank_lines_where_the_text_is_known() -> None:
    """And what stands between sentences is shown as it is."""
    article = held(body="It rained.\nIt snowed.  It froze.\n \nIt thawed.")
    cut = paragraphs(article, Wanted(), ALL)
    assert shape(cut) == ["s~s~s", "s"]
    assert [part.text for part in cut[0] if isinstance(part, Between)] == ["\n", "  "]


def test_furniture_is_a_placeholder_or_its_words() -> None:
    """Its length where the text is not known, else its words."""
    body = "It rained.\n\nRead more about rain"
    known = paragraphs(held(body=body), Wanted(), ALL)
    assert known[1] == [Furniture(20, "Read more about rain")]
    unknown = paragraphs(Held(labelled(body=body), 1), Wanted(), ALL)
    assert unknown[1] == [Furniture(20, None)]


def test_furniture_in_a_row_is_one_placeholder() -> None:
    """Five unknown pieces say no more than one; known ones are shown one by one."""
    article = labelled(body="It rained.").model_copy(
        update={"furniture": tuple(Extent(start=n, end=n + 5) for n in range(20, 60, 10))}
    )
    assert paragraphs(Held(article, 1), Wanted(), ALL)[1:] == [[Furniture(20, None)]]
    body = "It rained.\n\nRead more A.\n\nRead more B."
    assert len(paragraphs(held(body=body), Wanted(), ALL)) == 3


def test_source_cue_and_hits_are_marked() -> None:
    """Cut where any of them begins or ends; a hit may cross them."""
    (claim,) = paragraphs(held(body="Anna Ortiz said it rained."), Wanted(q="orti ra"), ALL)[0]
    assert isinstance(claim, Labelled)
    assert claim.pieces == [
        Piece("Anna ", "source", is_hit=False),
        Piece("Orti", "source", is_hit=True),
        Piece("z", "source", is_hit=False),
        Piece(" ", "", is_hit=False),
        Piece("said", "cue", is_hit=False),
        Piece(" it ", "", is_hit=False),
        Piece("ra", "", is_hit=True),
        Piece("ined.", "", is_hit=False),
    ]


def test_offsets_are_code_points() -> None:
    """Emoji, flags and combining marks before a source do not move it."""
    body = "😀🇨🇿 e\u0301 It rained. 👩‍👩‍👧 Anna Ortiz said it rained 🌧️."
    parts = [part for paragraph in paragraphs(held(body=body), Wanted(), ALL) for part in paragraph]
    claim = next(p for p in parts if isinstance(p, Labelled) and p.sentence.source)
    assert next(piece.text for piece in claim.pieces if piece.role == "cue") == "said"
    assert "Anna Ortiz" in next(piece.text for piece in claim.pieces if piece.role == "source")
    assert "".join(map(text_of, parts)) == body


def test_a_source_named_nearby_is_not_marked_here() -> None:
    """It is given beside, for another sentence has its words."""
    article = labelled()
    article = changed(article, 3, source=article.sentences[1].source)
    last = paragraphs(Held(article, 1), Wanted(), ALL)[-1][-1]
    assert isinstance(last, Labelled)
    assert last.nearby == article.sentences[1].source
    assert [piece.role for piece in last.pieces if piece.role] == ["cue"]


def test_what_is_not_wanted_is_known() -> None:
    """Only the fitting sentences stand out."""
    parts = [part for paragraph in paragraphs(held(), Wanted(), {1}) for part in paragraph]
    assert [part.is_wanted for part in parts if isinstance(part, Labelled)] == [
        False,
        True,
        False,
        False,
    ]


def test_long_articles_are_shown_in_parts() -> None:
    """Every sentence and every piece of furniture is in exactly one part."""
    lines = [f"It rained on day {n}." for n in range(SENTENCES_A_PAGE + 50)]
    lines.insert(0, "Read more A.")
    lines.insert(SENTENCES_A_PAGE + 1, "Read more B.")
    lines.append("Read more C.")
    article = held(body="\n\n".join(lines))
    assert page_count(article.article) == 2
    cut = [paragraphs(article, Wanted(), ALL, page) for page in (0, 1)]
    shown = [text_of(part) for page in cut for paragraph in page for part in paragraph]
    assert shown == lines
    numbers = [
        {part.sentence.index for paragraph in page for part in paragraph
         if isinstance(part, Labelled)}
        for page in cut
    ]  # fmt: skip
    assert [{page_of(number) for number in page} for page in numbers] == [{0}, {1}]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300), st.sampled_from(["", "a"]))
def test_all_of_the_text_is_shown(body: str, words: str) -> None:
    """Whatever the text, what is shown is the text, but for white space at paragraphs' ends."""
    article = held(body=body)
    cut = paragraphs(article, Wanted(q=words), ALL)
    shown = "".join(text_of(part) for paragraph in cut for part in paragraph)
    assert shown.split() == body.split() or "".join(shown.split()) == "".join(body.split())


@given(st.text(), st.sets(st.integers(0, 30)))
def test_marking_keeps_the_text(text: str, edges: set[int]) -> None:
    """The pieces put together are the text."""
    places = sorted(edge for edge in edges if edge <= len(text))
    places = places[: len(places) // 2 * 2]
    intervals = list(zip(places[::2], places[1::2], strict=True))
    assert "".join(piece.text for piece in marked(text, intervals)) == text


def test_what_could_deceive_is_replaced_one_for_one() -> None:
    """Controls and overrides of direction go; line breaks, emoji and accents stay."""
    assert harmless("a\x00b\x1b[31m\u202edc\u2066") == "a\ufffdb\ufffd[31m\ufffddc\ufffd"
    assert harmless("a\n\tčé😀\r\n") == "a\n\tčé😀\r\n"


def test_an_article_without_sentences() -> None:
    """Only furniture, or nothing at all, is no error."""
    assert paragraphs(held(body=""), Wanted(), ALL) == []
    assert shape(paragraphs(held(body="Read more now."), Wanted(), ALL)) == ["f"]
