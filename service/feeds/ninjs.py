"""ninjs, the IPTC's news in JSON: versions 1.x and 2.x, and 3.x, which only writes names otherwise.

Names of the properties: the ninjs User Guide of the IPTC. In 1.x text and headline are found by the
beginning of a name (``body_text``, ``headline``), in 2.x in lists (``bodies``, ``headlines``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from service.feeds.items import Item, has_text, text_fields, text_of

_MARKS: Final = ("versioncreated", "firstcreated", "pubstatus", "headline", "headlines", "bodies")
_USABLE: Final = "usable"


def is_ninjs(value: Mapping[str, Any]) -> bool:
    """Whether a JSON object is a ninjs item: it has a URI, and something else that is ninjs'."""
    names = {name.lower() for name in value}
    return "uri" in names and any(
        name in _MARKS or name.startswith(("body_", "description_")) for name in names
    )


def read_ninjs(value: Mapping[str, Any]) -> Item:
    """Read an item."""
    item = {name.lower(): content for name, content in value.items()}
    status = (text_of(item.get("pubstatus")) or _USABLE).strip().lower()
    return Item(
        guid=text_of(item.get("uri")),
        title=_headline(item),
        url=_first(item, "weburl", "uri"),
        published_at=_first(item, "versioncreated", "firstcreated", "contentcreated"),
        publisher=_publisher(item),
        language=text_of(item.get("language")),
        author=_first(item, "byline", "by"),
        withdrawn=None if status == _USABLE else status,
        **_text(item),
    )


def _text(item: Mapping[str, Any]) -> dict[str, str]:
    """The text: plain where there is some, since nothing in it is to be guessed, else marked up."""
    found = [text_fields(value) if kind is None else {kind: value} for kind, value in _texts(item)]
    bodies = [fields for fields in found if "body" in fields]
    pages = [fields for fields in found if "html" in fields and has_text(fields["html"])]
    return next(iter(bodies + pages), {})


def _texts(item: Mapping[str, Any]) -> Iterator[tuple[str | None, str]]:
    """Each text, and the article's field that it belongs in as far as the item says so."""
    for body in _dicts(item.get("bodies")):
        kind = text_of(body.get("contenttype")) or ""
        if value := text_of(body.get("value")):
            is_marked_up = "html" in kind or "xml" in kind
            yield "html" if is_marked_up else "body" if "plain" in kind else None, value
    for name, value in item.items():
        if name.startswith("body_") and text_of(value):
            kind = name.removeprefix("body_")
            yield "html" if "html" in kind else "body" if kind == "text" else None, value


def _headline(item: Mapping[str, Any]) -> str | None:
    headlines = sorted(_dicts(item.get("headlines")), key=lambda one: one.get("role") != "main")
    for headline in headlines:
        if value := text_of(headline.get("value")):
            return value
    return _first(item, "headline", "headline_main", "title")


def _publisher(item: Mapping[str, Any]) -> str | None:
    """Who issues the item: the source of the information that has a name, else whose it is."""
    for source in _dicts(item.get("infosources") or item.get("infosource")):
        if name := text_of(source.get("name")):
            return name
    return text_of(item.get("copyrightholder"))


def _first(item: Mapping[str, Any], *names: str) -> str | None:
    return next(filter(None, (text_of(item.get(name)) for name in names)), None)


def _dicts(values: Any) -> list[dict[str, Any]]:
    """The objects of a list, their names in small letters; an object alone is a list of one."""
    several = values if isinstance(values, list) else [values]
    return [
        {name.lower(): content for name, content in value.items()}
        for value in several
        if isinstance(value, dict)
    ]
