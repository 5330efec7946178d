"""Articles are read from files as the records a producer would send."""

import json
from pathlib import Path

import pytest

from service.decoding import DecodeError, decode
from service.files import STDIN, FileError, count_records, list_files, read_records
from tests.feeds.samples import FOLDER, sample

ARTICLE = {"id": "a", "body": "It rained.", "desk": 1}


def test_text_and_pages_become_articles(tmp_path: Path) -> None:
    """A text file and an HTML file are named by their stems; line ends stay as they are."""
    (tmp_path / "one.txt").write_bytes("\ufeffHead\r\n“It rained.”".encode())
    (tmp_path / "two.html").write_text("<p>It rained.</p>", encoding="utf-8")
    one, two = (next(read_records(tmp_path / n)) for n in ("one.txt", "two.html"))
    assert json.loads(one.value) == {"id": "one", "body": "Head\r\n“It rained.”"}
    assert json.loads(two.value) == {"id": "two", "html": "<p>It rained.</p>"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps(ARTICLE, indent=2)),
        ("a.json", json.dumps([ARTICLE])),
        ("a.json", json.dumps(ARTICLE) + "\n"),
        ("a.jsonl", "\n" + json.dumps(ARTICLE) + "\n\n"),
    ],
)
def test_json_in_its_forms(tmp_path: Path, name: str, content: str) -> None:
    """An article, a list of articles and an article a line give the same record."""
    (tmp_path / name).write_text(content, encoding="utf-8")
    (record,) = read_records(tmp_path / name)
    assert json.loads(record.value) == ARTICLE


def test_lines_are_told_apart(tmp_path: Path) -> None:
    """Articles come in the order of their lines, and a bad line is passed on with its number."""
    (tmp_path / "a.jsonl").write_text('{"id":"1","body":""}\nrubbish\n{"id":"2","body":""}\n')
    origins = [record.origin.rpartition(", ")[2] for record in read_records(tmp_path / "a.jsonl")]
    assert origins == ["line 1", "line 2", "line 3"]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"It rained.", "body"),
        (b"\xef\xbb\xbf <!DOCTYPE html><html></html>", "html"),
        (b"<p>It rained.</p>", "html"),
        (b"< 3 people", "body"),
        (b'{"id":"x","body":"It rained."}', "body"),
        (b"", "body"),
    ],
)
def test_standard_input_is_told_by_its_start(content: bytes, field: str) -> None:
    """JSON, a page and plain text are recognised."""
    (record,) = read_records(STDIN, content)
    article = decode(record.value)
    assert article is not None
    assert getattr(article, field) is not None


def test_folders_give_their_article_files(tmp_path: Path) -> None:
    """Files directly inside, by name; other kinds and subfolders are left alone."""
    for name in ("b.json", "a.txt", "c.png"):
        (tmp_path / name).touch()
    (tmp_path / "gold").mkdir()
    assert [p.name for p in list_files([tmp_path])] == ["a.txt", "b.json"]


def test_what_cannot_be_read_is_one_clear_error(tmp_path: Path) -> None:
    """Missing paths, folders without articles and text that is not UTF-8 are named."""
    (tmp_path / "bad.txt").write_bytes(b"\xff")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match="no such file"):
        list_files([tmp_path / "none"])
    with pytest.raises(FileError, match="no article files"):
        list_files([tmp_path / "empty"])
    with pytest.raises(FileError, match="not UTF-8"):
        next(read_records(tmp_path / "bad.txt"))


@pytest.mark.parametrize("name", ["saved.html", "saved.htm", "saved", "saved.xml"])
def test_a_page_brings_what_it_says_of_itself(tmp_path: Path, name: str) -> None:
    """The article of an HTML file has the page's title, time, publisher and address."""
    path = tmp_path / name
    path.write_bytes(sample("page.html"))
    (record,) = read_records(path)
    article = decode(record.value)
    assert article.id == "saved"
    assert article.html == sample("page.html").decode()
    assert article.title == "Orchard saved"
    assert article.published_at == "2026-11-22T19:45:00Z"
    assert article.publisher == "Valley News Ltd"
    assert article.url == "https://valley.example/orchard"


def test_a_record_that_brings_html_stays_as_it_came(tmp_path: Path) -> None:
    """An article's JSON is the producer's: nothing is added from the page in it."""
    given = json.dumps({"id": "a", "html": sample("page.html").decode()}).encode()
    (tmp_path / "a.json").write_bytes(given)
    (record,) = read_records(tmp_path / "a.json")
    assert record.value == given


def test_a_text_may_begin_with_anything(tmp_path: Path) -> None:
    """Brackets, braces and tags make no feed of a text file."""
    for text in (
        "[Reuters] It rained.",
        "{sic} It rained.",
        "<p> is a tag.",
        "12",
        '"No," he said.',
    ):
        (tmp_path / "a.txt").write_text(text, encoding="utf-8")
        (record,) = read_records(tmp_path / "a.txt")
        assert json.loads(record.value) == {"id": "a", "body": text}


def test_json_that_is_nested_without_end_is_no_article(tmp_path: Path) -> None:
    """It is passed on, to be refused by the decoder like any record."""
    (tmp_path / "a.json").write_text("[" * 100_000)
    (record,) = read_records(tmp_path / "a.json")
    with pytest.raises(DecodeError):
        decode(record.value)


def test_large_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read whole is bounded; lines are not."""
    monkeypatch.setattr("service.files._MAX_BYTES", 100)
    for name in ("a.txt", "a.jsonl"):
        (tmp_path / name).write_text(f'{{"id": "a", "body": "{"x" * 100}"}}')
    with pytest.raises(FileError, match=r"a\.txt: more than"):
        list(read_records(tmp_path / "a.txt"))
    assert len(list(read_records(tmp_path / "a.jsonl"))) == 1


def test_articles_are_counted_before_they_are_read(tmp_path: Path) -> None:
    """As many as the files give, with feeds and lines; what cannot be read counts nothing."""
    (tmp_path / "a.jsonl").write_text('{"id":"1","body":""}\n\nrubbish\n')
    (tmp_path / "b.xml").write_text("<rss>")
    (tmp_path / "c.txt").write_text("It rained.")
    files = list_files([tmp_path, FOLDER])
    assert count_records([STDIN], sample("harbour.rss")) == 3
    assert count_records(files) == 3 + sum(len(list(read_records(f))) for f in list_files([FOLDER]))
