"""The seeds: articles of our own with gold labels that fit them."""

from pathlib import Path

import pytest

from service.decoding import decode
from service.files import list_files, read_records
from service.gold import GoldArticle, read
from service.pipeline import article_text

SEEDS = Path(__file__).parent.parent / "seeds"
FILES = list_files([SEEDS])


def gold_of(file: Path) -> GoldArticle:
    """The annotated article that belongs to a seed."""
    (article,) = read(SEEDS / "gold" / f"{file.stem}.json")
    return article


def test_there_are_enough() -> None:
    """At least twelve articles, one of them a page, one plain text."""
    assert len(FILES) >= 12
    assert {".json", ".html", ".txt"} <= {file.suffix for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_gold_fits_the_article(file: Path) -> None:
    """Gold offsets point into the very text that the service labels, and leave nothing out."""
    (record,) = read_records(file)
    article, gold = decode(record.value), gold_of(file)
    assert article is not None
    assert gold.id == article.id
    assert gold.text == article_text(article)[0]
    covered = set()
    for sentence in gold.sentences:
        start, end, _ = sentence.segment
        assert gold.text[start:end] == gold.text[start:end].strip()
        covered |= set(range(start, end))
        for span in sentence.spans or ():
            assert span is None or (sentence.label == "attributed_claim")
            assert span is None or start <= span[0] < span[1] <= end
    assert all(c.isspace() or i in covered for i, c in enumerate(gold.text))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_is_of_an_articles_length(file: Path) -> None:
    """15 to 40 sentences, besides furniture."""
    labels = [sentence.label for sentence in gold_of(file).sentences]
    assert 15 <= sum(label != "furniture" for label in labels) <= 40
