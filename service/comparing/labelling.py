"""Labels articles with two models in turns, so that their speeds can be compared too."""

from __future__ import annotations

from collections.abc import Iterable
from time import perf_counter
from typing import Final

from service.comparing.counting import Comparison, Side
from service.comparing.results import Report
from service.contracts import Article, LabelledArticle
from service.pipeline import Labeller, label_article

# The first call of a network makes room for its numbers; that is no article's doing.
_WARM_UP: Final = Article(id="warm-up", body="The council met on Monday. The mayor said it rained.")


def compare_labellers(
    a: Labeller, b: Labeller, articles: Iterable[Article], most_shown: int
) -> Report:
    """Compare two labellers.

    Args:
        a: the one in force.
        b: the one to be.
        articles: each with its text as ``body``, so that no page is read twice.
        most_shown: how many disagreements are kept.
    """
    found = Comparison(most_shown)
    for labeller in (a, b):
        label_article(_WARM_UP, labeller)
    for number, article in enumerate(articles):
        # Whoever comes second finds the text in the processor's cache: they take turns.
        if number % 2:
            theirs = _timed(article, b, found.b)
            found.add(_timed(article, a, found.a), theirs)
        else:
            ours = _timed(article, a, found.a)
            found.add(ours, _timed(article, b, found.b))
    return found.report()


def _timed(article: Article, labeller: Labeller, side: Side) -> LabelledArticle:
    started = perf_counter()
    labelled = label_article(article, labeller)
    side.seconds += perf_counter() - started
    return labelled
