"""Find the main text of a page, and what the page says about itself.

Trafilatura decides what is the article and what is menus, comments and advertisements. Here the
page is made safe for it first, and what it finds is written out a paragraph a block, in the words
of the page: no marks for lists or tables are added. The same page always gives the same result:
nothing is fetched, and no clock is read.
"""

from __future__ import annotations

import logging
import re
from typing import Any, Final, NamedTuple

from lxml.etree import LxmlError, iterwalk
from lxml.html import HTMLParser, document_fromstring
from trafilatura import bare_extraction
from trafilatura.settings import Document


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
    document = _find(tree)
    if document is not None and _is_whole_page(document.body):
        document = _find(tree, favor_precision=True) or document
    if document is None or not _is_prose(text := _render(document.body)):
        raise ExtractionError("the html has no main text")
    date = document.date or ""
    published_at = date if _FULL_DATE.fullmatch(date) else None
    return Extracted(text, document.title or None, published_at, document.author or None)


def _find(tree: Any, *, favor_precision: bool = False) -> Document | None:
    """Let trafilatura look for the main text."""
    try:
        found = bare_extraction(
            tree,
            include_comments=False,
            with_metadata=True,
            date_extraction_params=dict(_DATES),
            favor_precision=favor_precision,
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
    readable = _CONTROLS.sub("", _SURROGATES.sub("\ufffd", html))
    # Bytes and their encoding: what the page declares about the bytes it once was is void.
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False)
    try:
        tree = document_fromstring(readable.encode(), parser=parser)
    except LxmlError as error:
        raise ExtractionError("the html is empty") from error
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise ExtractionError("the html is nested more than 250 elements deep")
    elements = depth = depths = 0
    for event, _ in iterwalk(tree, events=("start", "end")):
        if event == "start":
            elements += 1
            depth += 1
            depths += depth
        else:
            depth -= 1
    if elements > _MAX_ELEMENTS:
        raise ExtractionError(f"the html has {elements} elements, more than {_MAX_ELEMENTS}")
    if depths > _MAX_SUM_OF_DEPTHS:
        raise ExtractionError(f"the html nests {elements} elements {depths // elements} deep")
    return tree


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
