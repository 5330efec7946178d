"""Decide at which stops a block of text divides into sentences.

Only a run of stop characters can end a sentence inside a block, so the block is walked from stop
to stop, and each stop is judged by the word before it and the few words after it. All that is
looked at has a bounded length, so the walk takes linear time on any input.

The rules are our own because they measured better on news than the libraries do
(`models.segmentation_benchmark`), whose lists of abbreviations come from other kinds of text.
"""

# ruff: noqa: RUF001 - the quotation marks, dashes and stops of many scripts are what is looked for

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from service.abbreviations import BEFORE_NUMBER, ENDINGS, LINKS, OPENERS, PREFIXES, STATES, TITLES


class Stop(NamedTuple):
    """A stop and what the decision about it may look at."""

    word: str  # from the last white space up to the stop
    mark: str  # the stop characters: . ? ! … or several of them
    closers: str  # the quotation marks and brackets that close behind them
    glued: bool  # no white space behind it
    opening: str  # what stands between the white space and the next letter or digit
    after: str  # from that letter or digit on
    first: bool  # nothing but the word stands before it in its sentence
    comma: bool  # a comma stands before the word


_CLOSING: Final = "\"'”’»›"
_OPENING: Final = "\"'“‘«‹([{*_—–-"
# A quotation mark or ellipsis that stands free between spaces belongs to what it follows, and so
# does the number of a footnote.
_STOP: Final = re.compile(
    rf"(?P<mark>[.!?…‽؟۔।。！？]+)"
    rf"(?P<closers>(?:[{_CLOSING})\]}}*_]|\[\d{{1,3}}\]|\s(?:[{_CLOSING}]|…|\.{{3,4}})(?=\s|\Z))*)"
)
_SPACE: Final = re.compile(r"\s*")
_LETTER_OR_DIGIT: Final = re.compile(r"[^\W_]")
_FIRST_WORD: Final = re.compile(r"[\w'’]+")

# How far a decision looks: longer than any word it knows, short enough to bound the work.
_LOOK_BACK: Final = 48
_LOOK_AHEAD: Final = 64

_LIST_NUMBER: Final = re.compile(r"\W?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})\s?\\?")
_ACRONYM: Final = re.compile(r"(?:[A-Z][a-z]{0,2}\.)+[A-Z][a-z]{0,2}")
_INITIAL: Final = re.compile(r"[A-HJ-Z]")  # not I: World War I. American troops
_NUMBER: Final = re.compile(r"\d|[IVXLC]{2,}\b")
_CLOCK: Final = re.compile(r"[\d:.]*[ap]\.m", re.IGNORECASE)
_AFTER_CLOCK: Final = re.compile(
    r"(?:Eastern|Central|Mountain|Pacific|Atlantic|[A-Z]{1,3}T|UTC|MSK|\w+ time|"
    r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|"
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.? \d)\b(?!['’])"
)
# “Who knows?” Smith said on Friday: the sentence goes on. Said that, said he …: a new one.
_SPEAKER: Final = re.compile(
    r"(?:[A-Z][\w.’'-]* ){1,6}(?:told|(?:said|says|asked|asks|wrote|tweeted|posted|replied|added|"
    r"wondered|shouted|joked|recalled|continued|responded|demanded|exclaimed)"
    r"(?=[.,;:]| (?:in|on|at|to|of|as|during|after|before|when|from|via)\b))"
)
_CAMEL_CASE: Final = re.compile(r"[a-z]{1,2}[A-Z]")  # iPhone, eBay
_NAMES_WITH_MARK: Final = frozenset({"Yahoo", "Yum", "Jeopardy", "Wham", "Panic", "Oklahoma"})
_DOMAINS: Final = frozenset({"com", "net", "org"})


def divisions(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where a sentence ends and where the next starts, for each division of a block."""
    sentence = seen = start
    quotes = 0
    has_words = False  # a sentence holds a letter or a digit, or it is none
    for match in _STOP.finditer(text, start, end):
        at = match.start()
        has_words = has_words or _LETTER_OR_DIGIT.search(text, seen, at) is not None
        quotes += text.count('"', seen, at)
        seen = at
        if not has_words:
            continue
        close = _closing_end(text, match, end, inside_quotes=quotes % 2 == 1)
        following = _end_of_space(text, close, end)
        ahead = text[following : min(end, following + _LOOK_AHEAD)]
        letter = _LETTER_OR_DIGIT.search(ahead)
        if letter is None:
            continue
        back = text[max(sentence, at - _LOOK_BACK) : at]
        word = "" if back[-1].isspace() else back.split()[-1]
        stop = Stop(
            word=word,
            mark=match["mark"],
            closers=text[match.end("mark") : close],
            glued=following == close,
            opening=ahead[: letter.start()],
            after=ahead[letter.start() :],
            first=at - sentence <= _LOOK_BACK and _LIST_NUMBER.fullmatch(back.strip()) is not None,
            comma=back.removesuffix(word).rstrip().endswith(","),
        )
        if divides(stop):
            yield close, following
            quotes += text.count('"', at, following)
            sentence = seen = following
            has_words = False


def divides(stop: Stop) -> bool:
    """Say whether a stop ends its sentence."""
    if stop.glued:
        return _divides_glued(stop)
    if _goes_on(stop):
        return False
    if stop.mark == ".":
        return _divides_full_stop(stop)
    if stop.mark.startswith(("…", "..")):
        return bool(stop.word) or _opens_sentence(stop)
    if stop.mark == "!" and stop.word in _NAMES_WITH_MARK and not stop.closers:
        return _opens_sentence(stop)
    quoted = stop.closers.strip(")]}* ") and not stop.opening
    return not (quoted and _SPEAKER.match(stop.after))


def _goes_on(stop: Stop) -> bool:
    """Say whether the sentence goes on behind any kind of stop."""
    tied = stop.opening.startswith((",", ";", ":", ")", "]", "}", "%", "/"))
    spaced_dots = stop.opening.startswith(".") and not stop.opening.startswith("..")
    bare_mark = stop.word and not stop.word.strip(_OPENING)  # (!), (?), “… and so on
    named = stop.opening.endswith(("@", "#")) or _CAMEL_CASE.match(stop.after)
    return bool(tied or spaced_dots or bare_mark or (stop.after[0].islower() and not named))


def _divides_full_stop(stop: Stop) -> bool:
    """Judge a single full stop before white space and something that can start a sentence."""
    word = stop.word.strip(_OPENING)
    if not word:
        return True
    if stop.first:
        return False  # 1. and A. number what follows
    last = re.split(r"[-–/]", word)[-1]  # Lt.-Gen., D-Calif.
    if not _is_abbreviation(last):
        return True
    if ")" in stop.closers or stop.opening.startswith(("—", "–", "-", "(", "[")):
        return False  # (Conn.) Brown, WASHINGTON, D.C. — The, Orsted Co. (NYSE: OPC)
    return _divides_abbreviation(last, stop)


def _is_abbreviation(word: str) -> bool:
    """Say whether the stop after the word may be the word's own."""
    if word in LINKS or _ACRONYM.fullmatch(word) or _CLOCK.fullmatch(word):
        return True
    if _INITIAL.fullmatch(word):
        return True
    low = word.lower()
    if low in BEFORE_NUMBER:
        return True
    return word[:1].isupper() and any(low in kind for kind in (TITLES, PREFIXES, ENDINGS, STATES))


def _divides_abbreviation(word: str, stop: Stop) -> bool:
    """Judge the stop of an abbreviation by the kind of the abbreviation."""
    low = word.lower()
    if word in LINKS or low in TITLES:
        return False
    if low in BEFORE_NUMBER and not _INITIAL.fullmatch(word):
        return not _NUMBER.match(stop.after)
    if low in STATES and stop.comma:
        return True
    if _CLOCK.fullmatch(word):
        return not _AFTER_CLOCK.match(stop.after)
    return _opens_sentence(stop)


def _opens_sentence(stop: Stop) -> bool:
    """Say whether what follows looks like a beginning for another reason than its capital."""
    if any(mark in stop.opening for mark in '"“‘«'):
        return True
    word = _FIRST_WORD.match(stop.after)
    return word is not None and word[0] in OPENERS and stop.after[1:2] != "."


def _divides_glued(stop: Stop) -> bool:
    """Judge a stop without white space: a typing error (said.The) or a part of a word (U.S)."""
    if stop.mark[-1] in "。！？":
        return True  # these scripts use no spaces
    word, after = stop.word.strip(_OPENING), stop.after
    ends_word = stop.closers or word[-2:].islower() or word[-2:].isdigit()
    part_of_name = _is_abbreviation(word) or any(mark in word for mark in "/@:._\\")
    if len(stop.mark) > 1 or not ends_word or part_of_name or stop.first:
        return False
    follower = _FIRST_WORD.match(after)
    if follower is None or follower[0].lower() in _DOMAINS or not after[0].isupper():
        return False
    if stop.opening.strip(_OPENING):
        return False
    return after[1:2].islower() or follower[0] in OPENERS


def _closing_end(text: str, match: re.Match[str], end: int, *, inside_quotes: bool) -> int:
    """Find where the stop's closing marks end.

    A straight quotation mark closes or opens. One that touches the word behind it, or stands
    free, opens a quotation when none is open.
    """
    close = match.end()
    quote = text.find('"', match.end("mark"), close)
    if quote < 0 or inside_quotes:
        return close
    if text[quote - 1].isspace():
        return quote - 1
    return quote if _end_of_space(text, close, end) == close else close


def _end_of_space(text: str, start: int, end: int) -> int:
    """Find the end of the white space at a place."""
    match = _SPACE.match(text, start, end)
    return match.end() if match else start
