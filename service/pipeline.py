"""The pure middle of the way: an article in, a labelled article out.

No Kafka, no asyncio, no global state: the stream, the command line, the evaluation and the tests
all go through :func:`label_article`. The outcome depends on the article and the model alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from service.contracts import (
    LABELS,
    Article,
    Counts,
    Extent,
    Label,
    LabelledArticle,
    Model,
    Scores,
    Sentence,
    Span,
    digest,
    labelled_id,
)
from service.extraction import extract
from service.segmentation import Segment, segment
from service.speakers import Told, nearby_speakers

# Scores are rounded so that the last bits of floating-point sums never show in the value.
_SCORE_UNITS = 10_000


class Prediction(NamedTuple):
    """What the model says of one segment.

    ``probabilities`` are those of fact, attributed_claim, opinion and furniture, and sum to 1.
    ``source`` and ``cue`` are half-open code point offsets into the article's text, or None.
    """

    probabilities: tuple[float, float, float, float]
    source: tuple[int, int] | None = None
    cue: tuple[int, int] | None = None


class Usage(NamedTuple):
    """Tokens that went through a network, and how many the windows they went in had room for."""

    tokens: int = 0
    room: int = 0


class Labeller(Protocol):
    """Anything that predicts the segments of one article."""

    @property
    def model(self) -> Model:
        """Name, version and digest of the model."""

    @property
    def usage(self) -> Usage:
        """What it has used so far, all articles together."""

    def predict(self, text: str, segments: Sequence[Segment]) -> list[Prediction]:
        """Predict each segment of the text, in order."""


def label_article(article: Article, labeller: Labeller) -> LabelledArticle:
    """Label every sentence of an article.

    Raises:
        service.extraction.ExtractionError: the article came as HTML without a main text.
    """
    text, extracted = article_text(article)
    segments = segment(text)
    return assemble(
        article,
        text,
        segments,
        labeller.predict(text, segments),
        labeller.model,
        extracted=extracted,
    )


def article_text(article: Article) -> tuple[str, bool]:
    """Find the text that all offsets point into, and whether it was extracted from HTML.

    The body is taken as it came; HTML counts only where there is no body.

    Raises:
        service.extraction.ExtractionError: the HTML has no main text.
    """
    if article.body is not None and (article.html is None or article.body.strip()):
        return article.body, False
    return extract(article.html or "").text, True


def assemble(  # noqa: PLR0913 - each is a product of one step on the way
    article: Article,
    text: str,
    segments: Sequence[Segment],
    predictions: Sequence[Prediction],
    model: Model,
    *,
    extracted: bool,
) -> LabelledArticle:
    """Put the labelled article together from its segments and their predictions."""
    kept: list[tuple[Segment, Prediction, Label]] = []
    furniture: list[Extent] = []
    for part, prediction in zip(segments, predictions, strict=True):
        label = label_of(prediction)
        if label == "furniture":
            furniture.append(Extent(start=part.start, end=part.end))
        else:
            kept.append((part, prediction, label))
    speakers = _speakers(text, kept)
    sentences = tuple(
        _sentence(text, number, *kept[number], speakers[number], model)
        for number in range(len(kept))
    )
    return LabelledArticle(
        id=labelled_id(article, model),
        article_id=article.id,
        title=article.title,
        url=article.url,
        published_at=article.published_at,
        publisher=article.publisher,
        model=model,
        text_digest=digest(text),
        text=text if extracted else None,
        sentences=sentences,
        counts=Counts(**{name: sum(s.label == name for s in sentences) for name in LABELS}),
        furniture=tuple(furniture),
    )


def _speakers(text: str, kept: Sequence[tuple[Segment, Prediction, Label]]) -> list[Span | None]:
    """The source of each sentence that is a claim: its own, or the one named beside it."""
    own = [
        _span(text, prediction.source, number) if label == "attributed_claim" else None
        for number, (_, prediction, label) in enumerate(kept)
    ]
    nearby = nearby_speakers(
        [
            Told(
                text[part.start : part.end],
                part.starts_paragraph,
                label == "attributed_claim",
                span.text if span else None,
                has_cue=prediction.cue is not None,
            )
            for (part, prediction, label), span in zip(kept, own, strict=True)
        ]
    )
    return [span if other is None else own[other] for span, other in zip(own, nearby, strict=True)]


def _sentence(  # noqa: PLR0913, PLR0917 - what a sentence is made of
    text: str,
    number: int,
    part: Segment,
    prediction: Prediction,
    label: Label,
    source: Span | None,
    model: Model,
) -> Sentence:
    scores = round_scores(prediction.probabilities[:3])
    confidence = getattr(scores, label)
    return Sentence(
        index=number,
        start=part.start,
        end=part.end,
        text=text[part.start : part.end],
        label=label,
        confidence=confidence,
        uncertain=confidence < model.uncertain_below,
        scores=scores,
        source=source,
        cue=_span(text, prediction.cue, number) if label == "attributed_claim" else None,
    )


def label_of(prediction: Prediction) -> Label | Literal["furniture"]:
    """The most probable class."""
    *labels, furniture = prediction.probabilities
    if furniture > max(labels):
        return "furniture"
    return LABELS[labels.index(max(labels))]


def round_scores(weights: Sequence[float]) -> Scores:
    """Normalise three non-negative weights to four decimals that sum to exactly 1.

    The units that rounding down leaves over go to the largest remainders (Hamilton's method), so
    the order of the weights is kept.
    """
    total = sum(weights)
    shares = [weight / total * _SCORE_UNITS for weight in weights]
    units = [int(share) for share in shares]
    by_remainder = sorted(range(3), key=lambda i: (units[i] - shares[i], i))
    for i in by_remainder[: _SCORE_UNITS - sum(units)]:
        units[i] += 1
    return Scores(**{label: unit / _SCORE_UNITS for label, unit in zip(LABELS, units, strict=True)})


def _span(text: str, offsets: tuple[int, int] | None, number: int) -> Span | None:
    if offsets is None:
        return None
    start, end = offsets
    return Span(start=start, end=end, text=text[start:end], sentence_index=number)
