"""Find the blocks of a text: the stretches that sentences do not run out of.

A line break ends a block where it is part of the text's structure (headings, paragraphs, list
items), but not in a text whose lines were wrapped at some column: there sentences run over lines.
The lines themselves tell which it is. In a wrapped text almost every line is full, which means
that the first word of the next line would not have fitted; and many lines stop in mid-sentence.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple


class Line(NamedTuple):
    """A line that is not blank: its extent without surrounding white space."""

    start: int
    end: int
    margin: int  # where the line begins, indentation included
    apart: bool  # a blank line or a page or paragraph separator stands before it


_BREAKS: Final = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"  # what str.splitlines divides at
_BREAK: Final = re.compile(rf"\r\n|[{_BREAKS}]")
_LINE: Final = re.compile(rf"[^{_BREAKS}]+")
_SEPARATORS: Final = frozenset("\f\x1c\x1d\x1e\u2029")

_FIRST_WORD: Final = re.compile(r"\S{1,40}")
_UNFINISHED: Final = re.compile(r"[^\W_]|[,;’'”\"—–-]")
_ITEM: Final = re.compile(r"[•▪◦‣*·-]\s|\(?\d{1,2}[.)]\s")

# Nobody wraps prose outside these columns; shorter lines are lists or verse.
_MIN_COLUMN: Final = 40
_MAX_COLUMN: Final = 100
# A wrapped text has short lines too, where a paragraph ends; and a few too long, such as addresses.
_FULL_SHARE: Final = 0.5
_RUNNING_SHARE: Final = 0.2
_OVERLONG_SHARE: Final = 0.05


def blocks(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each block, without surrounding white space."""
    column = _wrap_column(text)
    start = 0
    previous: Line | None = None
    for line in _lines(text):
        if previous is None:
            start = line.start
        elif column is None or not _continues(text, previous, line, column):
            yield start, previous.end
            start = line.start
        previous = line
    if previous is not None:
        yield start, previous.end


def has_break(text: str, start: int, end: int) -> bool:
    """Say whether a stretch of text holds a line break of any kind."""
    return _BREAK.search(text, start, end) is not None


def _lines(text: str) -> Iterator[Line]:
    """Yield the lines that are not blank."""
    previous_end = 0
    for match in _LINE.finditer(text):
        line = match.group()
        content = line.strip()
        if not content:
            continue
        start = match.start() + len(line) - len(line.lstrip())
        breaks = _BREAK.findall(text, previous_end, start)
        apart = len(breaks) > 1 or not _SEPARATORS.isdisjoint(breaks)
        previous_end = start + len(content)
        yield Line(start, previous_end, match.start(), apart)


def _wrap_column(text: str) -> int | None:
    """Find the column at which the text was wrapped, or None if it was not."""
    widths = Counter(
        width
        for line, following in pairwise(_lines(text))
        if not following.apart
        for width in (line.end - line.margin, following.end - following.margin)
    )
    overlong = int(widths.total() * _OVERLONG_SHARE)
    column = 0
    for width in sorted(widths, reverse=True):
        column = width
        overlong -= widths[width]
        if overlong < 0:
            break
    if not _MIN_COLUMN <= column <= _MAX_COLUMN:
        return None
    pairs = full = running = 0
    for line, following in pairwise(_lines(text)):
        if not following.apart:
            pairs += 1
            if _is_full(text, line, following, column):
                full += 1
                running += _is_running(text, line, following)
    wrapped = full >= _FULL_SHARE * pairs and running >= max(1, _RUNNING_SHARE * full)
    return column if wrapped else None


def _continues(text: str, line: Line, following: Line, column: int) -> bool:
    """Say whether a line of a wrapped text goes on in the line after it."""
    if following.apart or _ITEM.match(text, following.start):
        return False
    if following.start - following.margin > line.start - line.margin:
        return False  # the first line of a paragraph is indented
    return _is_full(text, line, following, column) or _is_running(text, line, following)


def _is_full(text: str, line: Line, following: Line, column: int) -> bool:
    """Say whether the next line's first word would not have fitted into the line."""
    word = _FIRST_WORD.match(text, following.start, following.end)
    return word is not None and line.end - line.margin + 1 + len(word[0]) > column


def _is_running(text: str, line: Line, following: Line) -> bool:
    """Say whether a line stops in mid-sentence: no stop at its end, no capital after it."""
    first = text[following.start]
    unfinished = _UNFINISHED.match(text[line.end - 1]) is not None
    return unfinished and first.isalpha() and not first.isupper()
