"""Renders the pages: the templates, and how they write numbers, times and links.

Everything that comes from an article is escaped by the template engine, without exception, and
goes through `harmless` first.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from service.contracts import LABELS, Counts, LabelledArticle
from service.viewer.addresses import is_web_address, segment_of
from service.viewer.marking import harmless, page_of

FOLDER: Final = Path(__file__).resolve().parent
LETTERS: Final = {"fact": "F", "attributed_claim": "C", "opinion": "O"}
NAMES: Final = {"fact": "Fact", "attributed_claim": "Claim", "opinion": "Opinion"}
# The class names of the style sheet.
STYLES: Final = {"fact": "fact", "attributed_claim": "claim", "opinion": "opinion"}
_BAR_WIDTH: Final = 100
_MAX_SHOWN: Final = 320
_MAX_NAME: Final = 90


class Pages:
    """All pages, ready to be rendered."""

    def __init__(self, *, can_label: bool) -> None:
        """Load the templates; ``can_label`` says whether there is a box to paste a text in."""
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=lambda value: harmless(value) if type(value) is str else value,
        )
        self._environment.filters |= {
            "percent": percent,
            "when": when,
            "segment": segment_of,
            "bar": bar,
            "shortened": shortened,
            "name": name_of,
        }
        self._environment.tests["web_address"] = is_web_address
        self._environment.globals |= {
            "LABELS": LABELS,
            "LETTERS": LETTERS,
            "NAMES": NAMES,
            "STYLES": STYLES,
            "permalink": permalink,
            "sentence_link": sentence_link,
            "page_of": page_of,
            "can_label": can_label,
            # No article makes a page that no browser can hold.
            "SPEAKERS_SHOWN": 200,
            "CLAIMS_SHOWN": 50,
            "CLAIMS_SHOWN_ACROSS": 20,
        }

    def render(self, name: str, **context: Any) -> str:
        """Render a page."""
        return self._environment.get_template(name).render(context)


def percent(share: float) -> str:
    """A share as whole per cent; what is neither none nor all is not shown as such."""
    if 0 < share < 0.01:  # noqa: PLR2004 - one per cent
        return "<1%"
    if 0.99 < share < 1:  # noqa: PLR2004 - all but one per cent
        return "99%"
    return f"{share:.0%}"


def when(moment: str | datetime) -> str:
    """A time in words, in UTC; a date as it is, and what is neither as it came.

    Args:
        moment: as an article has it, or a time in UTC.
    """
    if isinstance(moment, str):
        try:
            if len(moment) == len("YYYY-MM-DD"):
                return _day(date.fromisoformat(moment))
            time = datetime.fromisoformat(moment.upper())
            return moment if time.tzinfo is None else when(time.astimezone(UTC))
        except (ValueError, OverflowError):
            return moment
    return f"{_day(moment)}, {moment:%H:%M} UTC"


def bar(counts: Counts) -> list[tuple[str, float, float]]:
    """The label mix as rectangles in a row: style, left edge and width, together 100 wide."""
    numbers = counts.model_dump()
    total = sum(numbers.values()) or 1
    rectangles, left = [], 0.0
    for label in LABELS:
        width = numbers[label] / total * _BAR_WIDTH
        if width:
            rectangles.append((STYLES[label], round(left, 2), round(width, 2)))
        left += width
    return rectangles


def permalink(article_id: str, number: int, query: str = "") -> str:
    """The address of a sentence, with what is asked for (`Wanted.query`) if anything is."""
    return sentence_link(f"/articles/{segment_of(article_id)}", number, query)


def sentence_link(base: str, number: int, query: str = "") -> str:
    """The same, where the address of its article is at hand."""
    part = page_of(number)
    joint = "&" if query else "?"
    return f"{base}{query}{f'{joint}page={part + 1}' if part else ''}#s{number}"


def shortened(text: str, most: int = _MAX_SHOWN) -> str:
    """A sentence on one line that is not longer than a list can bear."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    # The space does not break: the dots do not stand on a line of their own.
    return f"{line[: most - 2].rpartition(' ')[0] or line[: most - 2]}\N{NO-BREAK SPACE}…"


def name_of(article: LabelledArticle) -> str:
    """What an article is called: its title, else how it begins, else its id."""
    if article.title and article.title.strip():
        return article.title
    if article.sentences:
        return shortened(article.sentences[0].text, _MAX_NAME)
    return article.article_id


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
