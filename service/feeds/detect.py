"""Tells by its content what a file is, and reads the formats of newsrooms.

A file's ending decides nothing here: feeds are saved under all sorts of names.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any, Final

from service.feeds.items import FeedError, Item
from service.feeds.jsonld import is_jsonld, read_jsonld
from service.feeds.markup import local_name, parse_xml
from service.feeds.newsml import read_newsml
from service.feeds.ninjs import is_ninjs, read_ninjs
from service.feeds.rss import read_rss

_READERS: Final = {
    "rss": read_rss,
    "feed": read_rss,
    "RDF": read_rss,
    "newsItem": read_newsml,
    "newsMessage": read_newsml,
}
_PAGES: Final = frozenset({"html", "head", "body", "article", "div", "p"})
_START: Final = 64 * 1024
# What may stand before the first element. Nothing in here is tried twice (the quantifiers are
# possessive), or a thousand comments would take for ever.
_FIRST_TAG: Final = re.compile(
    r"(?:\s++|<\?(?>.*?\?>)|<!--(?>.*?-->)|(?P<doctype><!doctype\s+[^>\[]*+(?:\[(?>.*?\]))?\s*+>))*+"
    r"<(?:[A-Za-z_][\w.-]*+:)?(?P<name>[A-Za-z_][\w.-]*+)",
    re.IGNORECASE | re.DOTALL,
)
_PAGE_TYPE: Final = re.compile(r"<!doctype\s+html\b", re.IGNORECASE)


def is_xml_feed(content: bytes) -> bool:
    """Whether the first element is one of the XML formats'."""
    return _first_element(content) in _READERS


def is_page(content: bytes) -> bool:
    """Whether the content begins like an HTML page, or a piece of one."""
    start = _start(content)
    return _PAGE_TYPE.match(start.lstrip()) is not None or _first_element(content).lower() in _PAGES


def read_xml(content: bytes) -> Iterator[Item]:
    """Read an XML format.

    Raises:
        FeedError: it is not well-formed, hostile, empty, or of none of the formats.
    """
    root = parse_xml(content)
    name = local_name(root)
    if name not in _READERS:
        raise FeedError(f"XML of an unknown kind (<{name}>): RSS, Atom and NewsML-G2 are read")
    yield from _some(_READERS[name](root), name)


def is_json_feed(value: Any) -> bool:
    """Whether a JSON value is JSON-LD or ninjs, and not an article of our own."""
    if isinstance(value, dict):
        if not value.keys().isdisjoint({"body", "html"}):
            return False
        return is_jsonld(value) or is_ninjs(value)
    return is_jsonld(value)


def read_json(value: Any) -> Iterator[Item]:
    """Read what `is_json_feed` recognised.

    Raises:
        FeedError: there is no article in it.
    """
    if is_jsonld(value):
        yield from _some(read_jsonld(value), "JSON-LD")
    else:
        yield read_ninjs(value)


def _some(items: Iterator[Item], what: str) -> Iterator[Item]:
    count = 0
    for count, item in enumerate(items, 1):  # noqa: B007 - counted for after the loop
        yield item
    if not count:
        raise FeedError(f"no articles in this {what}")


def _first_element(content: bytes) -> str:
    found = _FIRST_TAG.match(_start(content))
    return found["name"] if found else ""


def _start(content: bytes) -> str:
    """The beginning as text, near enough to find an element's name in."""
    head = content[:_START]
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if head.startswith(mark):
            return head.removeprefix(mark).decode(encoding, "replace")
    return head.removeprefix(codecs.BOM_UTF8).decode("latin-1")
