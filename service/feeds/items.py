"""What a feed says of one article, and the record that it becomes."""

from __future__ import annotations

import hashlib
import html
import json
import re
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from pydantic import TypeAdapter, ValidationError

from service.contracts import Timestamp

_MAX_ID: Final = 512
_TIMESTAMP: Final[TypeAdapter[str]] = TypeAdapter(Timestamp)
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
# Each stops at the next "<", so that none of them takes longer than the text is long.
_TAG: Final = re.compile(r"</?[A-Za-z][^<>]*>|<![^<>]*>")
_NO_CHARACTER: Final = re.compile(r"&#[0-9]{8,}+;?")
_LINK: Final = re.compile(r"<a\b[^<>]*>[^<]*</a>", re.IGNORECASE)


class FeedError(ValueError):
    """The content is none of the formats, or a broken one; the message says why in one line."""


class Item(NamedTuple):
    """What a feed says of one article, as it came.

    Attributes:
        guid: what the publisher knows the article by.
        home: the address of the feed. A guid that is no URI means nothing outside of it.
        body: the text, where it is plain text; ``html`` where it is marked up.
        title, url, published_at, publisher, language: as in the article's contract, unchecked.
        author: not in the contract; it goes along for those who read the articles topic.
        withdrawn: how the publisher says that the article must not be used, where he does.
    """

    guid: str | None = None
    home: str | None = None
    body: str | None = None
    html: str | None = None
    title: str | None = None
    url: str | None = None
    published_at: str | None = None
    publisher: str | None = None
    language: str | None = None
    author: str | None = None
    withdrawn: str | None = None


def record_of(item: Item, article_id: str | None = None) -> tuple[bytes, str | None]:
    """Make an article's JSON of an item.

    Args:
        item: what a feed says.
        article_id: the article's id, where it is not the item's own to say.

    Returns:
        The JSON, and why it is not to be published, if so.
    """
    fields = {
        "id": article_id or _identify(item),
        "title": _line(item.title),
        "url": web_address(item.url),
        "published_at": timestamp(item.published_at),
        "publisher": _line(item.publisher),
        "language": _line(item.language),
        "author": _line(item.author),
        "body": item.body,
        "html": item.html,
    }
    value = json.dumps({k: v for k, v in fields.items() if v is not None}, ensure_ascii=False)
    fault = None
    if item.withdrawn:
        fault = f"withdrawn by its publisher: {item.withdrawn}"
    elif not ((item.body or "").strip() or has_text(item.html or "")):
        fault = f"no text, only a link: {fields['url']}" if fields["url"] else "no text"
    # JSON may hold half a character; decoding then says so, as for any record.
    return value.encode("utf-8", "surrogatepass"), fault


def text_fields(value: str) -> dict[str, str]:
    """Tell marked up text from plain text, where nothing else does.

    Returns:
        ``html`` or ``body``, as an item has them.
    """
    return {"html" if _TAG.search(value) else "body": value}


def has_text(markup: str) -> bool:
    """Whether there are words in a piece of HTML besides those that are links."""
    return re.search(r"\w", plain(_LINK.sub(" ", markup))) is not None


def plain(markup: str) -> str:
    """The words of a piece of HTML in one line, for titles and names."""
    return " ".join(unescape(_TAG.sub("", markup)).split())


def unescape(markup: str) -> str:
    """Read the entities of a piece of HTML.

    Python's own refuses numbers of more than 4300 digits, and no character has one of eight.
    """
    return html.unescape(_NO_CHARACTER.sub("\ufffd", markup))


def timestamp(value: str | None) -> str | None:
    """A date or a time as RFC 3339, from that or from ISO 8601.

    A time that does not say where it is told becomes its date; what is neither becomes None.
    """
    value = (value or "").strip()
    try:
        return _TIMESTAMP.validate_python(value)
    except ValidationError:
        pass
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    offset = time.utcoffset()
    # RFC 3339 has no seconds in an offset, and ISO 8601 has.
    is_told = offset is not None and not offset % timedelta(minutes=1)
    return time.isoformat() if is_told else time.date().isoformat()


def text_of(value: Any) -> str | None:
    """A JSON value if it is a text with something in it."""
    return value if isinstance(value, str) and value.strip() else None


def web_address(value: str | None) -> str | None:
    """The value if it is an address that a browser may go to."""
    value = (value or "").strip()
    return value if value.lower().startswith(("https://", "http://")) else None


def is_uri(value: str | None) -> bool:
    """Whether a name has the form of an absolute URI."""
    return value is not None and _URI.fullmatch(value.strip()) is not None


def _identify(item: Item) -> str:
    """The same id whenever the article comes: its guid, its address, else a digest of it."""
    guid = (item.guid or "").strip()
    if guid and item.home and not is_uri(guid):
        guid = f"{item.home.strip()}#{guid}"
    name = guid or (item.url or "").strip()
    if name and len(name) <= _MAX_ID:
        return name
    said = (item.publisher, item.published_at, item.title, item.body, item.html)
    digest = hashlib.sha256((name or json.dumps(said)).encode("utf-8", "surrogatepass"))
    return f"sha256:{digest.hexdigest()}"


def _line(value: str | None) -> str | None:
    return " ".join((value or "").split()) or None
