"""The benchmark of sentence splitters counts what it says it counts."""

import json
import sys
from pathlib import Path

import pytest

from models import segmentation_benchmark as benchmark
from service.gold import read

TEXT = "It rained. It poured.\nIt stopped."


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """A file with one article of three sentences."""
    sentences = [
        {"start": start, "end": end, "label": "fact"}
        for start, end in ((0, 10), (11, 21), (22, 33))
    ]
    record = {"doc_id": "a", "split": "dev", "text": TEXT, "sentences": sentences}
    path = tmp_path / "labelled_articles.jsonl"
    path.write_text(json.dumps(record), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("spans", "precision", "recall"),
    [
        ([(0, 10), (11, 21), (22, 33)], 1, 1),
        ([(0, 11), (11, 22), (22, 33)], 1, 1),
        ([(0, 21), (22, 33)], 1, 1 / 2),
        ([(0, 10), (11, 13), (14, 33)], 1 / 2, 1 / 2),
        ([(0, 33)], 0, 0),
    ],
)
def test_boundaries_are_compared(
    articles: Path, spans: list[tuple[int, int]], precision: float, recall: float
) -> None:
    """A boundary is where a sentence starts; the first does not count, nor does white space."""
    score = benchmark.measure(lambda _: spans, list(read(articles)))
    assert score[:2] == (precision, recall)


def test_a_hard_case_is_right_or_wrong_as_a_whole() -> None:
    """All sentences of a case must be just as they should be."""
    case = benchmark.Case("rain", TEXT, ("It rained.", "It poured.", "It stopped."))
    assert benchmark.cases_right(benchmark.ours, [case]) == ["rain"]
    assert benchmark.cases_right(lambda _: [(0, 21), (22, 33)], [case]) == []


def test_the_table_names_what_is_not_installed(
    articles: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A library that is missing is said to be, and the others are measured all the same."""
    for name in ("nupunkt", "sentencex", "syntok"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(sys, "argv", ["benchmark", str(articles)])
    benchmark.main()
    table = capsys.readouterr().out
    assert table.count("not installed") == 3
    assert "1.0000" in table


def test_without_a_file_it_says_how_to_run_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong usage ends with one line."""
    monkeypatch.setattr(sys, "argv", ["benchmark"])
    with pytest.raises(SystemExit, match="usage: "):
        benchmark.main()
