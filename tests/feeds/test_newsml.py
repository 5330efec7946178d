"""NewsML-G2: news items alone and in messages, with XHTML, NITF and plain text."""

import pytest

from service.feeds.items import FeedError, Item
from service.feeds.markup import parse_xml
from service.feeds.newsml import read_newsml
from tests.feeds.samples import fault, fields, xml

NAMESPACE = "http://iptc.org/std/nar/2006-10-01/"


def news_item(inside: str) -> Item:
    """Read a news item."""
    (item,) = read_newsml(
        parse_xml(f"<newsItem xmlns='{NAMESPACE}' guid='urn:x:1'>{inside}</newsItem>".encode())
    )
    return item


def test_an_item_with_nitf() -> None:
    """What the item says of itself, and its text a paragraph a block, without the caption."""
    (item,) = read_newsml(xml("nitf.xml"))
    assert fields(item) == {
        "id": "urn:newsml:wire.example:20261124:quake",
        "title": "Quake shakes island, nobody hurt",
        "url": "https://wire.example/quake",
        "published_at": "2026-11-24T06:20:00+00:00",
        "publisher": "Example Wire",
        "language": "en",
        "author": "Ilse Noor",
        "body": "An earthquake of magnitude 5.1 shook Sandoy on Tuesday, "
        "the Seismic Institute said.\n\nNo damage\n\nNo one was hurt.\nSchools stayed open."
        "\n\nDepth: 9 km.\n\nFelt for 12 seconds.",
    }


def test_a_message() -> None:
    """XHTML and plain text are articles; pictures and withdrawn items are told, packages not."""
    rates, photo, kill, brief = read_newsml(xml("message.xml"))
    found = fields(rates)
    assert found.pop("html").startswith("<html><head><title>Rates</title></head>")
    assert found == {
        "id": "https://wire.example/id/rates",
        "title": "Rates held at Rønne bank",
        "url": "https://wire.example/id/rates",
        "published_at": "2026-11-24T06:45:00Z",
        "publisher": "wire",
        "language": "en",
        "author": "Per Dahl",
    }
    assert fault(photo) == "no text"
    assert fault(kill) == "withdrawn by its publisher: canceled"
    assert fields(brief) == {
        "id": "urn:newsml:wire.example:20261124:brief",
        "published_at": "2026-11-24",
        "publisher": "https://wire.example/about",
        "body": "The minister resigned on Tuesday.",
    }


@pytest.mark.parametrize(
    ("status", "withdrawn"),
    [
        ("<pubStatus qcode='stat:usable'/>", None),
        ("<pubStatus uri='http://cv.iptc.org/newscodes/pubstatusg2/usable'/>", None),
        ("<pubStatus uri='http://cv.iptc.org/newscodes/pubstatusg2/withheld'/>", "withheld"),
        ("<pubStatus/>", None),
    ],
)
def test_how_an_item_may_be_used(status: str, withdrawn: str | None) -> None:
    """The status is told by a code or an address; none means usable."""
    assert news_item(f"<itemMeta>{status}</itemMeta>").withdrawn == withdrawn


@pytest.mark.parametrize("namespace", ["", " xmlns='http://www.w3.org/1999/xhtml'"])
def test_xhtml_in_whatever_namespace(namespace: str) -> None:
    """Many forget the namespace; entities and line breaks come out as HTML writes them."""
    page = f"<html{namespace}><body><p>R&amp;D<br/>grew.</p></body></html>"
    inline = f"<inlineXML contenttype='application/xhtml+xml'>{page}</inlineXML>"
    item = news_item(f"<contentSet>{inline}</contentSet>")
    assert item.html == "<html><body><p>R&amp;D<br>grew.</p></body></html>"


def test_the_first_content_that_is_a_text() -> None:
    """What is empty or lies elsewhere is passed over."""
    contents = (
        "<remoteContent href='x'/><inlineXML contenttype='application/nitf+xml'>\n</inlineXML>"
        "<inlineXML><nitf><body><body.content/></body></nitf></inlineXML><inlineData> </inlineData>"
        "<inlineData contenttype='text/html'>&lt;p&gt;It rained.&lt;/p&gt;</inlineData>"
    )
    item = news_item(f"<contentSet>{contents}</contentSet>")
    assert (item.body, item.html) == (None, "<p>It rained.</p>")


def test_a_message_without_news_items() -> None:
    """A message of packages only is told."""
    message = f"<newsMessage xmlns='{NAMESPACE}'><itemSet><packageItem/></itemSet></newsMessage>"
    with pytest.raises(FeedError, match="without news items"):
        list(read_newsml(parse_xml(message.encode())))
