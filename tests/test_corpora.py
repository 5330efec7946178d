"""Annotations that stand apart from their texts, and lessons of a teacher."""

import json
from pathlib import Path

import pytest

from models.training.corpora import corpus, sha256
from models.training.teach import teach, unlabelled
from service.gold import ALL
from tests.labellers import RuleLabeller

TEXT = "The minister said taxes fell.\n\nTaxes should fall. It rained."


def write(file: Path, *records: object) -> None:
    """Write JSON lines."""
    file.write_text("".join(json.dumps(record) + "\n" for record in records))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with a raw article and an annotated one."""
    write(tmp_path / "raw_articles.jsonl", {"id": "a", "text": TEXT})
    labelled = {"doc_id": "b", "split": "dev", "text": "It snowed.", "sentences": []}
    write(tmp_path / "labelled_articles.jsonl", labelled)
    return tmp_path


def test_annotations_are_joined_with_their_text(data: Path) -> None:
    """Labels, doubts, spans and paragraphs come out as offsets into the raw article."""
    rows = [[0, 29, "a", [0, 12], [13, 17]], [31, 49, "o?"], [50, 60, "f"]]
    write(data / "mine.jsonl", {"id": "a", "text_sha256": sha256(TEXT), "sentences": rows})
    (article,) = corpus(data, "mine")
    claim, opinion, fact = article.sentences
    assert article.text == TEXT
    assert (claim.label, claim.spans) == ("attributed_claim", ((0, 12), (13, 17)))
    assert (opinion.label, opinion.sure, opinion.spans) == ("opinion", False, None)
    assert [s.segment.starts_paragraph for s in (claim, opinion, fact)] == [True, True, False]


def test_annotations_of_another_text_are_refused(data: Path) -> None:
    """A digest that no raw article has is an error that names the line."""
    write(data / "mine.jsonl", {"id": "a", "text_sha256": "0" * 64, "sentences": []})
    with pytest.raises(ValueError, match=r"mine\.jsonl, line 1"):
        corpus(data, "mine")


def test_a_teachers_lessons_can_be_learnt_from(data: Path) -> None:
    """What a teacher says is read back as probabilities, with the spans of its claims."""
    lessons = data / "taught.jsonl"
    teach(RuleLabeller(), data, lessons)
    (article,) = corpus(data, "taught", lessons)
    claim, opinion, _ = article.sentences
    assert claim.allowed == ALL
    assert claim.spans == ((0, 12), (13, 17))
    assert opinion.probabilities is not None
    assert max(opinion.probabilities) == opinion.probabilities[2]
    assert opinion.spans is None


def test_a_teacher_goes_on_where_it_stopped(data: Path) -> None:
    """Articles already labelled are not labelled again."""
    teach(RuleLabeller(), data, data / "taught.jsonl")
    before = (data / "taught.jsonl").read_text()
    teach(RuleLabeller(), data, data / "taught.jsonl")
    assert (data / "taught.jsonl").read_text() == before


def test_a_teacher_takes_a_part(data: Path) -> None:
    """So many articles after so many others."""
    raw = [{"id": name, "text": f"{name} said so. " * 9} for name in "abcd"]
    write(data / "raw_articles.jsonl", *raw)
    teach(RuleLabeller(), data, data / "taught.jsonl", limit=2, skip=1)
    lines = (data / "taught.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["b", "c"]


def test_copies_of_annotated_articles_are_not_taught(data: Path) -> None:
    """A raw article that repeats an annotated one stays out, lest the dev split be learnt."""
    long = " ".join(f"word{n}" for n in range(40))
    labelled = {"doc_id": "b", "split": "dev", "text": long + " and its end.", "sentences": []}
    write(data / "labelled_articles.jsonl", labelled)
    write(data / "raw_articles.jsonl", {"id": "a", "text": TEXT}, {"id": "c", "text": long})
    assert [name for name, _ in unlabelled(data)] == ["a"]
