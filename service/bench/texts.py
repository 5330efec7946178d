"""What is labelled in a measurement: the texts of articles, and texts of a given length."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

from service.bench.errors import BenchError
from service.decoding import DecodeError, decode
from service.extraction import ExtractionError
from service.files import list_files, read_records
from service.pipeline import article_text
from service.segmentation import segment

_WORD = re.compile(r"\S+")


class Text(NamedTuple):
    """An article's text, and how many sentences the splitter finds in it, furniture included."""

    name: str
    text: str
    sentences: int

    @property
    def words(self) -> int:
        """How many words it has, as white space divides them."""
        return len(self.text.split())


def read_texts(paths: Sequence[Path], standard_input: bytes = b"") -> list[Text]:
    """Read the articles of files and folders; those without any sentence are left out.

    Raises:
        service.files.FileError: a file is not there or cannot be read.
        BenchError: an article is none, or no article has a sentence.
    """
    texts = []
    for path in list_files(paths):
        for record in read_records(path, standard_input):
            try:
                article = decode(record.value)
                if article is None:
                    continue
                text, _ = article_text(article)
            except (DecodeError, ExtractionError) as error:
                raise BenchError(f"{record.origin}: {error}") from error
            if sentences := len(segment(text)):
                texts.append(Text(article.id, text, sentences))
    if not texts:
        raise BenchError(f"{', '.join(map(str, paths))}: no sentence to label")
    return texts


def with_words(texts: Sequence[Text], count: int, first: int = 0) -> str:
    """A text of so many words: the articles one after the other, over again where they end.

    Args:
        texts: the articles.
        count: how many words.
        first: the number of the article to begin with.
    """
    taken, words = [], 0
    for text in islice(cycle(texts), first % len(texts), None):
        taken.append(text.text)
        words += text.words
        if words >= count:
            break
    joined = "\n\n".join(taken)
    last = next(islice(_WORD.finditer(joined), count - 1, None))
    return joined[: last.end()]
