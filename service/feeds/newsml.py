"""NewsML-G2 of the IPTC: news items alone or in a message, with XHTML, NITF or plain text inside.

Names and places of the elements: the NewsML-G2 Guidelines of the IPTC. Where a document says a
thing in several ways, the one that a reader would see is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

from lxml.etree import QName, cleanup_namespaces, tostring

from service.feeds.items import FeedError, Item, text_fields, web_address
from service.feeds.markup import local_name
from service.feeds.nitf import nitf_text

_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_USABLE: Final = "usable"


def read_newsml(root: Any) -> Iterator[Item]:
    """Read the news items of a document.

    Packages and other kinds of items in a message describe news items, and are none.

    Raises:
        FeedError: there is no news item in the message.
    """
    if local_name(root) == "newsItem":
        yield _item(root)
        return
    items = root.findall("{*}itemSet/{*}newsItem")
    if not items:
        raise FeedError("a NewsML-G2 message without news items")
    for item in items:
        yield _item(item)


def _item(item: Any) -> Item:
    language = item.find("{*}contentMeta/{*}language")
    return Item(
        guid=item.get("guid"),
        title=_first(item, "contentMeta/headline", "itemMeta/title"),
        url=_address(item),
        published_at=_first(
            item, "itemMeta/versionCreated", "itemMeta/firstCreated", "contentMeta/contentCreated"
        ),
        publisher=_name(item, "itemMeta/provider"),
        language=item.get(_LANGUAGE) if language is None else language.get("tag"),
        author=_first(item, "contentMeta/by") or _name(item, "contentMeta/creator"),
        withdrawn=_status(item),
        **_text(item),
    )


def _text(item: Any) -> dict[str, str]:
    """The first content that is a text; pictures and links to content are none."""
    for content in item.iterfind("{*}contentSet/*"):
        name, kind = local_name(content), content.get("contenttype", "")
        if name == "inlineXML" and len(content):
            if "nitf" in kind or local_name(content[0]) == "nitf":
                text = nitf_text(content)
                if text:
                    return {"body": text}
            else:
                return {"html": "".join(_markup(child) for child in content)}
        elif name == "inlineData" and (content.text or "").strip():
            return {"html": content.text} if "html" in kind else text_fields(content.text)
    return {}


def _markup(element: Any) -> str:
    """An element as HTML, whatever namespace its names are in."""
    copied = deepcopy(element)
    for part in copied.iter():
        part.tag = QName(part).localname
    copied.tail = None
    cleanup_namespaces(copied)
    return str(tostring(copied, method="html", encoding="unicode"))


def _first(item: Any, *paths: str) -> str | None:
    """The text of the first of several elements that has one."""
    for path in paths:
        found = item.find("/".join(f"{{*}}{part}" for part in path.split("/")))
        text = "" if found is None else "".join(found.itertext()).strip()
        if text:
            return text
    return None


def _name(item: Any, path: str) -> str | None:
    """Who an element names: in words, else by a literal or the end of a code or an address."""
    named = _first(item, f"{path}/name")
    found = item.find("/".join(f"{{*}}{part}" for part in path.split("/")))
    if named or found is None:
        return named
    code = found.get("qcode", "").rpartition(":")[2]
    return found.get("literal") or code or found.get("uri") or None


def _address(item: Any) -> str | None:
    """Where the article can be read on the web, if a link says so; else the guid if it is one."""
    for link in item.iterfind("{*}itemMeta/{*}link"):
        if link.get("rel", "").endswith(":alternate") and link.get("href"):
            return str(link.get("href"))
    return web_address(item.get("guid"))


def _status(item: Any) -> str | None:
    """What the item says of its use, if it is not to be used."""
    found = item.find("{*}itemMeta/{*}pubStatus")
    code = "" if found is None else found.get("qcode") or found.get("uri") or ""
    status = code.replace("/", ":").rpartition(":")[2]
    return status if status and status != _USABLE else None
