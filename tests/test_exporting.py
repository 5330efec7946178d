"""What can be taken along: JSON, CSV, Markdown."""

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.contracts import LabelledArticle
from service.exporting import COLUMNS, to_csv, to_json, to_markdown
from tests.viewer.samples import BODY, changed, labelled

ARTICLE = labelled(
    title="A title", publisher="Desk", url="https://example.com/1", published_at="2026-11-24"
)


def rows(article: LabelledArticle) -> list[dict[str, str]]:
    """Read the CSV back."""
    return list(csv.DictReader(io.StringIO(to_csv(article), newline="")))


def test_json_is_the_contract() -> None:
    """It reads back as the same labelled article."""
    assert LabelledArticle.model_validate_json(to_json(ARTICLE)) == ARTICLE
    assert json.loads(to_json(ARTICLE))["schema"] == "claims/1"


def test_csv_has_a_row_a_sentence() -> None:
    """With everything that is known of it."""
    read = rows(ARTICLE)
    assert list(read[0]) == list(COLUMNS)
    assert [row["label"] for row in read] == [s.label for s in ARTICLE.sentences]
    claim, sentence = read[1], ARTICLE.sentences[1]
    assert (claim["source"], claim["source_index"], claim["cue"]) == ("Anna Ortiz", "1", "said")
    for mark in ("source", "cue"):
        start, end = int(claim[f"{mark}_start"]), int(claim[f"{mark}_end"])
        assert BODY[start:end] == claim[mark]
    assert BODY[int(claim["start"]) : int(claim["end"])] == sentence.text
    assert claim["text"] == sentence.text
    assert float(claim["attributed_claim"]) == sentence.scores.attributed_claim
    assert (claim["title"], claim["published_at"], claim["uncertain"]) == (
        "A title",
        "2026-11-24",
        "no",
    )
    assert read[0]["source"] == read[0]["source_start"] == read[0]["cue_end"] == ""


def test_csv_is_rfc_4180() -> None:
    """Lines end with CR LF, and cells with quotes, commas or line breaks are quoted."""
    article = changed(labelled(body="It rained."), 0, text='He said "no",\nthen left.')
    head, row = to_csv(article).split("\r\n", 1)
    assert head == ",".join(COLUMNS)
    assert row.endswith(',"He said ""no"",\nthen left."\r\n')


def test_csv_of_several_articles_has_one_head() -> None:
    """Without its head row an article's rows can follow another's."""
    both = to_csv(ARTICLE) + to_csv(labelled("b"), head=False)
    read = list(csv.DictReader(io.StringIO(both, newline="")))
    assert [row["article_id"] for row in read] == ["a"] * 4 + ["b"] * 4


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r="])
def test_csv_holds_no_formula(start: str) -> None:
    """A cell that a spreadsheet would carry out is made plain text, in every column."""
    evil = f"{start}HYPERLINK(1)"
    article = changed(ARTICLE, 1, text=evil).model_copy(
        update={"title": evil, "publisher": evil, "article_id": evil, "url": evil}
    )
    for row in rows(article):
        assert not any(value.startswith(("=", "+", "-", "@", "\t", "\r")) for value in row.values())
    assert rows(article)[1]["text"] == f"'{evil}"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_csv_keeps_any_text(text: str) -> None:
    """Quotes, commas, line breaks, emoji: what goes in comes out, but for the apostrophe."""
    (row,) = rows(changed(labelled(body="It rained."), 0, text=text))
    assert row["text"].removeprefix("'") == text.removeprefix("'")


def test_markdown_reads_well() -> None:
    """Title, origin, address, and a list of labelled sentences."""
    nearby = changed(ARTICLE, 3, source=ARTICLE.sentences[1].source, uncertain=True)
    text = to_markdown(changed(nearby, 1, source=None))
    assert text.startswith("# A title\n\nDesk, 2026-11-24\n\n<https://example.com/1>\n\n- **Fact ")
    assert re.search(r"- \*\*Claim \d+%; no source named; “said”\*\*  \n  Anna Ortiz said", text)
    assert re.search(r"- \*\*Claim \d+%, uncertain; Anna Ortiz \(named nearby\); “claimed”", text)
    assert text.count("\n- ") == len(ARTICLE.sentences)
    assert "not whether it is true" in text


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "[a](javascript:alert(1))",
        "![a](https://example.com/a.png)",
        "**bold** and `code`",
        "line\n\n# heading",
        "# heading",
        "- item",
        "1. item",
        "=====",
        "&lt;b&gt;",
    ],
)
def test_markdown_of_others_means_nothing(evil: str) -> None:
    """Every mark of Markdown in an article's words is escaped, in the title too."""
    text = to_markdown(changed(labelled(title=evil), 0, text=evil))
    for line in text.splitlines():
        bare = re.sub(r"\\.", "x", line.strip().removeprefix("# ").removeprefix("- **"))
        assert not re.search(r"[<>`\[\]!#&_]", bare)
        assert not re.match(r"(\d*[.)]|[-=+])(\s|$|=)", bare)


def test_only_web_addresses_are_links() -> None:
    """Anything else is written as words."""
    for url in ("javascript:alert(1)", "https://example.com/>x", "https://example.com/a b"):
        assert "\n<" not in to_markdown(labelled(url=url))
