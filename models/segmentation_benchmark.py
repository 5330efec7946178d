"""Measure sentence splitters on news: why ``service.stops`` has rules of its own.

Run ``python -m models.segmentation_benchmark PATH_TO_labelled_articles.jsonl``. A boundary is the
place where a sentence starts, an article's first excepted. The hard cases are the project's own.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from service.gold import GoldArticle, read
from service.segmentation import segment

HARD_CASES: Final = Path(__file__).parents[1] / "tests" / "data" / "hard_sentences.json"

Splitter = Callable[[str], Iterable[tuple[int, int]]]


class Case(NamedTuple):
    """A text that is hard to divide, and its sentences."""

    name: str
    text: str
    sentences: tuple[str, ...]


class Score(NamedTuple):
    """How a splitter's boundaries compare with the annotated ones."""

    precision: float
    recall: float
    f1: float
    microseconds: float  # for each annotated sentence


def hard_cases(path: Path = HARD_CASES) -> list[Case]:
    """Read the hard cases."""
    cases = json.loads(path.read_text(encoding="utf-8"))
    return [Case(case["name"], case["text"], tuple(case["sentences"])) for case in cases]


def ours(text: str) -> list[tuple[int, int]]:
    """Divide as the service does."""
    return [(part.start, part.end) for part in segment(text)]


def libraries() -> dict[str, Splitter | None]:
    """Give each library's splitter in its best setting for news, None if it is not installed."""
    return {
        name: _if_installed(load)
        for name, load in (("nupunkt", _nupunkt), ("sentencex", _sentencex), ("syntok", _syntok))
    }


def tight(text: str, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Take off the white space around a text's pieces, and leave out empty ones."""
    pieces = []
    for start, end in spans:
        piece = text[start:end]
        if content := piece.strip():
            left = start + len(piece) - len(piece.lstrip())
            pieces.append((left, left + len(content)))
    return pieces


def measure(splitter: Splitter, articles: Sequence[GoldArticle]) -> Score:
    """Compare a splitter's boundaries with the annotated ones."""
    right = found = annotated = sentences = 0
    seconds = 0.0
    for article in articles:
        began = time.perf_counter()
        spans = list(splitter(article.text))
        seconds += time.perf_counter() - began
        starts = [sentence.segment.start for sentence in article.sentences]
        gold = set(starts[1:])
        own = {start for start, _ in tight(article.text, spans)} - set(starts[:1])
        right += len(gold & own)
        found += len(own)
        annotated += len(gold)
        sentences += len(starts)
    precision = right / found if found else 0.0
    recall = right / annotated if annotated else 0.0
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return Score(precision, recall, f1, seconds / max(sentences, 1) * 1e6)


def cases_right(splitter: Splitter, cases: Iterable[Case]) -> list[str]:
    """Name the hard cases that a splitter divides just as they should be."""
    return [
        case.name
        for case in cases
        if case.sentences
        == tuple(case.text[start:end] for start, end in tight(case.text, splitter(case.text)))
    ]


def main() -> None:
    """Print a table of the splitters for each split of the articles."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and its argument
        sys.exit("usage: python -m models.segmentation_benchmark PATH_TO_labelled_articles.jsonl")
    articles = list(read(Path(sys.argv[1])))
    cases = hard_cases()
    console = Console()
    for split in sorted({article.split or "all" for article in articles}):
        part = [article for article in articles if (article.split or "all") == split]
        table = Table(title=f"{split}: {len(part)} articles; {len(cases)} hard cases")
        for heading in ("splitter", "precision", "recall", "F1", "hard cases", "µs a sentence"):
            table.add_column(heading, justify="left" if heading == "splitter" else "right")
        for name, splitter in ({"ours": ours} | libraries()).items():
            if splitter is None:
                table.add_row(name, "not installed")
                continue
            score = measure(splitter, part)
            figures = (f"{value:.4f}" for value in score[:3])
            hard = len(cases_right(splitter, cases))
            table.add_row(name, *figures, str(hard), f"{score.microseconds:.1f}")
        console.print(table)


def _if_installed(load: Callable[[], Splitter]) -> Splitter | None:
    try:
        return load()
    except ImportError:
        return None


def _nupunkt() -> Splitter:
    import nupunkt  # noqa: PLC0415 - not needed to run the service

    tokenizer = nupunkt.load("default")
    return lambda text: tokenizer.spans(text, line_breaks=True)


def _sentencex() -> Splitter:
    import sentencex  # noqa: PLC0415 - not needed to run the service

    def split(text: str) -> Iterable[tuple[int, int]]:
        for piece in sentencex.get_sentence_boundaries("en", text):
            yield piece["start_index"], piece["end_index"]

    return split


def _syntok() -> Splitter:
    from syntok import segmenter  # noqa: PLC0415 - not needed to run the service

    def split(text: str) -> Iterable[tuple[int, int]]:
        for paragraph in segmenter.analyze(text):
            for sentence in paragraph:
                yield sentence[0].offset, sentence[-1].offset + len(sentence[-1].value)

    return split


if __name__ == "__main__":
    main()
