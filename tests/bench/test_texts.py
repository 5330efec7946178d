"""What is labelled: articles of files, and texts of a given length."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.bench.errors import BenchError
from service.bench.texts import Text, read_texts, with_words
from service.files import FileError
from service.segmentation import segment

TEXTS = [Text("a", "One two three.", 1), Text("b", "Four five.\n\nSix.", 2)]


def test_articles_of_files_with_their_sentences(tmp_path: Path) -> None:
    """Each article's text and its sentences; those without a sentence are left out."""
    lines = [{"id": "a", "body": "It rained. It snowed."}, {"id": "b", "body": "  "}]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (tmp_path / "y.txt").write_text("He said so.")
    assert read_texts([tmp_path]) == [
        Text("a", "It rained. It snowed.", 2),
        Text("y", "He said so.", 1),
    ]


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A missing file, no article, and no sentence are different errors."""
    with pytest.raises(FileError, match="none"):
        read_texts([tmp_path / "none"])
    (tmp_path / "bad.jsonl").write_text("rubbish")
    with pytest.raises(BenchError, match="line 1"):
        read_texts([tmp_path / "bad.jsonl"])
    (tmp_path / "empty.txt").write_text(" \n")
    with pytest.raises(BenchError, match="no sentence"):
        read_texts([tmp_path / "empty.txt"])


def test_articles_follow_each_other_and_begin_again() -> None:
    """The text begins with the article asked for and goes on in the order of the articles."""
    assert with_words(TEXTS, 3) == "One two three."
    assert with_words(TEXTS, 4) == "One two three.\n\nFour"
    assert with_words(TEXTS, 5, first=1) == "Four five.\n\nSix.\n\nOne two"
    assert with_words(TEXTS, 3, first=3) == "Four five.\n\nSix."


@settings(deadline=None)
@given(st.integers(1, 500), st.integers(0, 5))
def test_exactly_so_many_words(words: int, first: int) -> None:
    """However many words are asked for, so many there are, and all of them are labelled."""
    text = with_words(TEXTS, words, first)
    assert len(text.split()) == words
    assert sum(len(text[part.start : part.end].split()) for part in segment(text)) == words
