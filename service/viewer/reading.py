"""The pages one reads: the list of articles, an article, who says what, and copies of articles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from aiohttp import web

from service import exporting
from service.contracts import LabelledArticle, Sentence
from service.viewer.addresses import article_id_of
from service.viewer.claims import Speaker, asked_for, names_in, speakers, speakers_across
from service.viewer.filtering import Wanted, find, hits, wanted_of
from service.viewer.marking import Piece, marked, page_count, page_of, paragraphs
from service.viewer.pages import sentence_link
from service.viewer.protection import PlainError
from service.viewer.state import LIVE, ORIGINALS, PAGES, PASTE_BOX
from service.viewer.store import Held
from service.viewer.subjects import MAX_CLAIMS, RULE, pairs, places

ARTICLES_A_PAGE: Final = 50
_PAIRS_OF_AN_ARTICLE: Final = 12
_PAIRS_IN_VIEW: Final = 30
# Sources that the search box proposes.
_PROPOSED: Final = 100

_EXPORTS: Final[dict[str, tuple[str, Callable[[LabelledArticle], str]]]] = {
    "json": ("application/json", exporting.to_json),
    "csv": ("text/csv", exporting.to_csv),
    "md": ("text/markdown", exporting.to_markdown),
}
_NOT_HELD: Final = (
    "This article is not here. It was withdrawn, newer ones took its place, "
    "or it has not arrived yet."
)


class View(NamedTuple):
    """What one page of the list shows: articles, and the sentences that they are found by."""

    found: list[tuple[Held, list[Sentence]]]
    total: int
    page: int
    pages: int


async def list_articles(request: web.Request) -> web.Response:
    """Show the articles that have what is asked for, the newest first."""
    wanted = _wanted(request)
    view = _view(request, wanted)
    proposed = _proposed(speakers_across([held.article for held, _ in view.found]))
    return _render(request, "articles.html", wanted, view=view, proposed=proposed)


async def show_sources(request: web.Request) -> web.Response:
    """Show who says what in the articles of one page of the list."""
    wanted = _wanted(request)
    view = _view(request, wanted)
    who = asked_for(speakers_across([held.article for held, _ in view.found]), wanted)
    subjects = _subjects(who, _PAIRS_IN_VIEW)
    return _render(
        request,
        "sources.html",
        wanted,
        view=view,
        speakers=who,
        proposed=_proposed(who),
        **subjects,
    )


async def show_article(request: web.Request) -> web.Response:
    """Show an article from the topic, with its text as it was published where that is there."""
    held = _held(request)
    originals = request.app.get(ORIGINALS)
    # An outage keeps no reader waiting.
    if originals is not None and held.place is not None and request.app[LIVE].fault is None:
        held = await originals.completed(held)
    return _article_page(request, held, is_pasted=False)


async def show_pasted(request: web.Request) -> web.Response:
    """Show a result of the paste box."""
    return _article_page(request, _pasted(request), is_pasted=True)


async def export_article(request: web.Request) -> web.Response:
    """Give an article from the topic as JSON, CSV or Markdown."""
    return _export(request, _held(request))


async def export_pasted(request: web.Request) -> web.Response:
    """Give a result of the paste box as JSON, CSV or Markdown."""
    return _export(request, _pasted(request))


def _article_page(request: web.Request, held: Held, *, is_pasted: bool) -> web.Response:
    wanted, article = _wanted(request), held.article
    found = find(article, wanted, names_in(article))
    # Where nothing is asked for, or only the title has the words, no sentence stands out.
    fitting = {s.index for s in (found or article.sentences)} if found is not None else set()
    page, pages = _page(request, page_count(article))
    base = request.rel_url.raw_path
    who = speakers(article)

    def link(number: int) -> str:
        """Where a sentence of this article is: on this page, or on another part of it."""
        return f"#s{number}" if page_of(number) == page else sentence_link(base, number)

    return _render(
        request,
        "article.html",
        wanted,
        article=article,
        base=base,
        link=link,
        arrived_at=held.arrived_at,
        is_pasted=is_pasted,
        paragraphs=paragraphs(held, wanted, fitting, page),
        fitting=len(fitting),
        page=page,
        pages=pages,
        speakers=who,
        proposed=_proposed(who),
        **_subjects(who, _PAIRS_OF_AN_ARTICLE),
    )


def _render(request: web.Request, name: str, wanted: Wanted, **context: Any) -> web.Response:
    def mark(text: str) -> list[Piece]:
        return marked(text, hits(text, wanted.words))

    live = request.app[LIVE]
    page = request.app[PAGES].render(name, wanted=wanted, live=live, mark=mark, **context)
    return web.Response(text=page, content_type="text/html")


def _wanted(request: web.Request) -> Wanted:
    return wanted_of(request.query, request.query.getall("label", []))


def _page(request: web.Request, pages: int) -> tuple[int, int]:
    """Which page is asked for, counted from 0, and how many there are; nonsense is the first."""
    pages = max(1, pages)
    asked = request.query.get("page", "1")
    number = int(asked) - 1 if asked.isascii() and asked.isdecimal() and len(asked) < 9 else 0  # noqa: PLR2004
    return min(max(number, 0), pages - 1), pages


def _view(request: web.Request, wanted: Wanted) -> View:
    found = []
    for held in request.app[LIVE].store.newest_first():
        names = names_in(held.article) if wanted.source else {}
        sentences = find(held.article, wanted, names)
        if sentences is not None:
            found.append((held, sentences))
    page, pages = _page(request, -(-len(found) // ARTICLES_A_PAGE))
    first = page * ARTICLES_A_PAGE
    return View(found[first : first + ARTICLES_A_PAGE], len(found), page, pages)


def _proposed(who: Sequence[Speaker]) -> list[str]:
    return [speaker.name for speaker in who if speaker.name][:_PROPOSED]


def _subjects(who: Sequence[Speaker], limit: int) -> dict[str, Any]:
    """What the part of a page on claims about the same thing shows."""
    return {
        "pairs": pairs(who, limit),
        "rule": RULE,
        "compared": MAX_CLAIMS,
        "is_cut": sum(len(speaker.claims) for speaker in who) > MAX_CLAIMS,
        "mark_shared": lambda text, stems: marked(text, places(text, stems)),
    }


def _held(request: web.Request) -> Held:
    held = request.app[LIVE].store.get(article_id_of(request.match_info["id"]))
    if held is None:
        raise PlainError(text=_NOT_HELD)
    return held


def _pasted(request: web.Request) -> Held:
    box = request.app.get(PASTE_BOX)
    held = box.get(article_id_of(request.match_info["id"])) if box else None
    if held is None:
        raise PlainError(text="This result is not here any more. Please paste the text again.")
    return held


def _export(request: web.Request, held: Held) -> web.Response:
    kind = request.match_info["kind"]
    content_type, write = _EXPORTS[kind]
    # The id is the producer's; the file's name is ours.
    name = f"article-{held.article.id[:12]}.{kind}"
    return web.Response(
        text=write(held.article),
        content_type=content_type,
        charset="utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
