"""Labelled articles for the viewer's tests, labelled by a few words (`tests.labellers`)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from service.contracts import Article, LabelledArticle
from service.pipeline import label_article
from service.viewer.store import Held
from tests.labellers import RuleLabeller

BODY = (
    "Prices rose in May. Anna Ortiz said inflation was falling.\n\n"
    "We should wait. The bank claimed inflation would fall further."
)


def labelled(article_id: str = "a", body: str = BODY, **fields: Any) -> LabelledArticle:
    """Label a text: claims by a cue, opinions by *should*, furniture by *Read more*, else facts."""
    article = Article(id=article_id, body=body, **fields)
    return label_article(article, RuleLabeller())


def held(article_id: str = "a", body: str = BODY, **fields: Any) -> Held:
    """The same, as it is held, with its text at hand."""
    article = labelled(article_id, body, **fields)
    return Held(article, len(article.to_json()), datetime(2026, 11, 24, 8, 0, tzinfo=UTC), body)


def changed(article: LabelledArticle, number: int, **values: Any) -> LabelledArticle:
    """The article with one of its sentences changed; nothing is checked."""
    sentences = list(article.sentences)
    sentences[number] = sentences[number].model_copy(update=values)
    return article.model_copy(update={"sentences": tuple(sentences)})
