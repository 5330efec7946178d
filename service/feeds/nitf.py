"""The text of NITF, the News Industry Text Format: the body's paragraphs, a block each."""

from __future__ import annotations

import re
from typing import Any, Final

from lxml.etree import iterwalk

from service.feeds.markup import local_name

# What stands inside of a line; every other element is a block of its own.
_INLINE: Final = frozenset({
    *("a", "abbr", "alt-code", "chron", "classifier", "copyrite", "em", "event", "function"),
    *("lang", "location", "city", "state", "region", "country", "sublocation", "money", "num"),
    *("frac", "frac-num", "frac-sep", "frac-den", "sub", "sup", "object.title", "org", "person"),
    *("name.given", "name.family", "postaddr", "pronounce", "q", "virtloc"),
})  # fmt: skip
# Pictures and their captions, and notes to editors: no text of the article's own.
_LEFT_OUT: Final = frozenset({"media", "note", "fn"})


def nitf_text(nitf: Any) -> str:
    """Write out what stands in the element ``body.content``, with blank lines between blocks."""
    content = next((e for e in nitf.iter("{*}body.content")), None)
    if content is None:
        return ""
    pieces: list[str] = []
    walk = iterwalk(content, events=("start", "end"))
    for event, element in walk:
        name, is_start = local_name(element), event == "start"
        if name in _LEFT_OUT:
            if is_start:
                walk.skip_subtree()
            else:
                pieces.append(f"\n\n{_spaced(element.tail)}")
            continue
        if is_start and name == "br":
            pieces.append("\n")
        elif name not in _INLINE and name != "br":
            pieces.append("\n\n")
        if is_start:
            pieces.append(_spaced(element.text))
        elif element is not content:
            pieces.append(_spaced(element.tail))
    lines = "\n".join(line.strip() for line in "".join(pieces).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def _spaced(text: str | None) -> str:
    """White space in the source is one space: its lines were broken for nobody."""
    return re.sub(r"\s+", " ", text or "")
