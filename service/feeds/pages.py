"""What an HTML page says about its article: title, date, publisher and address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from service.extraction import Extracted, ExtractionError, extract, parse_page
from service.feeds.items import Item, timestamp
from service.feeds.jsonld import read_jsonld


def read_page(page: str) -> Item:
    """Read a page: its HTML, and what it says of itself; nothing of that where it is unfit to read.

    Trafilatura finds title, date and author; the page's own JSON-LD, where it has some, gives the
    time of the day, the publisher, and what trafilatura did not find.
    """
    try:
        found, tree = extract(page), parse_page(page)
    except ExtractionError:
        # The page is passed on as it is: labelling it tells what is wrong, in its own words.
        return Item(html=page)
    data = next(_articles(tree), Item())
    return Item(
        html=page,
        title=found.title or data.title,
        url=data.url or _content(tree, "//link[@rel='canonical']/@href"),
        published_at=_time(found, data),
        publisher=data.publisher or _content(tree, "//meta[@property='og:site_name']/@content"),
        author=found.author or data.author,
    )


def _time(found: Extracted, data: Item) -> str | None:
    """The time in the page's data if it is one, else the day that trafilatura found."""
    day, told = found.published_at, timestamp(data.published_at)
    return told if day is None or (told is not None and len(told) > len(day)) else day


def _articles(tree: Any) -> Iterator[Item]:
    """The articles in the page's JSON-LD; what is broken there is as good as absent."""
    for script in tree.iterfind(".//script[@type='application/ld+json']"):
        try:
            yield from read_jsonld(json.loads(script.text or ""))
        except (ValueError, RecursionError):
            continue


def _content(tree: Any, path: str) -> str | None:
    return next((str(value) for value in tree.xpath(path) if value.strip()), None)
