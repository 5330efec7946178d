"""Counts what two models say differently of the same articles, and keeps the worst cases."""

from __future__ import annotations

import bisect
from collections import Counter
from typing import Final

from service.comparing.results import Coverage, Disagreement, Report, SideFigures, Verdict
from service.contracts import LABELS, Extent, LabelledArticle, Model, Sentence
from service.scores import confusion

_CLAIM: Final = "attributed_claim"
_CLASSES: Final = (*LABELS, "furniture")

# What stands in one place of an article.
_Part = Sentence | Extent
_Offsets = tuple[int, int]


class Side:
    """One of the two: what it said so far."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.seconds = 0.0
        self._models: Counter[Model] = Counter()
        self._labels: Counter[str] = Counter()
        self._confidence = 0.0
        self._uncertain = 0

    def add(self, article: LabelledArticle) -> None:
        """Count one article."""
        self._models[article.model] += 1
        self._labels.update(article.counts.model_dump())
        self._labels["furniture"] += len(article.furniture)
        self._confidence += sum(sentence.confidence for sentence in article.sentences)
        self._uncertain += sum(sentence.uncertain for sentence in article.sentences)

    def figures(self) -> SideFigures:
        """What it said, in figures."""
        parts = self._labels.total()
        sentences = parts - self._labels["furniture"]
        return SideFigures(
            models=tuple(model for model, _ in self._models.most_common()),
            sentences=sentences,
            mix={name: self._labels[name] / parts for name in _CLASSES} if parts else None,
            mean_confidence=self._confidence / sentences if sentences else None,
            uncertain_share=self._uncertain / sentences if sentences else None,
            # The bench counts furniture as well: each part has to be labelled.
            sentences_per_s=parts / self.seconds if self.seconds else None,
        )


class Comparison:
    """Takes articles one by one, each as both labelled it, and holds none of them."""

    def __init__(self, most_shown: int) -> None:
        """Take how many disagreements are kept."""
        self.a, self.b = Side(), Side()
        self._most_shown = most_shown
        self._articles = 0
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._cut_differently = 0
        self._claims = self._sources = self._cues = 0
        self._worst: list[Disagreement] = []

    def add(self, a: LabelledArticle, b: LabelledArticle) -> None:
        """Compare one article, as the first and as the second labelled the same text of it."""
        self._articles += 1
        self.a.add(a)
        self.b.add(b)
        ours, theirs = _parts(a), _parts(b)
        self._cut_differently += len(ours.keys() ^ theirs.keys())
        for place in sorted(ours.keys() & theirs.keys()):
            self._compare(a.article_id, ours[place], theirs[place])

    def report(self, articles: Coverage | None = None) -> Report:
        """Everything so far.

        Args:
            articles: which articles there were, where not all were compared.
        """
        parts = self._pairs.total()
        differing = sum(count for (a, b), count in self._pairs.items() if a != b)
        return Report(
            articles=articles or Coverage(compared=self._articles),
            parts=parts,
            differing=differing,
            differing_share=differing / parts if parts else 0.0,
            cut_differently=self._cut_differently,
            confusion=confusion(self._pairs.elements()),
            claims_of_both=self._claims,
            sources_differing=self._sources,
            cues_differing=self._cues,
            a=self.a.figures(),
            b=self.b.figures(),
            disagreements=tuple(self._worst),
        )

    def _compare(self, article_id: str, a: _Part, b: _Part) -> None:
        labels = _label(a), _label(b)
        self._pairs[labels] += 1
        if labels[0] != labels[1]:
            self._keep(article_id, a, b)
        elif isinstance(a, Sentence) and isinstance(b, Sentence) and a.label == _CLAIM:
            self._claims += 1
            self._sources += _offsets(a.source) != _offsets(b.source)
            self._cues += _offsets(a.cue) != _offsets(b.cue)

    def _keep(self, article_id: str, a: _Part, b: _Part) -> None:
        # Of two labels that differ one at most is furniture, so the text is at hand.
        (text, *_) = (part.text for part in (a, b) if isinstance(part, Sentence))
        found = Disagreement(
            article_id=article_id,
            start=a.start,
            end=a.end,
            text=text,
            a=_verdict(a),
            b=_verdict(b),
        )
        bisect.insort(self._worst, found, key=_rank)
        del self._worst[self._most_shown :]


def _parts(article: LabelledArticle) -> dict[_Offsets, _Part]:
    """Sentences and furniture, by where they stand."""
    parts: list[_Part] = [*article.sentences, *article.furniture]
    return {(part.start, part.end): part for part in parts}


def _label(part: _Part) -> str:
    return part.label if isinstance(part, Sentence) else "furniture"


def _verdict(part: _Part) -> Verdict:
    confidence = part.confidence if isinstance(part, Sentence) else None
    return Verdict(label=_label(part), confidence=confidence)


def _offsets(span: Extent | None) -> _Offsets | None:
    return None if span is None else (span.start, span.end)


def _rank(found: Disagreement) -> tuple[bool, float]:
    """The surer both are, the earlier it comes. How sure furniture is, an article does not say."""
    told = [one.confidence for one in (found.a, found.b) if one.confidence is not None]
    return len(told) < 2, -min(told)  # noqa: PLR2004 - the two of them
