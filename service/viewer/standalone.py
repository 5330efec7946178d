"""Writes labelled articles as one page that needs nothing else: no server, no script, no font.

It has the viewer's own style sheet, marks and templates. A policy in its head forbids it to load
or run anything, whatever stands in the articles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Final, NamedTuple

from service.contracts import LabelledArticle
from service.viewer.claims import Speaker, speakers
from service.viewer.filtering import Wanted
from service.viewer.marking import Part, page_count, paragraphs
from service.viewer.pages import FOLDER, Pages
from service.viewer.store import Held

_STYLES: Final = FOLDER / "static" / "viewer.css"


class _Shown(NamedTuple):
    """An article on the page; ``anchor`` begins the ids of its sentences."""

    article: LabelledArticle
    paragraphs: list[list[Part]]
    speakers: list[Speaker]
    anchor: str
    link: Callable[[int], str]


def to_html(articles: Sequence[tuple[LabelledArticle, str | None]]) -> str:
    """Write a page of labelled articles.

    Args:
        articles: each with its own text, where that is at hand: furniture is then shown.
    """
    return _pages().render(
        "standalone.html",
        styles=_STYLES.read_text(encoding="utf-8"),
        articles=[_shown(number, *pair) for number, pair in enumerate(articles, 1)],
    )


@cache
def _pages() -> Pages:
    # Compiling the templates takes twenty times as long as filling them in.
    return Pages(can_label=False)


def _shown(number: int, article: LabelledArticle, text: str | None) -> _Shown:
    held = Held(article, 0, text=article.text if text is None else text)
    everything = range(len(article.sentences))
    cut = [
        paragraph
        for part in range(page_count(article))
        for paragraph in paragraphs(held, Wanted(), everything, part)
    ]
    anchor = f"a{number}-"
    return _Shown(article, cut, speakers(article), anchor, lambda index: f"#{anchor}s{index}")
