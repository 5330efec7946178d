"""Reads annotated articles, for scoring and for training.

Two forms are understood, one JSON object a line (or, in a file ``.json``, just one): articles
labelled by the codebook (``text`` and ``sentences`` with ``start``, ``end``, ``label``, perhaps
``source`` and ``cue``), and corpora of sentences with partial labels and attribution spans (PolNeAR
and its like), whose sentences are joined into a text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.blocks import has_break
from service.contracts import LABELS
from service.segmentation import Segment

Offsets = tuple[int, int]
CLASSES = (*LABELS, "furniture")
ALL = frozenset(CLASSES)


class GoldError(ValueError):
    """A line is not in a form that can be read; the message says which and why."""


@dataclass(frozen=True)
class GoldSentence:
    """A sentence and what its annotation says, or leaves open.

    ``allowed`` holds the classes that the annotation admits: one when the sentence is labelled,
    all when nothing is known. ``spans`` is None where spans were not annotated, otherwise source
    and cue as offsets into the article's text, each None where there is none. ``probabilities``
    of the classes stand where a teacher model said them instead of an annotator.
    """

    segment: Segment
    allowed: frozenset[str]
    sure: bool = True
    spans: tuple[Offsets | None, Offsets | None] | None = None
    probabilities: tuple[float, ...] | None = None

    @property
    def label(self) -> str | None:
        """The class, if the annotation leaves just one."""
        return next(iter(self.allowed)) if len(self.allowed) == 1 else None


@dataclass(frozen=True)
class GoldArticle:
    """An annotated article."""

    id: str
    split: str | None
    text: str
    sentences: tuple[GoldSentence, ...]
    # Corpora with a notion of labels of their own are fit to learn from, not to be scored on.
    by_codebook: bool = True
    # The kind of article, or where it was collected: scores are told apart by it.
    group: str | None = None


def read(path: Path) -> Iterator[GoldArticle]:
    """Read annotated articles.

    Raises:
        GoldError: a line is no JSON or in neither form.
        OSError: the file cannot be read.
    """
    with path.open(encoding="utf-8") as lines:
        # A file of one article may be laid out over many lines.
        for number, text in enumerate([lines.read()] if path.suffix == ".json" else lines, 1):
            if not text.strip():
                continue
            try:
                record = json.loads(text)
                build = _labelled if "text" in record else _partial
                article = build(record)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                reason = f"no field {error}" if isinstance(error, KeyError) else error
                raise GoldError(f"{path.name}, line {number}: {reason}") from error
            yield article


def _labelled(record: dict[str, Any]) -> GoldArticle:
    text, previous = record["text"], 0
    sentences: list[GoldSentence] = []
    for sentence in record["sentences"]:
        start, end, label = sentence["start"], sentence["end"], sentence["label"]
        if not previous <= start < end <= len(text):
            raise ValueError(f"sentence {start}:{end} is out of order or outside the text")
        if label is not None and label not in CLASSES:
            raise ValueError(f"unknown label {label!r}")
        spans: tuple[Offsets | None, Offsets | None] | None = None
        if record.get("spans"):
            spans = (_shifted(sentence.get("source"), start), _shifted(sentence.get("cue"), start))
        sentences.append(
            GoldSentence(
                Segment(start, end, not sentences or has_break(text, previous, start)),
                frozenset([label]) if label else ALL,
                sentence.get("sure", True),
                spans,
            )
        )
        previous = end
    return GoldArticle(
        record["doc_id"],
        record.get("split"),
        text,
        tuple(sentences),
        group=record.get("group"),
    )


def _shifted(mark: dict[str, int] | None, start: int) -> Offsets | None:
    return (start + mark["start"], start + mark["end"]) if mark else None


def _partial(record: dict[str, Any]) -> GoldArticle:
    has_spans = record["dataset"] == "polnear"
    text, paragraph = "", None
    sentences: list[GoldSentence] = []
    for sentence in record["sentences"]:
        starts = not sentences or sentence.get("para") != paragraph
        paragraph = sentence.get("para")
        text += ("\n" if starts else " ") if sentences else ""
        start, label, allowed = len(text), sentence.get("label"), sentence.get("allowed")
        text += sentence["text"]
        spans = main_attribution(sentence["spans"]) if has_spans else None
        sentences.append(
            GoldSentence(
                Segment(start, len(text), starts),
                frozenset([label]) if label else frozenset(allowed) if allowed else ALL,
                spans=spans and (_moved(spans[0], start), _moved(spans[1], start)),
            )
        )
    return GoldArticle(
        record["doc_id"], record.get("split"), text, tuple(sentences), by_codebook=False
    )


def _moved(span: Offsets | None, start: int) -> Offsets | None:
    return (start + span[0], start + span[1]) if span else None


def main_attribution(marks: list[dict[str, Any]]) -> tuple[Offsets | None, Offsets | None]:
    """Source and cue of the attribution that covers most of the sentence (PolNeAR's spans).

    Where one is in several pieces, the longest stands for it.
    """
    sizes: dict[str, int] = {}
    for mark in marks:
        sizes[mark["attr"]] = sizes.get(mark["attr"], 0) + mark["end"] - mark["start"]
    if not sizes:
        return None, None
    main = max(sizes, key=lambda name: (sizes[name], name))

    def longest(kind: str) -> Offsets | None:
        spans = [
            (mark["start"], mark["end"])
            for mark in marks
            if mark["attr"] == main and mark["type"] == kind
        ]
        return max(spans, key=lambda span: span[1] - span[0], default=None)

    return longest("source"), longest("cue")
