"""Articles that contradict themselves are told from those that do not."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.contracts import Extent, LabelledArticle, Span
from service.decoding import decode
from service.files import list_files, read_records
from service.pipeline import label_article
from service.viewer.checking import fault
from service.viewer.filtering import Wanted
from service.viewer.marking import paragraphs
from service.viewer.store import Held
from tests.labellers import RuleLabeller
from tests.viewer.samples import changed, labelled

SEEDS = Path(__file__).parent.parent.parent / "seeds"


def test_what_the_pipeline_makes_is_sound() -> None:
    """Every seed, labelled, has no fault."""
    records = [record for path in list_files([SEEDS]) for record in read_records(path)]
    assert len(records) > 10
    for record in records:
        assert fault(label_article(decode(record.value), RuleLabeller())) is None


@pytest.mark.parametrize(
    ("number", "values", "words"),
    [
        (1, {"index": 7}, "not numbered"),
        (1, {"start": 0}, "out of order"),
        (1, {"end": 9_999_999}, "out of order"),
        (3, {"end": 9_999_999}, "do not fit"),
        (0, {"text": "Prices rose"}, "do not fit"),
        (1, {"source": Span(start=0, end=4, text="Anna", sentence_index=1)}, "source"),
        (1, {"source": Span(start=20, end=24, text="Bert", sentence_index=1)}, "source"),
        (1, {"cue": Span(start=20, end=24, text="Anna", sentence_index=99)}, "cue"),
        (1, {"cue": Span(start=24, end=20, text="", sentence_index=1)}, "cue"),
    ],
)
def test_faults_are_named(number: int, values: dict[str, Any], words: str) -> None:
    """Numbers, order, lengths and spans that cannot be are told."""
    assert words in str(fault(changed(labelled(), number, **values)))


def test_furniture_is_checked() -> None:
    """Furniture neither overlaps a sentence nor lies beyond the text."""
    article = labelled()
    inside = article.model_copy(update={"furniture": (Extent(start=3, end=5),)})
    assert "overlaps" in str(fault(inside))
    text = "Prices rose in May. Read more"
    beyond = labelled(body="Prices rose in May.").model_copy(
        update={"text": text, "furniture": (Extent(start=20, end=9999),)}
    )
    assert "beyond" in str(fault(beyond))


def test_the_text_has_the_sentences() -> None:
    """Where the text comes along, its words are those of the sentences."""
    article = labelled(body="Prices rose in May.")
    assert fault(article.model_copy(update={"text": "Prices rose in May."})) is None
    assert "other words" in str(fault(article.model_copy(update={"text": "Prices fell in May."})))


def test_a_source_may_stand_in_another_sentence() -> None:
    """A claim whose source is named nearby is sound, and is shown."""
    article = labelled()
    nearby = changed(article, 3, source=article.sentences[1].source)
    assert fault(nearby) is None
    assert paragraphs(Held(nearby, 1), Wanted(), range(4))


def test_huge_numbers_are_only_numbers() -> None:
    """Furniture of any length is sound: nobody makes a text of that length here."""
    article = json.loads(labelled().to_json())
    article["furniture"] = [{"start": 10**18, "end": 10**18 + 10**17}]
    sound = LabelledArticle.model_validate(article)
    assert fault(sound) is None
    assert paragraphs(Held(sound, 1), Wanted(), range(4))[-1]
