"""Annotated articles are read into one form."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.gold import ALL, GoldError, main_attribution, read
from service.segmentation import Segment

LABELLED: dict[str, Any] = {
    "doc_id": "a",
    "split": "dev",
    "spans": True,
    "text": "Rain, he said.\nIt may be. Read more",
    "sentences": [
        {
            "start": 0,
            "end": 14,
            "label": "attributed_claim",
            "source": {"start": 6, "end": 8},
            "cue": {"start": 9, "end": 13},
        },
        {"start": 15, "end": 25, "label": None, "sure": False},
        {"start": 26, "end": 35, "label": "furniture"},
    ],
}
PARTIAL: dict[str, Any] = {
    "dataset": "polnear",
    "doc_id": "b",
    "split": "train",
    "sentences": [
        {
            "text": "He said so.",
            "label": "attributed_claim",
            "spans": [
                {"type": "source", "start": 0, "end": 2, "attr": "1"},
                {"type": "cue", "start": 3, "end": 7, "attr": "1"},
            ],
        },
        {"text": "It rained.", "label": None, "allowed": ["fact", "opinion"], "spans": []},
    ],
}


def write(folder: Path, *records: object) -> Path:
    """Write JSON lines."""
    file = folder / "gold.jsonl"
    file.write_text("\n".join(json.dumps(record) for record in records), encoding="utf-8")
    return file


def test_articles_by_the_codebook(tmp_path: Path) -> None:
    """Offsets, line breaks, labels, doubts and spans arrive as they stand."""
    (article,) = read(write(tmp_path, LABELLED))
    claim, unknown, furniture = article.sentences
    assert (article.id, article.split, article.by_codebook) == ("a", "dev", True)
    assert [s.segment for s in article.sentences] == [
        Segment(0, 14, starts_paragraph=True),
        Segment(15, 25, starts_paragraph=True),
        Segment(26, 35, starts_paragraph=False),
    ]
    assert (claim.label, claim.sure, claim.spans) == ("attributed_claim", True, ((6, 8), (9, 13)))
    assert (unknown.label, unknown.allowed, unknown.sure) == (None, ALL, False)
    assert (furniture.label, furniture.spans) == ("furniture", (None, None))


def test_partial_corpora_are_joined_into_a_text(tmp_path: Path) -> None:
    """Sentences without an article get one, with offsets that fit; open labels stay open."""
    (article,) = read(write(tmp_path, PARTIAL))
    first, second = article.sentences
    assert article.text == "He said so. It rained."
    assert not article.by_codebook
    assert first.spans == ((0, 2), (3, 7))
    assert second.spans == (None, None)
    assert article.text[second.segment.start : second.segment.end] == "It rained."
    assert second.allowed == {"fact", "opinion"}
    assert second.label is None


def test_main_attribution_covers_most() -> None:
    """Of several attributions the one with most characters counts, of its pieces the longest."""
    marks = [
        {"type": "cue", "start": 0, "end": 4, "attr": "small"},
        {"type": "source", "start": 5, "end": 9, "attr": "large"},
        {"type": "source", "start": 10, "end": 11, "attr": "large"},
        {"type": "content", "start": 12, "end": 60, "attr": "large"},
    ]
    assert main_attribution(marks) == ((5, 9), None)
    assert main_attribution([]) == (None, None)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"doc_id": "a", "text": "x"}, "no field 'sentences'"),
        ({**LABELLED, "text": "x"}, "outside the text"),
        ({**LABELLED, "sentences": [{"start": 0, "end": 4, "label": "lie"}]}, "unknown label"),
        ([], "line 1"),
    ],
)
def test_other_shapes_are_refused_with_their_line(
    tmp_path: Path, record: object, reason: str
) -> None:
    """A line in neither form is one clear error."""
    with pytest.raises(GoldError, match="line 1") as caught:
        list(read(write(tmp_path, record)))
    assert reason in str(caught.value)
