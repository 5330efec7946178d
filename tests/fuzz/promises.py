"""What holds for every labelled article, whatever its text: the promises of the contract."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from functools import cache
from typing import Final

from jsonschema import Draft202012Validator

from service.contracts import Article, LabelledArticle, Sentence, labelled_id
from service.schemas import schemas

_MOST: Final = 20


def check(article: Article, text: str, labelled: LabelledArticle) -> None:
    """Check everything that follows from the article and its text.

    Args:
        article: what was labelled.
        text: what the offsets point into.
        labelled: what came of it.

    Raises:
        AssertionError: a promise is broken.
    """
    _check_cover(text, labelled)
    for number, sentence in enumerate(labelled.sentences):
        assert sentence.index == number
        assert text[sentence.start : sentence.end] == sentence.text
        _check_scores(sentence)
        _check_spans(text, sentence, labelled)
    counts = labelled.counts.model_dump()
    assert counts == {name: sum(s.label == name for s in labelled.sentences) for name in counts}
    assert labelled.text_digest == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    assert labelled.text in {None, text}
    assert labelled.id == labelled_id(article, labelled.model)
    assert labelled.article_id == article.id


def check_value(labelled: LabelledArticle) -> None:
    """Check what goes out: one line of UTF-8 that its schema allows and that reads back the same.

    Raises:
        AssertionError: it is none.
    """
    value = labelled.to_json()
    assert "\n" not in value
    assert LabelledArticle.model_validate_json(value.encode()) == labelled
    read = json.loads(value)
    for name in ("sentences", "furniture"):
        # One is like another, and the validator takes a millisecond for each.
        read[name] = read[name][:_MOST] + read[name][-_MOST:]
    fault = next(_validator().iter_errors(read), None)
    assert fault is None, fault


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schemas()["labelled-article.v1.json"])


def _check_cover(text: str, labelled: LabelledArticle) -> None:
    """Sentences and furniture are in order and apart, and only white space is in neither."""
    parts = sorted((part.start, part.end) for part in (*labelled.sentences, *labelled.furniture))
    for several in (labelled.sentences, labelled.furniture):
        starts = [part.start for part in several]
        assert starts == sorted(starts)
    at = 0
    for start, end in parts:
        assert at <= start < end <= len(text)
        assert not text[at:start].strip()
        assert not text[start].isspace()
        assert not text[end - 1].isspace()
        at = end
    assert not text[at:].strip()


def _check_scores(sentence: Sentence) -> None:
    scores = sentence.scores.model_dump()
    exact = [Decimal(repr(score)) for score in scores.values()]
    assert sum(exact) == 1
    assert all(score == round(score, 4) for score in exact)
    assert sentence.confidence == scores[sentence.label] == max(scores.values())


def _check_spans(text: str, sentence: Sentence, labelled: LabelledArticle) -> None:
    """Spans quote the text, inside the sentences that they name; only claims have them."""
    for span in (sentence.source, sentence.cue):
        if span is None:
            continue
        assert sentence.label == "attributed_claim"
        holder = labelled.sentences[span.sentence_index]
        assert holder.start <= span.start < span.end <= holder.end
        assert text[span.start : span.end] == span.text
    assert sentence.cue is None or sentence.cue.sentence_index == sentence.index
