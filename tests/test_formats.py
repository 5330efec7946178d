"""The forms that labelled articles are printed in."""

from __future__ import annotations

import csv
import io
import json
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import typer

from service.cli.formats import ENDLESS, choose, choose_endless, open_writer
from service.contracts import LabelledArticle
from service.exporting import to_markdown
from tests.viewer.samples import BODY, labelled

if TYPE_CHECKING:
    from service.cli.formats import Format

Capture = pytest.CaptureFixture[str]
ARTICLES = [labelled("a", title="One"), labelled("b", title="Two")]


def printed(capture: Capture, form: Format, articles: list[LabelledArticle]) -> str:
    """What is printed of some articles."""
    with open_writer(form) as put:
        for article in articles:
            put(article, BODY)
    return capture.readouterr().out


@pytest.mark.parametrize("count", [0, 1, 2])
def test_json_is_always_one_array(capsys: Capture, count: int) -> None:
    """Of none, one or several articles, each as on the topic."""
    read = json.loads(printed(capsys, "json", ARTICLES[:count]))
    assert [LabelledArticle.model_validate(a) for a in read] == ARTICLES[:count]


def test_jsonl_is_the_contract_a_line(capsys: Capture) -> None:
    """The same characters as on the topic."""
    lines = printed(capsys, "jsonl", ARTICLES).splitlines()
    assert lines == [article.to_json() for article in ARTICLES]


def test_csv_has_one_head_and_a_row_a_sentence(capsys: Capture) -> None:
    """Of all articles together."""
    rows = list(csv.DictReader(io.StringIO(printed(capsys, "csv", ARTICLES), newline="")))
    assert [row["article_id"] for row in rows] == ["a"] * 4 + ["b"] * 4
    assert [row["text"] for row in rows[:4]] == [s.text for s in ARTICLES[0].sentences]


def test_markdown_parts_articles_by_a_blank_line(capsys: Capture) -> None:
    """Each begins with its heading."""
    assert printed(capsys, "markdown", ARTICLES) == "\n".join(map(to_markdown, ARTICLES))


def test_html_is_one_page(capsys: Capture) -> None:
    """With all articles in it."""
    page = printed(capsys, "html", ARTICLES)
    assert page.count("<!doctype html>") == page.count("</html>") == 1
    assert page.endswith("</html>\n")
    assert page.count('<article class="reading') == 2


def test_text_is_for_people(capsys: Capture) -> None:
    """Each article with its summary."""
    text = printed(capsys, "text", ARTICLES)
    assert text.count("4 sentences: 1 fact, 2 claim, 1 opinion") == 2


@pytest.mark.parametrize("form", ENDLESS)
def test_what_needs_no_end_is_printed_at_once(capsys: Capture, form: Format) -> None:
    """The first article is there before the second comes, whole lines of it."""
    with open_writer(form) as put:
        put(ARTICLES[0], None)
        first = capsys.readouterr().out
        assert ARTICLES[0].sentences[3].text[:20] in first
        assert first.endswith("\n")
        put(ARTICLES[1], None)


@pytest.mark.parametrize("form", ["json", "html"])
def test_what_is_cut_off_does_not_look_whole(capsys: Capture, form: Format) -> None:
    """An error leaves the array open, and prints no page."""
    with suppress(KeyboardInterrupt), open_writer(form) as put:
        put(ARTICLES[0], None)
        raise KeyboardInterrupt
    out = capsys.readouterr().out
    if form == "json":
        with pytest.raises(json.JSONDecodeError):
            json.loads(out)
    else:
        assert out == ""


def test_json_means_lines(capsys: Capture) -> None:
    """--json alone or with --format jsonl; with another format it is wrong use."""
    assert choose(None, as_json=False) == "text"
    assert choose(None, as_json=True) == choose("jsonl", as_json=True) == "jsonl"
    assert choose("html", as_json=False) == "html"
    with pytest.raises(typer.Exit) as ended:
        choose("csv", as_json=True)
    assert ended.value.exit_code == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("form", ["json", "markdown", "html"])
def test_formats_with_an_end_are_wrong_where_there_is_none(capsys: Capture, form: Format) -> None:
    """One line names those that can be had."""
    with pytest.raises(typer.Exit) as ended:
        choose_endless(form, as_json=False)
    assert ended.value.exit_code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert all(name in error for name in (form, *ENDLESS))
