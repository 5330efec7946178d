"""A long labelled article is written piece by piece: the same characters as in one go."""

import pytest

from service.contracts import Article, LabelledArticle
from service.pipeline import label_article
from tests.labellers import RuleLabeller


@pytest.mark.parametrize("sentences", [0, 1, 500, 501, 1000, 1201])
def test_written_in_pieces_as_in_one_go(sentences: int) -> None:
    """Whatever the number of sentences, and whatever stands in the article's own fields."""
    body = " ".join(f'The mayor said "[{n}]" had come.' for n in range(sentences))
    title = 'A "sentences":[] title, "sentences":[]'
    labelled = label_article(Article(id="a", body=body, title=title), RuleLabeller())
    assert len(labelled.sentences) + len(labelled.furniture) == sentences
    written = labelled.to_json()
    assert written == labelled.model_dump_json(by_alias=True)
    assert LabelledArticle.model_validate_json(written) == labelled
