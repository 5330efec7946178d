"""News articles of schema.org in JSON-LD: standing alone, in a list, or in a graph.

This is no JSON-LD processor: contexts are not read (they would have to be fetched). Names count by
their last part, so that ``headline``, ``schema:headline`` and its whole address are the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from service.feeds.items import Item, is_uri, plain, text_fields, text_of

# Besides these, all types whose names end like an article's.
_ARTICLES: Final = frozenset({"BlogPosting", "LiveBlogPosting", "Report"})
# Where a document keeps its articles. What an article refers to is not looked at.
_HOLDERS: Final = ("@graph", "mainEntity", "itemListElement", "item")
_MAX_DEPTH: Final = 20
_MAX_WORDS_DEPTH: Final = 6  # a list of objects with a name that is a list of objects, and back

_MAX_NAME: Final = 1000

Node = Mapping[str, Any]
Names = Mapping[str, str]  # by the node's @id


def is_jsonld(value: Any) -> bool:
    """Whether a JSON value is JSON-LD: an object that says so, or a list of such."""
    if isinstance(value, list):
        return bool(value) and isinstance(value[0], dict) and is_jsonld(value[0])
    return isinstance(value, dict) and not value.keys().isdisjoint({"@context", "@graph", "@type"})


def read_jsonld(document: Any) -> Iterator[Item]:
    """Read the articles of a document, in their order."""
    nodes = list(_nodes(document, _MAX_DEPTH))
    known = _names(nodes)
    for node in nodes:
        if _is_article(node):
            yield _item(node, known)


def _nodes(value: Any, depth: int) -> Iterator[Node]:
    if depth and isinstance(value, list):
        for one in value:
            yield from _nodes(one, depth - 1)
    elif depth and isinstance(value, dict):
        node = {_short(name): content for name, content in value.items()}
        yield node
        for name in _HOLDERS:
            yield from _nodes(node.get(name), depth - 1)


def _short(name: str) -> str:
    return name if name.startswith("@") else re.split(r"[/#:]", name)[-1]


def _is_article(node: Node) -> bool:
    types = node.get("@type")
    several = types if isinstance(types, list) else [types]
    names = [_short(one) for one in several if isinstance(one, str)]
    return any(name.endswith("Article") or name in _ARTICLES for name in names)


def _names(nodes: Iterable[Node]) -> Names:
    """What the nodes that others may refer to are called.

    A name that is a reference itself is not followed, and a long text is none: either would let a
    short document say a great deal.
    """
    found = {
        node["@id"]: _words(node.get("name"), {})
        for node in nodes
        if isinstance(node.get("@id"), str)
    }
    return {identity: name for identity, name in found.items() if name and len(name) <= _MAX_NAME}


def _item(node: Node, known: Names) -> Item:
    def said(*names: str) -> str | None:
        return next(filter(None, (_words(node.get(name), known) for name in names)), None)

    page = _address(node.get("url")) or _address(node.get("mainEntityOfPage"))
    own = _address(node.get("@id"))
    text = said("articleBody", "text")
    return Item(
        guid=own or page or said("identifier"),
        title=plain(said("headline", "name") or ""),
        url=page or own,
        published_at=said("datePublished", "dateCreated", "dateModified"),
        publisher=said("publisher", "sourceOrganization"),
        language=said("inLanguage"),
        author=said("author", "creator"),
        **(text_fields(text) if text else {}),
    )


def _words(value: Any, known: Names, depth: int = _MAX_WORDS_DEPTH) -> str | None:
    """What a value says: a text, a name, or the names in a list one after another."""
    if isinstance(value, list):
        found = [_words(one, known, depth - 1) for one in value] if depth else []
        return ", ".join(filter(None, found)) or None
    if isinstance(value, dict) and depth:
        node = {_short(name): content for name, content in value.items()}
        for name in ("@value", "name", "value", "legalName"):
            if node.get(name) is not None:
                return _words(node[name], known, depth - 1)
        return known.get(str(node.get("@id")))
    return text_of(value)


def _address(value: Any) -> str | None:
    """An absolute address: as a text, of an object, or the first of a list."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("@id") or value.get("url") or value.get("@value")
    return value if isinstance(value, str) and is_uri(value) else None
