"""Reads the corpora that a recipe names; dev splits stay out.

A corpus is a file in the folder of data, or one beside this module, of our own making. Of those,
``supplement.jsonl`` holds texts of our own writing; ``annotations.jsonl`` holds our annotations of
articles whose texts are in the data's ``raw_articles.jsonl`` and stay there: a line names the
article and the digest of its text, and has for each sentence a list of

- start and end in the text,
- the label's first letter (f, a, o, x for furniture), with ``?`` where the annotator hesitated; or,
  where a teacher model labelled, the probabilities of the four classes,
- for claims source and cue as [start, end] in the sentence, or null,
- for claims whose speaker another sentence names, its number and [start, end] in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from service.blocks import has_break
from service.gold import ALL, GoldArticle, GoldSentence, Offsets, read
from service.segmentation import Segment

OWN = Path(__file__).parent
TEXTS = "raw_articles.jsonl"
_LETTERS = {"f": "fact", "a": "attributed_claim", "o": "opinion", "x": "furniture"}


def corpus_file(data: Path, name: str) -> Path:
    """Where a corpus is: in the folder of data, or, of our own making, beside this module."""
    file = data / f"{name}.jsonl"
    return file if file.exists() else OWN / file.name


def corpus(data: Path, name: str, file: Path | None = None) -> list[GoldArticle]:
    """Read a corpus by its name, without its dev split.

    Args:
        data: folder of the corpora.
        name: the corpus.
        file: where it is, if not where :func:`corpus_file` says.

    Raises:
        OSError: there is no such corpus.
        ValueError: it is damaged, or annotates other texts than those in the data.
    """
    file = file or corpus_file(data, name)
    with file.open(encoding="utf-8") as lines:
        apart = "text_sha256" in json.loads(next(lines))
    articles = annotated(file, data / TEXTS) if apart else read(file)
    return [article for article in articles if article.split in ("train", None)]


def texts(file: Path) -> dict[str, str]:
    """Texts of the articles in a file, by their digest."""
    with file.open(encoding="utf-8") as lines:
        return {sha256(text): text for text in (json.loads(line)["text"] for line in lines)}


def sha256(text: str) -> str:
    """Hexadecimal digest of a text's UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def annotated(file: Path, text_file: Path) -> Iterator[GoldArticle]:
    """Join annotations with the texts that they are of.

    Raises:
        ValueError: a text is not there, or a line is not in the form described above.
    """
    known = texts(text_file)
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            record = json.loads(line)
            text = known.get(record["text_sha256"])
            if text is None:
                raise ValueError(f"{file.name}, line {number}: its text is not in {text_file.name}")
            yield GoldArticle(record["id"], None, text, tuple(_sentences(record, text)))


def _sentences(record: dict[str, Any], text: str) -> Iterator[GoldSentence]:
    previous = None
    for start, end, label, *rest in record["sentences"]:
        starts = previous is None or has_break(text, previous, start)
        source, cue = (_shifted(span, start) for span in [*rest, None, None][:2])
        by_hand = isinstance(label, str)
        yield GoldSentence(
            Segment(start, end, starts),
            frozenset([_LETTERS[label[0]]]) if by_hand else ALL,
            sure=not (by_hand and label.endswith("?")),
            # What is no claim has no spans to learn.
            spans=(source, cue) if rest else None,
            probabilities=None if by_hand else tuple(label),
        )
        previous = end


def _shifted(span: list[int] | None, start: int) -> Offsets | None:
    return (start + span[0], start + span[1]) if span else None
