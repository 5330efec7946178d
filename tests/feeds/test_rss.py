"""RSS and Atom: what each item says becomes an article."""

import socket
import time
from typing import Any

import feedparser
import pytest

from service.feeds.items import FeedError, Item
from service.feeds.markup import parse_xml
from service.feeds.rss import read_rss
from tests.feeds.samples import fault, fields, xml


def items(document: str) -> list[Item]:
    """Read a feed."""
    return list(read_rss(parse_xml(document.encode())))


def rss(item: str, channel: str = "<title>T</title>") -> Item:
    """Read the only item of an RSS feed."""
    (found,) = items(f"<rss version='2.0'><channel>{channel}<item>{item}</item></channel></rss>")
    return found


def test_an_rss_feed() -> None:
    """Full text before summary; title, link, time, author and the feed's title come along."""
    pier, fares, pictures = read_rss(xml("harbour.rss"))
    found = fields(pier)
    assert found.pop("html").count("<p>") == 2
    assert found == {
        "id": "https://courier.example/?p=8801",
        "title": "Pier closed after cracks",
        "url": "https://courier.example/2026/pier-closed",
        "published_at": "2026-11-24T06:15:00Z",
        "publisher": "Nordhaven Courier & Post",
        "language": "en-gb",
        "author": "Rosa Lind",
    }
    assert fields(fares)["id"] == "https://courier.example/#8802"
    assert fields(fares)["body"] == (
        "Fares rise by 4% in January, R&K Lines said.\n\nThe last rise was in 2023."
    )
    assert fault(pictures) == "no text, only a link: https://courier.example/2026/pictures"


def test_an_atom_feed() -> None:
    """XHTML is marked up text, text is plain; RFC 3339 times stay as they came."""
    budget, note = read_rss(xml("council.atom"))
    assert fields(budget) == {
        "id": "tag:councilwatch.example,2026:budget",
        "title": "Budget & baths",
        "url": "https://councilwatch.example/budget",
        "published_at": "2026-11-24T08:00:00+01:00",
        "publisher": "Council Watch",
        "language": "en",
        "author": "Tom Ek",
        "html": "<p>The council voted 14 to 9 to keep the swimming baths open until June.</p>"
        "<p>The mayor claimed that nobody would lose a job.</p>",
    }
    assert fields(note) == {
        "id": "tag:councilwatch.example,2026:note",
        "title": "Short note",
        "published_at": "2026-11-23T10:00:00Z",
        "publisher": "Council Watch",
        "language": "en",
        "body": "The library opens at nine. Its staff want <two> more rooms.",
    }


def test_rss_1() -> None:
    """Items that stand beside the channel, with Dublin Core."""
    (item,) = items(
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "
        "xmlns='http://purl.org/rss/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'>"
        "<channel rdf:about='https://a.example/'><title>A</title></channel>"
        "<item rdf:about='https://a.example/1'><title>One</title><link>https://a.example/1</link>"
        "<dc:date>2026-11-24T08:00:00+01:00</dc:date><dc:publisher>Desk</dc:publisher>"
        "<description>It rained.</description></item></rdf:RDF>"
    )
    assert fields(item) == {
        "id": "https://a.example/1",
        "title": "One",
        "url": "https://a.example/1",
        "published_at": "2026-11-24T08:00:00+01:00",
        "publisher": "Desk",
        "body": "It rained.",
    }


def test_an_item_of_another_feed_keeps_its_publisher() -> None:
    """What was taken over from elsewhere is not this feed's."""
    item = rss("<description>It rained.</description><source url='https://b.example/'>B</source>")
    assert item.publisher == "B"


@pytest.mark.parametrize(
    ("pub_date", "wanted"),
    [
        ("Tue, 24 Nov 2026 08:00:00 EST", "2026-11-24T13:00:00Z"),
        ("24 Nov 26 08:00 GMT", "2026-11-24T08:00:00Z"),
        ("soon", None),
    ],
)
def test_dates_as_feeds_write_them(pub_date: str, wanted: str | None) -> None:
    """Times become UTC; what is no time is left out."""
    assert rss(f"<pubDate>{pub_date}</pubDate>").published_at == wanted


def test_markup_is_passed_on_whole() -> None:
    """Nothing is cleaned and no address completed: extraction looks for the text."""
    item = rss("<description>&lt;p class='x' onclick='y'&gt;It &lt;a href='/1'&gt;rained"
               "&lt;/a&gt; hard.&lt;/p&gt;</description>")  # fmt: skip
    assert item.html == "<p class='x' onclick='y'>It <a href='/1'>rained</a> hard.</p>"


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses in a feed, wherever they stand, are left alone."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    channel = "<title>T</title><link>http://127.0.0.1:9/</link><image><url>http://127.0.0.1:9/i</url></image>"
    rss(
        "<enclosure url='http://127.0.0.1:9/e'/><description>http://127.0.0.1:9/</description>",
        channel,
    )


def test_no_feed_at_all() -> None:
    """RDF that is about something else is told."""
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    with pytest.raises(FeedError, match="no version"):
        items(f"<r:RDF xmlns:r='{rdf}' xmlns:f='http://xmlns.com/foaf/0.1/'><f:Person/></r:RDF>")


def test_a_failure_of_the_library_is_the_feeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever feedparser fails with, the feed is refused; only a lack of memory goes on up."""

    def failing(error: type[Exception]) -> Any:
        def fail(*_: object, **__: object) -> None:
            raise error

        return fail

    monkeypatch.setattr(feedparser, "parse", failing(LookupError))
    with pytest.raises(FeedError, match="LookupError"):
        items("<rss/>")
    monkeypatch.setattr(feedparser, "parse", failing(MemoryError))
    with pytest.raises(MemoryError):
        items("<rss/>")


@pytest.mark.parametrize("tag", ["author", "dc:creator", "dc:publisher", "itunes:author"])
@pytest.mark.parametrize("piece", ["1", "a.", "a@", "("])
def test_endless_names_take_no_time(tag: str, piece: str) -> None:
    """A name of a hundred thousand letters is no name, and is not looked at for long."""
    channel = f"<title>T</title><webMaster>{piece * 100_000}</webMaster>"
    spaces = (
        "xmlns:dc='http://purl.org/dc/elements/1.1/' "
        "xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'"
    )
    started = time.process_time()
    item = rss(
        f"<{tag} {spaces}>{piece * 100_000}</{tag}><description>It rained.</description>", channel
    )
    assert time.process_time() - started < 5
    assert not item.author
    assert (item.publisher, item.body) == ("T", "It rained.")
