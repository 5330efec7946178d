"""Dividing a text into sentences: what holds for any text, and what is right for news."""

import os
import textwrap
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.segmentation_benchmark import Case, cases_right, hard_cases, measure, ours
from service import stops
from service.gold import read
from service.segmentation import segment

HARD_CASES = hard_cases()
# As measured against boundaries that another splitter made. Most of what differs is its error: it
# divides at semicolons and after Gov. or Sgt., and puts an ellipsis now before, now behind a cut.
FLOORS = {"dev": (0.997, 0.986), "train": (0.995, 0.985)}

STORY = [
    (
        "The harbour authority said on Thursday that the northern pier would stay closed until "
        "the cracks found by divers in March had been filled and checked."
    ),
    (
        "“Nobody should be near it in a storm,” said Lt. Col. Ada Brandt, who leads the "
        "inspection, at a meeting with shopkeepers on Friday evening."
    ),
    "Ferries will leave from the southern pier at half past every hour until 9:30 p.m. Eastern.",
    "Is that enough?",
    "Shopkeepers on the northern side have lost a third of their trade, the town says.",
]

# Text as hypothesis makes it seldom holds stops, line breaks and quotation marks: mix them in.
PIECES = st.sampled_from([
    *[". ", ".", "? ", "!”", "… ", ". . . ", '." ', "\n", "\n\n", "\r\n", "\r", "\u2028", "\u2029"],
    *["\x85", "\x0c", "\x1c", "\ud800", "\udfff.", "\0", "\u200b", "\ufeff", "\u202e", "۔ ", "。"],
    *["U.S. ", "Gov. ", "a.m. ", "said.The ", "“Who? ", "(", ") ", "[1]", "😀 ", "1. ", "• ", "\t"],
    *["word ", "Word ", "é", "e\u0301", "ß", "- ", "— ", '"', "'", "’", "«", "»", "\xa0"],
])  # fmt: skip
ANY_TEXT = st.lists(PIECES | st.text(max_size=8), max_size=60).map("".join)
SURROGATES = st.text(st.characters(categories=["Cs", "Cc", "Zs", "Zl", "Zp", "Lu", "Po"]))


def sentences(text: str) -> list[str]:
    """Divide a text and cut out the pieces."""
    return [text[part.start : part.end] for part in segment(text)]


@given(ANY_TEXT | SURROGATES | st.text())
@example("")
@example(" \n\t ")
@example("\ud800")
@example("word 。[1]. 0")
@example('“"\'(((.""" x "". ""')
def test_nothing_is_lost_or_counted_twice(text: str) -> None:
    """Segments are in order and tight, and all between them is white space, for any text."""
    end = 0
    for part in segment(text):
        assert end <= part.start < part.end
        piece = text[part.start : part.end]
        assert piece == piece.strip()
        assert not text[end : part.start].strip()
        end = part.end
    assert not text[end:].strip()


@given(ANY_TEXT)
def test_paragraphs_start_after_line_breaks(text: str) -> None:
    """The first segment, and every one with a line break before it, starts a paragraph."""
    end = 0
    for index, part in enumerate(segment(text)):
        breaks = len((text[end : part.start] + "x").splitlines()) > 1
        assert part.starts_paragraph == (index == 0 or breaks)
        end = part.end


@given(ANY_TEXT)
def test_the_same_text_is_divided_the_same_way(text: str) -> None:
    """What was divided before does not matter."""
    first = segment(text)
    segment(text[::-1])
    assert segment(text) == first


@given(ANY_TEXT, ANY_TEXT)
def test_a_paragraph_does_not_depend_on_the_next(one: str, two: str) -> None:
    """In a text without wrapped lines, a paragraph is divided as it would be alone."""
    one, two = (" ".join(text.split()) for text in (one, two))
    assert sentences(f"{one}\n\n{two}") == sentences(one) + sentences(two)


@pytest.mark.parametrize("case", HARD_CASES, ids=lambda case: case.name)
def test_hard_cases_are_divided_right(case: Case) -> None:
    """Abbreviations, quotations, lists, datelines and typing errors of news are understood."""
    assert sentences(case.text) == list(case.sentences)


def test_hard_cases_are_many_and_their_own() -> None:
    """There are at least a hundred, no two alike, and the benchmark counts them all as right."""
    assert len({case.text for case in HARD_CASES}) == len(HARD_CASES) >= 100
    assert len(cases_right(ours, HARD_CASES)) == len(HARD_CASES)


@pytest.mark.parametrize("column", [50, 60, 66, 72, 76, 80, 99])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "  \n"])
def test_sentences_run_over_wrapped_lines(column: int, newline: str) -> None:
    """Wherever an article's lines were wrapped, its sentences stay whole."""
    lines = textwrap.wrap(" ".join(STORY), column)
    assert [" ".join(s.split()) for s in sentences(newline.join(lines))] == STORY


def test_paragraphs_of_a_wrapped_text_stay_apart() -> None:
    """Headings, indented paragraphs and list items end at their line, though others run over."""
    wrapped = textwrap.fill(" ".join(STORY), 72)
    indented = textwrap.indent(textwrap.fill("No date was set for the ferries"), "    ")
    text = f"Pier closed\n{wrapped}\n{indented}\n- Ada Brandt leads it\n- It is costly\n\nThe end"
    found = [" ".join(s.split()) for s in sentences(text)]
    rest = ["No date was set for the ferries", "- Ada Brandt leads it", "- It is costly", "The end"]
    assert found == ["Pier closed", *STORY, *rest]


def test_one_line_to_a_paragraph_is_no_wrapping() -> None:
    """Lines that break where the next word would have fitted are paragraphs of their own."""
    lines = ["Council rejects the stadium plan", *STORY, "What comes next", "a vote in May"]
    assert sentences("\n".join(lines)) == lines


def test_short_lines_are_a_list() -> None:
    """Lines too short for prose stay apart, even without capitals and stops."""
    lines = ["apples and some pears", "bread from the market", "milk, butter and cheese"]
    assert sentences("\n".join(lines)) == lines


def test_a_text_without_stops_is_one_sentence() -> None:
    """A hundred thousand characters without a full stop stay in one piece."""
    assert [(part.start, part.end) for part in segment("word " * 20_000)] == [(0, 99_999)]


UNITS = [
    "a. ",
    ". ",
    '."',
    '. " ',
    "?! A",
    "U.S. ",
    "a.B",
    "a\r\n",
    "… ",
    "(“",
    "\ud800. ",
    "😀",
    " ",
]


@pytest.mark.parametrize("unit", UNITS)
def test_the_work_grows_with_the_length(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text ten times as long has at most ten times the decisions, each on a bounded text."""

    def work(text: str) -> int:
        seen: list[int] = []
        judge = stops.divides

        def counted(stop: stops.Stop) -> bool:
            seen.append(len(stop.word) + len(stop.opening) + len(stop.after))
            return judge(stop)

        with monkeypatch.context() as patch:
            patch.setattr(stops, "divides", counted)
            segment(text)
        assert all(looked_at <= 128 for looked_at in seen)
        return len(seen)

    assert work(unit * 3000) <= 10 * work(unit * 300) + 10


@pytest.mark.parametrize("length", [100_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("unit", UNITS)
def test_a_long_text_is_divided(unit: str, length: int) -> None:
    """Any number of characters of anything come to an end (the time limit says when)."""
    text = unit * (length // len(unit))
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


@pytest.mark.parametrize("split", FLOORS)
def test_boundaries_of_real_articles(split: str) -> None:
    """Precision and recall on the annotated articles do not fall below what was measured."""
    folder = os.environ.get("CLAIMSTREAM_DATA")
    if not folder:
        pytest.skip("CLAIMSTREAM_DATA does not name the folder of labelled_articles.jsonl")
    articles = read(Path(folder) / "labelled_articles.jsonl")
    score = measure(ours, [article for article in articles if article.split == split])
    precision, recall = FLOORS[split]
    assert score.precision >= precision
    assert score.recall >= recall
