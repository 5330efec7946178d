"""RSS 0.9 to 2.0, RSS 1.0 and Atom, read by feedparser."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from typing import Any, Final

from lxml.etree import tostring

from service.feeds.items import FeedError, Item, has_text, plain, text_fields, timestamp, unescape
from service.feeds.markup import local_name

_ANY: Final = "{*}*"
_NAMES: Final = frozenset({
    *("author", "contributor", "creator", "editor", "email", "managingeditor", "name", "owner"),
    *("publisher", "webmaster"),
})  # fmt: skip
_MAX_NAME: Final = 1000


def read_rss(root: Any) -> Iterator[Item]:
    """Read the items of a feed.

    Args:
        root: the feed's root element, from `markup.parse_xml`.

    Raises:
        FeedError: it is no feed that feedparser knows.
    """
    import feedparser  # noqa: PLC0415 - a tenth of a start's time, and few files are feeds

    _drop_endless_names(root)
    # A stream, because feedparser takes bytes for a file's name, and text for an address to fetch.
    # What it gets is lxml's own writing: well-formed and without a document type.
    stream = io.BytesIO(tostring(root, encoding="utf-8"))
    try:
        found = feedparser.parse(stream, resolve_relative_uris=False, sanitize_html=False)
    except MemoryError:
        raise
    except Exception as error:
        raise FeedError(f"the feed cannot be read: {type(error).__name__}") from error
    if not found.version:
        raise FeedError("the feed is of no version of RSS or Atom")
    for entry in found.entries:
        yield _item(entry, found.feed)


def _drop_endless_names(root: Any) -> None:
    """Empty what names people at a length that no name has.

    In there feedparser looks for addresses of mail, in a time that grows with the square of it.
    """
    for element in root.iter(_ANY):
        if local_name(element).lower() in _NAMES and sum(map(len, element.itertext())) > _MAX_NAME:
            element.clear()


def _item(entry: Any, feed: Any) -> Item:
    origin = entry.get("source") or {}
    return Item(
        guid=entry.get("id"),
        home=feed.get("id") or feed.get("link") or feed.get("title"),
        title=plain(entry.get("title", "")),
        url=entry.get("link"),
        published_at=_time(entry, "published") or _time(entry, "updated"),
        publisher=plain(entry.get("publisher") or origin.get("title") or feed.get("title", "")),
        language=feed.get("language"),
        author=entry.get("author"),
        **_text(entry),
    )


def _text(entry: Any) -> dict[str, str]:
    """The whole text where the feed has it, else the summary."""
    for part in (*entry.get("content", ()), entry.get("summary_detail", {})):
        kind, value = part.get("type", ""), part.get("value", "")
        if kind == "text/plain" and value.strip():
            return {"body": value}
        if "html" in kind and has_text(value):
            # Feeds call everything HTML. What has no marks is plain text with its signs escaped,
            # and its line breaks count.
            fields = text_fields(value)
            return fields if "html" in fields else {"body": unescape(value)}
    return {}


def _time(entry: Any, name: str) -> str | None:
    """A time as the feed has it where that is RFC 3339, else as feedparser understands it."""
    if name not in entry:
        # Asked for what is not there, feedparser warns, and gives one time for another.
        return None
    parsed = entry.get(f"{name}_parsed")
    in_utc = time.strftime("%Y-%m-%dT%H:%M:%SZ", parsed) if parsed else None
    return timestamp(entry[name]) or in_utc
