"""Lets a released model label articles that nobody annotated, for a smaller one to learn from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import torch
from rich.progress import track

from models.training.corpora import TEXTS, corpus_file, sha256
from service.pipeline import Labeller, label_of
from service.segmentation import segment
from service.torch_backend import computes_in_bfloat16

_SHINGLE = 8
# An article that shares more of its runs of eight words than this with an annotated one is a copy.
_COPIED = 0.03
_MAX_SEGMENTS = 60


def teach(
    labeller: Labeller, data: Path, out: Path, limit: int | None = None, skip: int = 0
) -> None:
    """Write what a teacher says of the unlabelled articles, in the form of our annotations.

    Goes on where an interrupted run stopped. The first articles of two runs are the same.

    Args:
        labeller: the teacher.
        data: folder of the corpora.
        out: file of JSON lines; appended to.
        limit: of articles.
        skip: so many of the first articles are left out.
    """
    done = set()
    if out.exists():
        with out.open(encoding="utf-8") as lines:
            done = {json.loads(line)["text_sha256"] for line in lines}
    articles = list(islice(unlabelled(data), skip, None if limit is None else skip + limit))
    with out.open("a", encoding="utf-8") as file:
        for name, text in track(articles, "labelling"):
            if (digest := sha256(text)) not in done:
                record = {"id": name, "text_sha256": digest, "sentences": _rows(labeller, text)}
                file.write(json.dumps(record, separators=(",", ":")) + "\n")
                file.flush()


def unlabelled(data: Path) -> Iterator[tuple[str, str]]:
    """Id and text of raw articles that are neither annotated nor copies of what is, dev least."""
    seen: set[int] = set()
    annotated = set()
    with corpus_file(data, "labelled_articles").open(encoding="utf-8") as lines:
        for line in lines:
            seen |= shingles(json.loads(line)["text"])
    if (own := corpus_file(data, "annotations")).exists():
        with own.open(encoding="utf-8") as lines:
            annotated = {json.loads(line)["text_sha256"] for line in lines}
    with (data / TEXTS).open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            words = shingles(record["text"])
            if sha256(record["text"]) in annotated:
                continue
            if len(words & seen) <= _COPIED * len(words):
                seen |= words
                yield record["id"], record["text"]


def shingles(text: str) -> set[int]:
    """Hashes of all runs of eight words of a text."""
    words = text.lower().split()
    return {hash(tuple(words[i : i + _SHINGLE])) for i in range(max(1, len(words) - _SHINGLE + 1))}


def _rows(labeller: Labeller, text: str) -> list[list[object]]:
    """One row a sentence: offsets, probabilities, and for claims source and cue."""
    segments = segment(text)[:_MAX_SEGMENTS]
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=computes_in_bfloat16()):
        predictions = labeller.predict(text, segments)
    rows: list[list[object]] = []
    for part, found in zip(segments, predictions, strict=True):
        row: list[object] = [part.start, part.end, [round(p, 4) for p in found.probabilities]]
        if label_of(found) == "attributed_claim":
            row += [_relative(span, part.start) for span in (found.source, found.cue)]
        rows.append(row)
    return rows


def _relative(span: tuple[int, int] | None, start: int) -> list[int] | None:
    return [span[0] - start, span[1] - start] if span else None
