"""Turns annotated articles into windows of token ids with their targets."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from service.gold import CLASSES, GoldArticle, Offsets
from service.windows import Window, WindowLayout, pack

# In a pair of token positions: not annotated, so nothing is learnt of it.
UNKNOWN = (-1, -1)


class Target(NamedTuple):
    """What is to be learnt of one sentence.

    ``allowed`` is 1 for each class that the annotation admits; ``teacher`` are the probabilities
    that a teacher gave, or all 0. ``source`` and ``cue`` are first
    and last token within the segment, counted with the marker as 0 (so (0, 0) is "none").
    """

    allowed: tuple[float, ...]
    teacher: tuple[float, ...]
    weight: float
    source: tuple[int, int]
    cue: tuple[int, int]


class Encoded(NamedTuple):
    """A tokenised article."""

    id: str
    segments: list[list[int]]
    starts_paragraph: list[bool]
    targets: list[Target]


class Example(NamedTuple):
    """A window and the article it comes from."""

    article: Encoded
    window: Window


def encode(
    articles: Iterable[GoldArticle], tokenizer: Any, *, unsure_weight: float, weight: float = 1.0
) -> list[Encoded]:
    """Tokenise articles; sentences whose annotator hesitated count ``unsure_weight``."""
    encoded = []
    for article in articles:
        parts = [sentence.segment for sentence in article.sentences]
        if not parts:
            continue
        tokens = tokenizer(
            [article.text[part.start : part.end] for part in parts],
            add_special_tokens=False,
            return_offsets_mapping=True,
            return_attention_mask=False,
            verbose=False,
        )
        targets = []
        for sentence, offsets in zip(article.sentences, tokens["offset_mapping"], strict=True):
            source, cue = UNKNOWN, UNKNOWN
            # Where there is no claim there is no span, and none is looked for: nothing to learn.
            claim = sentence.label == "attributed_claim" or sentence.probabilities
            if sentence.spans is not None and claim:
                source, cue = (
                    _positions(span, offsets, sentence.segment.start) for span in sentence.spans
                )
            targets.append(
                Target(
                    tuple(float(name in sentence.allowed) for name in CLASSES),
                    sentence.probabilities or (0.0,) * len(CLASSES),
                    weight * (1.0 if sentence.sure else unsure_weight),
                    source,
                    cue,
                )
            )
        encoded.append(
            Encoded(
                article.id,
                tokens["input_ids"],
                [part.starts_paragraph for part in parts],
                targets,
            )
        )
    return encoded


def _positions(span: Offsets | None, offsets: Sequence[Offsets], base: int) -> tuple[int, int]:
    """First and last token that touch the span, 1 for the segment's first token."""
    if span is None:
        return 0, 0
    touched = [
        number
        for number, (start, end) in enumerate(offsets, 1)
        if base + start < span[1] and base + end > span[0]
    ]
    return (touched[0], touched[-1]) if touched else UNKNOWN


def examples(
    articles: Sequence[Encoded], layout: WindowLayout, rng: random.Random | None = None
) -> list[Example]:
    """Cut articles into windows; with a generator, the first window's size is drawn."""
    return [
        Example(article, window)
        for article in articles
        for window in pack(
            article.segments,
            article.starts_paragraph,
            layout,
            first_capacity=rng.randint(layout.max_tokens // 4, layout.max_tokens) if rng else None,
        )
    ]
