"""Reads articles from files and standard input, as the records that a producer would send."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

STDIN = Path("-")
_SUFFIXES = (".json", ".jsonl", ".ndjson", ".html", ".htm", ".txt")
_LINES = (".jsonl", ".ndjson")
_PAGES = (".html", ".htm")
_PAGE_START = re.compile(
    r"\s*(<!--.*?-->\s*)*<(!doctype|html|head|body|article|div|p)\b", re.IGNORECASE | re.DOTALL
)


class FileError(Exception):
    """A file cannot be read as articles; the message says which and why."""


class Record(NamedTuple):
    """An article's JSON, and where it was found, for messages."""

    origin: str
    value: bytes


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
            inside = sorted(p for p in path.iterdir() if p.is_file() and p.suffix in _SUFFIXES)
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
    like any record; text and HTML become articles whose id is the file's name without its ending.

    Args:
        path: the file, or "-" for ``standard_input``, whose form is told by how it starts.
        standard_input: what came in there.

    Raises:
        FileError: the file cannot be read, or is text or HTML but not UTF-8.
    """
    if path == STDIN:
        yield from _sniffed("standard input", standard_input)
        return
    suffix = path.suffix.lower()
    try:
        if suffix in _LINES:
            yield from _lines(str(path), path)
            return
        content = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from error
    if suffix == ".json":
        yield from _json(str(path), content)
    else:
        field = "html" if suffix in _PAGES else "body"
        yield Record(str(path), _article(str(path), path.stem, field, content))


def _lines(origin: str, path: Path) -> Iterator[Record]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield Record(f"{origin}, line {number}", line.strip())


def _json(origin: str, content: bytes) -> Iterator[Record]:
    """One article, a list of articles, or one article a line."""
    try:
        parsed = json.loads(content)
    except ValueError:
        lines = [line for line in content.splitlines() if line.strip()]
        if len(lines) > 1 and all(line.lstrip().startswith(b"{") for line in lines):
            for number, line in enumerate(lines, 1):
                yield Record(f"{origin}, article {number}", line)
            return
        parsed = None
    if isinstance(parsed, list):
        for number, article in enumerate(parsed, 1):
            yield Record(f"{origin}, article {number}", json.dumps(article).encode())
    else:
        yield Record(origin, content)


def _sniffed(origin: str, content: bytes) -> Iterator[Record]:
    start = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"{", b"[{")):
        yield from _json(origin, content)
    else:
        is_page = _PAGE_START.match(start.decode("utf-8", "replace"))
        yield Record(origin, _article(origin, "stdin", "html" if is_page else "body", content))


def _article(origin: str, name: str, field: str, content: bytes) -> bytes:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"{origin}: not UTF-8: {error.reason} at byte {error.start}") from error
    return json.dumps({"id": name, field: text}, ensure_ascii=False).encode()
