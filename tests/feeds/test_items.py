"""What a feed says of an article becomes a record with an id of its own."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.decoding import DecodeError, decode
from service.feeds.items import Item, has_text, plain, record_of, timestamp
from tests.feeds.samples import fault, fields

WORDS = st.none() | st.text(max_size=30) | st.text("a:/ ", max_size=700)


@settings(deadline=None)
@given(st.builds(Item, **dict.fromkeys(Item._fields, WORDS)))
def test_any_item_is_an_article_or_told(item: Item) -> None:
    """Whatever a feed says, the record decodes, with an id of fit length, or has a fault."""
    value, why = record_of(item)
    assert (value, why) == record_of(item)
    if why is None:
        article = decode(value)
        assert 1 <= len(article.id) <= 512
        assert article.body or article.html
        assert article.url is None or article.url.lower().startswith("http")


def test_ids_are_the_publishers_own() -> None:
    """The guid, else the address; a guid that is no URI is told apart by its feed."""
    home = "https://a.example/"
    assert fields(Item(guid=" urn:x:1 ", home=home))["id"] == "urn:x:1"
    assert fields(Item(guid="4711", home=home))["id"] == "https://a.example/#4711"
    assert fields(Item(guid="4711"))["id"] == "4711"
    assert fields(Item(url="https://a.example/1", home=home))["id"] == "https://a.example/1"


def test_ids_of_the_nameless_and_the_too_long() -> None:
    """A digest: of the name where it is too long, else of title, text and time."""
    long, nameless = Item(guid="urn:" + "x" * 600, body="a"), Item(title="T", body="a")
    assert fields(long)["id"] == fields(long._replace(body="b"))["id"]
    assert fields(nameless)["id"] == fields(nameless._replace(author="A"))["id"]
    assert fields(nameless)["id"] != fields(nameless._replace(body="b"))["id"]
    assert all(len(fields(item)["id"]) == len("sha256:") + 64 for item in (long, nameless))


def test_no_text_is_told_with_the_link() -> None:
    """An item that leads elsewhere says where to; one with nothing says so."""
    assert fault(Item(body=" \n", url="https://a.example/1")) == (
        "no text, only a link: https://a.example/1"
    )
    assert fault(Item(html="<p>&nbsp;</p>")) == "no text"
    assert fault(Item(body="Text.", withdrawn="canceled")) == "withdrawn by its publisher: canceled"
    assert fault(Item(body="Text.")) is None


@pytest.mark.parametrize(
    ("given_as", "wanted"),
    [
        ("2026-11-24T08:00:00Z", "2026-11-24T08:00:00Z"),
        ("2026-11-24", "2026-11-24"),
        (" 2026-11-24T08:00:00.5+01:00 ", "2026-11-24T08:00:00.5+01:00"),
        ("20261124T080000+0100", "2026-11-24T08:00:00+01:00"),
        ("2026-11-24T08:00+01:00", "2026-11-24T08:00:00+01:00"),
        ("2026-11-24T08:00:00", "2026-11-24"),
        ("2026-02-30", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_times(given_as: str | None, wanted: str | None) -> None:
    """RFC 3339 stays as it came; ISO 8601 becomes that; a time of no zone is a day."""
    assert timestamp(given_as) == wanted


@pytest.mark.parametrize(
    ("markup", "has"),
    [
        ("<p>Rain.</p>", True),
        ("Rain", True),
        ("<a href='x'>Read on</a> <img alt='Rain'>", False),
        ("<a href='x'>Read on</a> about rain", True),
        ("&nbsp;<br>–", False),
    ],
)
def test_links_and_pictures_are_no_text(markup: str, *, has: bool) -> None:
    """Words count that are not a link's alone."""
    assert has_text(markup) is has


def test_titles_lose_their_marks() -> None:
    """Tags go, entities are read once, and what is no tag stays."""
    assert plain("A <em>b</em>\n AT&amp;T 1 < 2 > 0 <b") == "A b AT&T 1 < 2 > 0 <b"


def test_half_a_character_is_refused_as_in_any_record() -> None:
    """A lone surrogate, which JSON can hold, is told when the record is decoded."""
    value, _ = record_of(Item(guid="\ud800", body="a"))
    with pytest.raises(DecodeError, match="not UTF-8"):
        decode(value)


@pytest.mark.parametrize("piece", ["<", "<a ", "<a>", "<!", "&", "<a><b>"])
def test_hostile_markup_takes_no_time(piece: str) -> None:
    """A megabyte of what could be the beginning of a tag is looked through in a moment."""
    started = time.process_time()
    record_of(Item(html=piece * (1_000_000 // len(piece)), title="t"))
    plain(piece * (1_000_000 // len(piece)))
    assert time.process_time() - started < 10


def test_the_author_goes_along() -> None:
    """The contract has no author: it is a field for others, and no fault."""
    value, why = record_of(Item(guid="urn:x:1", body="Text.", author=" Rosa\n Lind "))
    assert json.loads(value)["author"] == "Rosa Lind"
    assert why is None
    assert decode(value).id == "urn:x:1"


@pytest.mark.parametrize(
    ("told", "time_"),
    [
        ("2024-01-01T00:00:00+00:00:30", "2024-01-01"),
        ("2024-01-01T00:00:00+05:30", "2024-01-01T00:00:00+05:30"),
    ],
)
def test_an_offset_of_seconds_is_none(told: str, time_: str) -> None:
    """ISO 8601 has them and RFC 3339 has not: such a time becomes its date."""
    assert timestamp(told) == time_


def test_numbers_of_no_character() -> None:
    """However many digits a character's number has, a title is read."""
    assert (
        plain(f"Rain &#{'9' * 5000}; came &#8212; at last &#x41;") == "Rain \ufffd came — at last A"
    )
