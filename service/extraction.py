"""Find the main text of a page, and what the page says about itself.

Trafilatura decides what is the article and what is menus, comments and advertisements. Here the
page is made safe for it first, and what it finds is written out a paragraph a block, in the words
of the page: no marks for lists or tables are added. The same page always gives the same result:
nothing is fetched, and no clock is read.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from lxml.etree import LxmlError, fromstring, iterwalk
from lxml.html import HTMLParser, document_fromstring


class ExtractionError(ValueError):
    """The HTML has no main text, or is not fit to look for one; the message says why."""


class Extracted(NamedTuple):
    """A page's main text, and its title, date and author where it names them."""

    text: str
    title: str | None
    published_at: str | None  # a full date of RFC 3339
    author: str | None


# The libraries log every odd page as an error; here it becomes an ExtractionError.
for _name in ("trafilatura", "htmldate", "courlan", "justext"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

# The parser stops at a lone surrogate or a control character, and would lose the rest of the page.
_SURROGATES: Final = re.compile(r"[\ud800-\udfff]")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
# What no reader of the page sees: more controls, soft hyphens, zero-width spaces.
_INVISIBLE: Final = re.compile(r"[\x80-\x84\x86-\x9f\xad\u200b\ufeff]")

# Beyond these trafilatura takes minutes. News pages have thousands of elements, some 20 deep.
_MAX_ELEMENTS: Final = 100_000
_MAX_SUM_OF_DEPTHS: Final = 2_000_000
_MAX_DEPTH: Final = 256  # libxml2's own limit, beyond which it leaves out what follows
_TOO_DEEP: Final = "the html is nested more than 250 elements deep"
# Beyond these a library takes a time that grows with the square of the page's length: libxml2 for
# an element's attributes, justext (which trafilatura asks for a second opinion) for short
# paragraphs, trafilatura for what the page says of itself in JSON that is broken.
_MAX_ATTRIBUTES: Final = 5_000
_MAX_FOR_SECOND_OPINION: Final = 5_000
_MAX_BROKEN_JSON: Final = 16 * 1024

_JSON: Final = (
    './/script[@type="application/ld+json"]',
    './/script[@type="application/settings+json"]',
)

# Without the wide search only what the page marks as its date counts, not any date in its text.
# The latest date is fixed because it is today by default: a replay must give the same answer.
_DATES: Final = {"original_date": True, "extensive_search": False, "max_date": "2099-12-31"}
_FULL_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")

_BLOCKS: Final = frozenset({"p", "head", "list", "item", "quote", "table", "row", "div", "section"})
_STOP: Final = re.compile(r"[.!?…؟۔।。！？]")  # noqa: RUF001 - stops of many scripts
# A line of this length is prose even in a script without stops.
_PROSE_LENGTH: Final = 80


def extract(html: str) -> Extracted:
    """Find a page's main text.

    Raises:
        ExtractionError: there is none, or the page is empty, too large or too deeply nested.
    """
    tree = parse_page(html)
    _drop_broken_json(tree)
    document = _find(tree)
    if document is not None and _is_whole_page(document.body):
        document = _find(tree, favor_precision=True) or document
    if document is None or not _is_prose(text := _render(document.body)):
        raise ExtractionError("the html has no main text")
    date = document.date or ""
    published_at = date if _FULL_DATE.fullmatch(date) else None
    return Extracted(text, document.title or None, published_at, document.author or None)


def _find(tree: Any, *, favor_precision: bool = False) -> Any:
    """Let trafilatura look for the main text.

    Returns:
        A `trafilatura.settings.Document`, or None.
    """
    # A third of the time that a start takes without it, and most articles come as text.
    from trafilatura import bare_extraction  # noqa: PLC0415
    from trafilatura.settings import Document  # noqa: PLC0415

    try:
        found = bare_extraction(
            tree,
            include_comments=False,
            with_metadata=True,
            date_extraction_params=dict(_DATES),
            favor_precision=favor_precision,
            fast=sum(1 for _ in tree.iter()) > _MAX_FOR_SECOND_OPINION,
        )
    except MemoryError:
        raise
    except Exception as error:
        raise ExtractionError(f"the html cannot be read: {type(error).__name__}") from error
    return found if isinstance(found, Document) else None


def _is_whole_page(body: Any) -> bool:
    """Recognise trafilatura's last resort: all text of the page, menus too, in one paragraph."""
    return len(body) == 1 and body[0].tag == "p" and "\n" in (body[0].text or "")


def parse_page(html: str) -> Any:
    """Read a page into a tree; a page that would be read in part only is refused.

    Raises:
        ExtractionError: the page is empty, too large or too deeply nested.
    """
    readable = _CONTROLS.sub("", _SURROGATES.sub("\ufffd", html)).encode()
    try:
        fromstring(readable, _parser(_Limits()))
        parser = _parser()
        tree = document_fromstring(readable, parser=parser)
    except LxmlError as error:
        raise ExtractionError("the html is empty") from error
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise ExtractionError(_TOO_DEEP)
    return tree


class _Limits:
    """Sees a page go by, and refuses it before there is a tree of it, which would take memory."""

    def __init__(self) -> None:
        self._elements = self._depth = self._deepest = self._depths = self._attributes = 0

    def start(self, _: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        self._elements += 1
        self._depth += 1
        self._deepest = max(self._deepest, self._depth)
        self._depths += self._depth
        self._attributes = max(self._attributes, len(attributes))

    def end(self, _: str) -> None:
        """An element ends."""
        self._depth -= 1

    def close(self) -> None:
        """The page ends.

        Raises:
            ExtractionError: it is too large or too deeply nested.
        """
        elements, depths = self._elements, self._depths
        if self._deepest > _MAX_DEPTH:
            raise ExtractionError(_TOO_DEEP)
        if elements > _MAX_ELEMENTS:
            raise ExtractionError(f"the html has {elements} elements, more than {_MAX_ELEMENTS}")
        if depths > _MAX_SUM_OF_DEPTHS:
            raise ExtractionError(f"the html nests {elements} elements {depths // elements} deep")
        if self._attributes > _MAX_ATTRIBUTES:
            raise ExtractionError(f"the html has an element with {self._attributes} attributes")


def _parser(target: _Limits | None = None) -> HTMLParser:
    # Bytes and their encoding: what the page declares about the bytes it once was is void.
    return HTMLParser(
        target=target, encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False
    )


def _drop_broken_json(tree: Any) -> None:
    """Empty what says something of the page in JSON, and is broken and long."""
    for script in (script for path in _JSON for script in tree.iterfind(path)):
        if len(text := script.text or "") > _MAX_BROKEN_JSON:
            try:
                json.loads(text)
            except (ValueError, RecursionError):
                script.text = None


def _render(body: Any) -> str:
    """Write out what was found, with a blank line between blocks and the page's line breaks."""
    pieces: list[str] = []
    for event, element in iterwalk(body, events=("start", "end")):
        is_start = event == "start"
        if element.tag in _BLOCKS:
            pieces.append("\n\n")
        elif is_start and element.tag == "lb":
            pieces.append("\n")
        elif is_start and element.tag == "cell":
            pieces.append("\t")
        pieces.append((element.text if is_start else element.tail) or "")
    text = _INVISIBLE.sub("", "".join(pieces))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in text.splitlines())).strip()


def _is_prose(text: str) -> bool:
    """Tell an article from menus and headings, which are left when a page has nothing else."""
    return any(_STOP.search(line) or len(line) >= _PROSE_LENGTH for line in text.split("\n"))
