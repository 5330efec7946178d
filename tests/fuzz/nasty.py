"""The nasty inputs that are kept, and what odd texts, pages and feeds are made of.

The files of ``tests/data/nasty`` are of our own making, or were found by fuzzing; the folder that
one lies in says what it is an input of. Longer ones are made here, of a pattern.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parent.parent.parent
FOLDER: Final = _ROOT / "tests/data/nasty"
# The targets that the files of a folder are inputs of; of those in none of these, all.
TARGETS_OF: Final = {
    "decoding": ("decoding", "record"),
    "text": ("division", "text"),
    "page": ("page", "page_data"),
    "feed": ("feed",),
    "record": ("record",),
}

# Where else there are inputs for a target to begin with. What is repeated begins with nothing.
_SAMPLES: Final = {
    "decoding": _ROOT / "seeds",
    "feed": _ROOT / "tests/data/feeds",
}

# What texts are seldom made of, and what decisions are made by.
ODD: Final = (
    *("\0", "\x1b", "\x7f", "\x85", "\xa0", "\xad", "\x0b", "\x1c", "\t", "\r", "\r\n", "\n\n"),
    *("\u2028", "\u2029", "\u200b", "\u200d", "\u200f", "\u202e", "\u2066", "\ufeff", "\ufffe"),
    *(
        "\u0301",
        "e\u0301\u0302",
        "\u3000",
        "\u1680",
        "\U0010ffff",
        "😀",
        "👩‍👩‍👧",
        "🏴\U000e0067",
        "𝔗",
    ),
    *("שלום.", "قال؟", "雨。", "ฝน", "ﬁ", "İ", "ß", "\u1112\u1161", "½", "٣.", "Ⅳ."),
    *(".", "!", "?", "…", ". . .", '"', "“", "”", "’", "«", "(", ")", "[1]", "•", "—", ";", ":"),
    *("Mr. ", "U.S. ", "a.m. ", "St. ", "No. ", "Inc. ", "e.g. ", "said.The ", "J. ", "1. "),
)
MARKUP: Final = (
    *("<p>", "</p>", "<div>", "</div>", "<table>", "<tr>", "<td>", "<ul>", "<li>", "<br>", "<b>"),
    *("<a href=", "<script>", "</script>", "<!--", "-->", "<![CDATA[", "]]>", "<article>", "<h1>"),
    *("<meta property=", "<title>", "&amp;", "&#", "&#x", "application/ld+json", "class='", "\"'"),
    *("<!DOCTYPE ", "<!ENTITY ", "<?xml ", "<rss>", "<item>", "<description>", "<pubDate>"),
    *("<feed xmlns='http://www.w3.org/2005/Atom'>", "<entry>", "<content type='html'>", "<id>"),
    *("<newsItem>", "<inlineXML>", "<nitf>", "<body.content>", "<author>", "<guid>"),
)
JSON: Final = (
    *(
        '{"id":"',
        '","body":"',
        '"html":"',
        '"published_at":"2024-01-01T00:00:00Z"',
        "\\u",
        "\\ud800",
    ),
    *('"@type":"NewsArticle"', '"@graph":[', '"@id":"', '"articleBody":"', '"@value":', '"name":['),
    *(
        "\\ud800",
        '"uri":"',
        '"headlines":[',
        '"bodies":[',
        '"contentType":"',
        "null",
        "[[[[",
        "{{",
        "1e999",
    ),
)


def samples(target: str) -> list[Path]:
    """The folders of inputs that fuzzing a target begins with, besides what it found before."""
    kept = [FOLDER / kind for kind, targets in TARGETS_OF.items() if target in targets]
    return kept + [folder for name, folder in _SAMPLES.items() if name == target]


def dictionary() -> str:
    """The pieces in libFuzzer's form, a line each."""
    pieces = (*ODD, *MARKUP, *JSON)
    return "".join(f'"{_escaped(piece)}"\n' for piece in pieces)


def _escaped(piece: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in piece.encode())
