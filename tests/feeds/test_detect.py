"""What a file is, is told by its content; broken files give one clear error."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.decoding import DecodeError, decode
from service.feeds.detect import is_page, is_xml_feed, read_xml
from service.feeds.items import FeedError
from service.files import STDIN, FileError, Record, read_records
from service.pipeline import label_article
from tests.feeds.samples import FOLDER, sample
from tests.labellers import RuleLabeller

COUNTS = {
    "article.jsonld": (1, 0),
    "council.atom": (2, 0),
    "graph.json": (1, 1),
    "harbour.rss": (2, 1),
    "message.xml": (2, 2),
    "ninjs1.json": (1, 0),
    "ninjs2.json": (1, 1),
    "nitf.xml": (1, 0),
    "page.html": (1, 0),
}
FEEDS = sorted(set(COUNTS) - {"page.html"})


def counts(records: list[Record]) -> tuple[int, int]:
    """How many articles there are, all of which can be labelled, and how many faults."""
    good = [decode(record.value) for record in records if record.fault is None]
    assert all(label_article(article, RuleLabeller()).sentences for article in good)
    return len(good), len(records) - len(good)


def test_every_sample_is_counted() -> None:
    """No sample is without its expectation."""
    assert {file.name for file in FOLDER.iterdir()} == set(COUNTS)


@pytest.mark.parametrize("name", FEEDS)
@pytest.mark.parametrize("ending", ["", ".txt", ".json", ".html", ".xml", ".dat"])
def test_the_content_tells(name: str, ending: str, tmp_path: Path) -> None:
    """Whatever a feed's file is called, the same articles and faults are found."""
    path = tmp_path / f"feed{ending}"
    path.write_bytes(sample(name))
    assert counts(list(read_records(path))) == COUNTS[name]


@pytest.mark.parametrize("name", COUNTS)
def test_every_sample_is_read(name: str) -> None:
    """Each gives the articles and the faults that it holds."""
    assert counts(list(read_records(FOLDER / name))) == COUNTS[name]


@pytest.mark.parametrize("name", FEEDS)
def test_the_same_from_standard_input(name: str) -> None:
    """A feed that is piped in gives the same records."""
    piped, read = list(read_records(STDIN, sample(name))), list(read_records(FOLDER / name))
    assert [record[1:] for record in piped] == [record[1:] for record in read]


def test_ids_are_stable() -> None:
    """Read again, each article has its id, and none has another's."""

    def ids() -> list[str]:
        records = [record for name in FEEDS for record in read_records(FOLDER / name)]
        return [json.loads(record.value)["id"] for record in records]

    assert ids() == ids()
    assert len(set(ids())) == len(ids())


def test_feeds_in_json_lines(tmp_path: Path) -> None:
    """A line may be a ninjs item or JSON-LD; what is neither is passed on to the byte."""
    own = b'{"id": "a", "uri": "x",  "body": "It rained."}'
    lines = [own, sample("ninjs1.json"), sample("graph.json"), b'{"@context": "x"}', b'"uri"']
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(line.replace(b"\n", b" ") for line in lines))
    records = list(read_records(path))
    assert records[0].value == own
    assert [record.origin.partition(", ")[2] for record in records] == [
        *("line 1", "line 2", "line 3, item 1", "line 3, item 2", "line 4", "line 5"),
    ]
    assert json.loads(records[1].value)["id"] == "http://ninjs.example/items/4410"
    assert records[4].fault == "no articles in this JSON-LD"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.xml", "<rss version='2.0'><channel>", "not well-formed XML"),
        ("a.xml", "<sitemap/>", "XML of an unknown kind (<sitemap>)"),
        ("a.rss", "It rained.", "not well-formed XML"),
        ("a.xml", "<rss version='2.0'><channel/></rss>", "no articles in this rss"),
        ("a.json", '{"@context": "https://schema.org", "@type": "Person"}', "no articles in this"),
        ("a.txt", "<rss><channel><title>&nbsp;</title></channel></rss>", "not well-formed XML"),
    ],
)
def test_broken_feeds_name_the_file(name: str, content: str, reason: str, tmp_path: Path) -> None:
    """One line says which file it is, and what is wrong with it."""
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(FileError) as caught:
        list(read_records(path))
    assert str(caught.value).startswith(f"{path}: {reason}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["harbour.rss", "council.atom", "nitf.xml", "message.xml"])
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_truncated_xml_is_refused(name: str, data: st.DataObject) -> None:
    """A feed that was cut off anywhere gives the one error, and no part of itself."""
    whole = sample(name).rstrip()
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(FeedError, match="not well-formed"):
        list(read_xml(cut))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(COUNTS)), st.data())
def test_damaged_feeds_are_read_or_told(name: str, data: st.DataObject) -> None:
    """Cut, and with bytes changed, a file gives records, or one line says why not."""
    content = bytearray(sample(name))
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(len(content) // 2, len(content)))
    told = []
    try:
        for record in read_records(STDIN, bytes(content[:cut])):
            told.append(record.fault)
            if record.fault is None:
                decode(record.value)
    except (FileError, DecodeError) as error:
        told.append(str(error))
    assert told
    assert all(fault is None or (fault and "\n" not in fault) for fault in told)


@settings(deadline=None)
@given(st.binary(max_size=300))
@example(b"[" * 200_000)
@example(b'{"a":' * 200_000)
@example(b"<" * 1000)
def test_any_bytes_are_read_or_told(content: bytes) -> None:
    """Rubbish is text, or refused in one line."""
    try:
        for record in read_records(STDIN, content):
            decode(record.value)
    except (FileError, DecodeError) as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    "start",
    [
        b"<!---->" * 5000,
        b"<?a?>" * 5000,
        b"<!-- " * 5000,
        b"<!doctype a [" * 5000,
        b"<!doctype x>" * 5000,
        b" " * 60_000,
    ],
)
def test_many_comments_take_no_time(start: bytes) -> None:
    """However a file begins, what it is is known in a moment."""
    started = time.process_time()
    assert not is_xml_feed(start + b"x")
    assert not is_page(start + b"x")
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("content", "feed", "page"),
    [
        ("<rss>", True, False),
        ("\ufeff<?xml version='1.0'?>\n<!-- a > b --><a:feed xmlns:a='x'>", True, False),
        ("<!DOCTYPE rss [<!ENTITY a 'b'>]><rss>", True, False),
        ("<!DOCTYPE html SYSTEM 'about:legacy-compat'>\n<x>", False, True),
        ("<!-- saved --><HTML>", False, True),
        ("<div>", False, True),
        ("< 3 people", False, False),
        ("<rssx>", False, False),
        ("", False, False),
    ],
)
def test_how_a_file_begins(content: str, *, feed: bool, page: bool) -> None:
    """The first element counts, whatever stands before it."""
    assert is_xml_feed(content.encode()) is feed
    assert is_page(content.encode()) is page
