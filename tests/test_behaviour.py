"""Behaviour tests: their data, their runner, and what the released model reaches."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from models.behaviour import __main__ as program
from models.behaviour.check import (
    Invariance,
    Pair,
    Share,
    read_invariances,
    read_pairs,
    run_invariances,
    run_pairs,
)
from service.contracts import Model
from service.labeller import WindowLabeller
from service.pipeline import Prediction
from service.release import load
from service.segmentation import Segment, segment
from service.settings import ModelSettings

ROOT = Path(__file__).parent.parent
PAIRS, INVARIANCES = read_pairs(), read_invariances()

# Share of pairs right at least, and of labels that flip with the speaker at most. The goals are
# 0.95 and 0.01; models/small 1.1.0 reaches 284 of 308 pairs and 10 of 1,511 labels; in int8 on a
# processor without VNNI 281 (0.912) and 11.
REACHED = {"base": (0.95, 0.01), "small": (0.91, 0.01)}

# A run of words that only copying brings about.
COPIED_WORDS = 8


class WordLabeller:
    """Knows one word for each class and calls all else a fact."""

    model = Model(name="words", version="1", digest="sha256:words")
    words = ("said", "must", "Photo")

    def predict(self, text: str, segments: Sequence[Segment]) -> list[Prediction]:
        """Predict each segment."""
        return [self._one(text[part.start : part.end]) for part in segments]

    def _one(self, sentence: str) -> Prediction:
        found = [word in sentence for word in self.words]
        place = found.index(True) + 1 if any(found) else 0
        first, second, third, fourth = (float(i == place) for i in range(4))
        return Prediction((first, second, third, fourth))


def passage(sentence: str, label: str, **context: str) -> dict[str, str]:
    """A side of a pair."""
    return {"sentence": sentence, "label": label, **context}


def pair(first: dict[str, str], second: dict[str, str], **rest: str) -> Pair:
    """A pair of two sides."""
    return Pair.model_validate(
        {"id": "p", "topic": "rain", "first": first, "second": second, **rest}
    )


def invariance(kind: str, text: str, *fillings: dict[str, str]) -> Invariance:
    """A text with its fillings."""
    return Invariance.model_validate({"id": "s", "kind": kind, "text": text, "fillings": fillings})


def texts() -> Iterator[str]:
    """Every text of the data."""
    for one in PAIRS:
        yield from (side.text for side in one.sides)
    for one in INVARIANCES:
        yield from (text for text, _ in one.texts())


def runs_of_words(text: str) -> set[tuple[str, ...]]:
    """Every run of so many words that it must have been copied."""
    words = re.findall(r"\w+", text.lower())
    return set(zip(*(words[i:] for i in range(COPIED_WORDS)), strict=False))


def sentences(text: str) -> set[str]:
    """The sentences of a text, without regard to case and white space."""
    return {" ".join(text[part.start : part.end].lower().split()) for part in segment(text)}


def learnt_from() -> list[str]:
    """The texts of the supplement and the seeds."""
    supplement = ROOT / "models/training/supplement.jsonl"
    lines = supplement.read_text(encoding="utf-8").splitlines()
    lines += [file.read_text(encoding="utf-8") for file in sorted(ROOT.glob("seeds/gold/*.json"))]
    return [json.loads(line)["text"] for line in lines]


def test_there_are_enough() -> None:
    """So many pairs, texts and swaps, most of them of speakers, and some of every kind."""
    assert len(PAIRS) >= 220
    assert len(INVARIANCES) >= 130
    swaps = Counter[str]()
    for one in INVARIANCES:
        swaps[one.kind] += one.swaps
    assert swaps.total() >= 420
    assert swaps["speaker"] >= 250
    assert set(swaps) == {"speaker", "number", "quotes", "heading", "spelling", "spacing"}


def test_every_construction_has_more_than_one_pair() -> None:
    """At least two pairs to a topic, and every class among the labels."""
    assert min(Counter(one.topic for one in PAIRS).values()) >= 2
    labels = {side.label for one in PAIRS for side in one.sides}
    assert labels == {"fact", "attributed_claim", "opinion", "furniture"}


@pytest.mark.parametrize("data", [PAIRS, INVARIANCES], ids=["pairs", "invariances"])
def test_ids_are_unique(data: Sequence[Pair | Invariance]) -> None:
    """No two lines share an id."""
    assert len({one.id for one in data}) == len(data)


def test_no_line_comes_twice() -> None:
    """No passage is a pair's other side, or another pair's; no filling gives the same text."""
    passages = Counter(
        (side.before, side.sentence, side.after) for one in PAIRS for side in one.sides
    )
    assert max(passages.values()) == 1
    for one in INVARIANCES:
        assert len({text for text, _ in one.texts()}) == len(one.fillings)


def test_nothing_is_of_the_training() -> None:
    """No sentence and no run of eight words stands in the supplement or the seeds."""
    own, other = list(texts()), learnt_from()
    for cut in (sentences, runs_of_words):
        shared = set().union(*map(cut, own)) & set().union(*map(cut, other))
        assert not shared


def test_most_sentences_are_read_in_context() -> None:
    """Hardly a sentence stands alone, and the context is that of a short passage."""
    sides = [side for one in PAIRS for side in one.sides]
    assert sum(bool(side.before or side.after) for side in sides) >= 0.95 * len(sides)


@pytest.mark.parametrize(
    "line",
    [
        {"first": passage("It rained.", "fact"), "second": passage("It snowed.", "fact")},
        {
            "first": passage("It rained.", "fact"),
            "second": passage("It must rain.", "opinion"),
            "reason": "none is needed",
        },
        {"first": passage("", "fact"), "second": passage("It must rain.", "opinion")},
        {"first": passage("It rained.", "news"), "second": passage("It snowed.", "fact")},
    ],
    ids=["same label", "idle reason", "no sentence", "unknown label"],
)
def test_a_wrong_pair_is_refused(line: dict[str, Any]) -> None:
    """Labels differ or a reason says why not."""
    with pytest.raises(ValidationError):
        Pair.model_validate({"id": "p", "topic": "rain", **line})


@pytest.mark.parametrize(
    "fillings",
    [
        [{"who": "She"}],
        [{"who": "She"}, {}],
        [{"who": "She"}, {"whom": "her"}],
        [{"who": "She"}, {"who": "He", "heading": "RAIN"}],
    ],
    ids=["nothing to compare", "open slot", "misspelt slot", "heading of another kind"],
)
def test_a_wrong_filling_is_refused(fillings: list[dict[str, str]]) -> None:
    """Each filling fills just the slots, and there are at least two."""
    with pytest.raises(ValidationError):
        invariance("speaker", "{who} said it rained.", *fillings)


def test_the_parts_of_a_passage_do_not_run_into_each_other() -> None:
    """A space stands between them unless they bring white space."""
    context = {"before": "Dry.\n\n", "after": "Wet."}
    first = pair(
        passage("It rained.", "fact", **context), passage("It must rain.", "opinion")
    ).first
    assert first.text == "Dry.\n\nIt rained. Wet."
    assert first.text[first.start :].startswith("It rained.")


def test_a_wrong_label_is_reported() -> None:
    """Of a right and a wrong pair the wrong one, with what was expected and found."""
    right = pair(passage("It rained.", "fact"), passage("It rained, she said.", "attributed_claim"))
    wrong = pair(
        passage("It rained.", "fact", before="She said so."),
        passage("Rain, of all things!", "opinion"),
    )
    report = run_pairs(WordLabeller(), [right, wrong])
    assert report.pairs == report.topics["rain"] == Share(count=1, total=2)
    assert report.passages == Share(count=3, total=4)
    (failure,) = report.failures
    assert failure.sentence == "Rain, of all things!"
    assert (failure.expected, failure.found) == (("opinion",), ("fact",))
    assert not failure.divided


@pytest.mark.parametrize(
    ("sentence", "after", "found"),
    [
        ("It rained. It poured.", "", ("fact", "fact")),
        ("It rained", "and it poured.", ("fact",)),
    ],
    ids=["cut in two", "run into the next"],
)
def test_a_sentence_divided_wrongly_is_wrong(
    sentence: str, after: str, found: tuple[str, ...]
) -> None:
    """A target that is not just one segment counts as wrong, whatever its labels."""
    report = run_pairs(
        WordLabeller(),
        [pair(passage(sentence, "fact", after=after), passage("It must rain.", "opinion"))],
    )
    (failure,) = report.failures
    assert failure.divided
    assert failure.found == found


def test_a_flipped_label_is_reported() -> None:
    """One of two sentences, in one of two swaps."""
    one = invariance(
        "speaker",
        "{who} spoke on Friday. It rained.",
        {"who": "Peru"},
        {"who": "Chile"},
        {"who": "The man who must not be named"},
    )
    report = run_invariances(WordLabeller(), [one])
    assert report.kinds == {"speaker": Share(count=1, total=4)}
    assert report.swaps == {"speaker": Share(count=1, total=2)}
    (failure,) = report.failures
    assert failure.sentence == "The man who must not be named spoke on Friday."
    assert (failure.expected, failure.found) == (("fact",), ("opinion",))


def test_another_number_of_sentences_flips_all() -> None:
    """Labels that cannot be compared are not the same."""
    one = invariance(
        "quotes", "{text}", {"text": "It rained and poured."}, {"text": "It rained. It poured."}
    )
    report = run_invariances(WordLabeller(), [one])
    assert report.kinds == {"quotes": Share(count=1, total=1)}
    assert report.failures[0].divided


def test_a_heading_is_not_compared() -> None:
    """Only the sentences after it are."""
    one = invariance("heading", "It rained.", {"heading": ""}, {"heading": "IT RAINED, they said"})
    report = run_invariances(WordLabeller(), [one])
    assert report.kinds == {"heading": Share(count=0, total=1)}


def test_nothing_has_no_share() -> None:
    """No pairs: nothing right, and no error."""
    assert run_pairs(WordLabeller(), []).pairs.value == 0


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The program with a cheap labeller in the model's place."""
    monkeypatch.setattr(program, "load", lambda _: WordLabeller())
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner()


def test_the_program_prints_tables(run: CliRunner) -> None:
    """A row for each topic and kind, and the failures."""
    result = run.invoke(program.app, [])
    assert result.exit_code == 0
    assert {one.topic for one in PAIRS} <= {
        row.split("│")[1].strip() for row in result.output.splitlines() if row.count("│") == 5
    }
    assert "flipped labels" in result.output
    assert "spacing" in result.output


def test_the_program_prints_json(run: CliRunner) -> None:
    """All figures, for machines."""
    report = program.Report.model_validate_json(run.invoke(program.app, ["--json"]).output)
    assert report.pairs.pairs.total == len(PAIRS)
    assert sum(share.total for share in report.invariances.swaps.values()) == sum(
        one.swaps for one in INVARIANCES
    )


def test_a_missing_model_is_told_in_one_line(tmp_path: Path) -> None:
    """Wrong usage ends with 2."""
    result = CliRunner().invoke(program.app, ["--model", str(tmp_path)])
    assert result.exit_code == 2
    assert result.output.splitlines() == [
        f"models.behaviour: no model in {tmp_path}: release.json: No such file or directory"
    ]


@pytest.fixture(scope="module", params=[pytest.param("base", marks=pytest.mark.slow), "small"])
def labeller(request: pytest.FixtureRequest) -> WindowLabeller:
    """A released model."""
    return load(ModelSettings(size=request.param, threads=2))


def test_the_model_tells_pairs_apart(labeller: WindowLabeller) -> None:
    """Both passages of a pair are labelled as the codebook has it."""
    at_least, _ = REACHED[labeller.model.name.removeprefix("claimstream-")]
    assert run_pairs(labeller).pairs.value >= at_least


def test_the_model_does_not_mind_who_speaks(labeller: WindowLabeller) -> None:
    """The share of labels that flip with the speaker."""
    speakers = [one for one in INVARIANCES if one.kind == "speaker"]
    _, at_most = REACHED[labeller.model.name.removeprefix("claimstream-")]
    assert run_invariances(labeller, speakers).kinds["speaker"].value <= at_most
