"""Reads articles from files and standard input, as the records that a producer would send."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from service.feeds.detect import is_json_feed, is_page, is_xml_feed, read_json, read_xml
from service.feeds.items import FeedError, Item, record_of
from service.feeds.pages import read_page

STDIN = Path("-")
_LINES = (".jsonl", ".ndjson")
_PAGES = (".html", ".htm", ".xhtml")
_XML = (".xml", ".rss", ".atom", ".rdf", ".newsml")
_JSON = (".json", ".jsonld", ".ninjs")
_SUFFIXES = (*_JSON, *_LINES, *_PAGES, *_XML, ".txt")
# Files are read whole, except for lines, of which there may be any number.
_MAX_BYTES: Final = 256 * 1024 * 1024
# Lines without any of these are no feeds' items, and are passed on unread.
_FEED_SIGNS: Final = (b'"@context"', b'"@graph"', b'"@type"', b'"uri"')


class FileError(Exception):
    """A file cannot be read as articles; the message says which and why."""


class Record(NamedTuple):
    """An article's JSON.

    Attributes:
        origin: where it was found, for messages.
        value: the JSON, as a producer would send it.
        fault: why the article is not to be published, where that is known already.
    """

    origin: str
    value: bytes
    fault: str | None = None


def list_files(paths: Iterable[Path]) -> list[Path]:
    """Replace folders by the article files directly inside them, sorted by name.

    Raises:
        FileError: a path does not exist, or a folder has no article files.
    """
    files: list[Path] = []
    for path in paths:
        if path == STDIN:
            files.append(path)
        elif path.is_dir():
            inside = sorted(
                p for p in path.iterdir() if p.is_file() and p.suffix.lower() in _SUFFIXES
            )
            if not inside:
                raise FileError(f"{path}: no article files ({', '.join(_SUFFIXES)}) in this folder")
            files += inside
        elif path.exists():
            files.append(path)
        else:
            raise FileError(f"{path}: no such file or folder")
    return files


def read_records(path: Path, standard_input: bytes = b"") -> Iterator[Record]:
    """Read the articles of one file.

    JSON lines and JSON (an article or a list of them) are passed on as they are, to be decoded
    like any record. Feeds (see `service.feeds`) give an article an item; text and HTML become
    articles whose id is the file's name without its ending. The content tells which it is; the
    ending counts where the content says nothing.

    Args:
        path: the file, or "-" for ``standard_input``.
        standard_input: what came in there.

    Raises:
        FileError: the file cannot be read, is a broken feed, or is text or HTML but not UTF-8.
    """
    if path == STDIN:
        yield from _read("standard input", "stdin", "", standard_input)
        return
    suffix = path.suffix.lower()
    try:
        if suffix in _LINES:
            with path.open("rb") as lines:
                yield from _lines(str(path), "line", lines)
            return
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from error
    if len(content) > _MAX_BYTES:
        raise FileError(f"{path}: more than {_MAX_BYTES // 2**20} MiB: use JSON lines for so many")
    yield from _read(str(path), path.stem, suffix, content)


def count_records(paths: Iterable[Path], standard_input: bytes = b"") -> int:
    """How many articles the files hold, for a progress bar; what cannot be read counts nothing."""
    count = 0
    for path in paths:
        if path.suffix.lower() in {*_PAGES, ".txt"}:
            # Reading a page takes long, and is one article in the end.
            count += 1
            continue
        with suppress(FileError):
            for _ in read_records(path, standard_input):
                count += 1
    return count


def _read(origin: str, name: str, suffix: str, content: bytes) -> Iterator[Record]:
    start = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if is_xml_feed(content):
        yield from _feed(origin, read_xml(content))
    elif suffix in _JSON or (start.startswith((b"{", b"[")) and _is_json(suffix, content)):
        yield from _json(origin, content)
    elif suffix in _PAGES or (suffix != ".txt" and is_page(content)):
        page = _text(origin, content)
        yield Record(origin, record_of(read_page(page), name)[0])
    elif suffix in _XML:
        yield from _feed(origin, read_xml(content))
    else:
        article = {"id": name, "body": _text(origin, content)}
        yield Record(origin, json.dumps(article, ensure_ascii=False).encode())


def _is_json(suffix: str, content: bytes) -> bool:
    """Whether it is meant as JSON: what came from nowhere in particular need not be well-formed."""
    if not suffix:
        return content.lstrip(b"\xef\xbb\xbf \t\r\n[").startswith(b"{")
    return isinstance(_parsed(content), dict | list)


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _json(origin: str, content: bytes) -> Iterator[Record]:
    """One article, a list of articles, one article a line, or a feed of any of these forms."""
    parsed = _parsed(content)
    if parsed is None:
        lines = [line for line in content.splitlines() if line.strip()]
        if len(lines) > 1 and all(line.lstrip().startswith(b"{") for line in lines):
            yield from _lines(origin, "article", lines)
            return
    if is_json_feed(parsed):
        yield from _feed(origin, read_json(parsed))
    elif isinstance(parsed, list):
        for number, article in enumerate(parsed, 1):
            one = f"{origin}, article {number}"
            if is_json_feed(article):
                yield from _feed(one, read_json(article))
            else:
                yield Record(one, json.dumps(article).encode())
    else:
        yield Record(origin, content)


def _lines(origin: str, what: str, lines: Iterable[bytes]) -> Iterator[Record]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        one = f"{origin}, {what} {number}"
        parsed = _parsed(line) if any(sign in line for sign in _FEED_SIGNS) else None
        if not is_json_feed(parsed):
            yield Record(one, line.strip())
            continue
        try:
            yield from _feed(one, read_json(parsed))
        except FileError as error:
            # The other lines are good all the same.
            yield Record(one, line.strip(), str(error).removeprefix(f"{one}: "))


def _feed(origin: str, items: Iterator[Item]) -> Iterator[Record]:
    """The records of a feed's items, numbered where there are several."""
    try:
        found = list(items)
    except FeedError as error:
        raise FileError(f"{origin}: {error}") from error
    for number, item in enumerate(found, 1):
        yield Record(f"{origin}, item {number}" if len(found) > 1 else origin, *record_of(item))


def _text(origin: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"{origin}: not UTF-8: {error.reason} at byte {error.start}") from error
