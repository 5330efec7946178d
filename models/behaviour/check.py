"""Behaviour tests in the manner of CheckList (Ribeiro et al. 2020).

``pairs.jsonl`` holds minimal pairs: two sentences, each in its context, that differ in as little
as possible and are labelled differently by the codebook. ``invariances.jsonl`` holds texts with
fillings: who speaks, a figure, the typography may change, the sequence of labels may not.

All of it is fiction, written for this project: where a real person, country or company is named,
what is told of them did not happen, and it is told of their opponents in the same words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.pipeline import Labeller, label_of
from service.segmentation import Segment, segment

FOLDER = Path(__file__).parent
_SLOT = re.compile(r"\{(\w+)\}")

Class = Literal["fact", "attributed_claim", "opinion", "furniture"]
Kind = Literal["speaker", "number", "quotes", "heading", "spelling", "spacing"]


class Line(BaseModel):
    """A line of the data or a figure: immutable, and a misspelt name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Passage(Line):
    """A sentence in its context, and the label it must get."""

    before: str = ""
    sentence: str = Field(min_length=1)
    after: str = ""
    label: Class

    @property
    def start(self) -> int:
        """Where the sentence starts in the text."""
        return len(self.before) + _needs_space(self.before, self.sentence)

    @property
    def text(self) -> str:
        """The whole passage; a space stands between its parts unless one brings white space."""
        text = self.before
        for part in (self.sentence, self.after):
            text += " " * _needs_space(text, part) + part
        return text


class Pair(Line):
    """Two passages that differ in as little as possible, and mostly in label."""

    id: str
    topic: str
    first: Passage
    second: Passage
    reason: str | None = Field(default=None, description="Why both have the same label.")

    @property
    def sides(self) -> tuple[Passage, Passage]:
        """Both passages."""
        return self.first, self.second

    @model_validator(mode="after")
    def _labels_differ_or_a_reason_is_given(self) -> Self:
        if (self.first.label == self.second.label) != (self.reason is not None):
            raise ValueError("the labels must differ, or else a reason be given")
        return self


class Invariance(Line):
    """A text with slots; whatever fills them, the labels are those of the first filling.

    A filling's ``heading`` goes into no slot: it is put before the text, and only what comes after
    it is compared.
    """

    id: str
    kind: Kind
    text: str
    fillings: tuple[dict[str, str], ...] = Field(min_length=2)

    @property
    def swaps(self) -> int:
        """How many fillings are compared with the first."""
        return len(self.fillings) - 1

    def texts(self) -> Iterator[tuple[str, int]]:
        """Each filled text, and where it begins to be compared."""
        for filling in self.fillings:
            heading = filling.get("heading", "")
            above = f"{heading}\n\n" if heading else ""
            pieces = _SLOT.split(self.text)  # text and names of slots by turns
            pieces[1::2] = [filling[name] for name in pieces[1::2]]
            yield above + "".join(pieces), len(above)

    @model_validator(mode="after")
    def _fillings_fill_every_slot(self) -> Self:
        slots = set(_SLOT.findall(self.text)) | ({"heading"} if self.kind == "heading" else set())
        for number, filling in enumerate(self.fillings, 1):
            if filling.keys() != slots:
                raise ValueError(f"filling {number} has {sorted(filling)}, not {sorted(slots)}")
        return self


class Share(Line):
    """So many of so many."""

    count: int
    total: int

    @property
    def value(self) -> float:
        """The share; that of nothing is 0."""
        return self.count / self.total if self.total else 0.0

    def __add__(self, other: Share) -> Share:
        """Both together."""
        return Share(count=self.count + other.count, total=self.total + other.total)


NOTHING = Share(count=0, total=0)


class Failure(Line):
    """A sentence that got another label than it must.

    ``found`` has the label of each piece into which the sentence was cut, or of the piece that
    holds it and more; ``divided`` says that the division into sentences is at fault.
    """

    id: str
    group: str
    sentence: str
    expected: tuple[str, ...]
    found: tuple[str, ...]
    divided: bool = False


class PairsReport(Line):
    """How the pairs went: pairs of which both passages are right, and passages that are."""

    pairs: Share
    passages: Share
    topics: dict[str, Share]
    failures: tuple[Failure, ...]


class InvariancesReport(Line):
    """How the swaps went: flipped sentence labels among those compared, and swaps with any."""

    kinds: dict[str, Share]
    swaps: dict[str, Share]
    failures: tuple[Failure, ...]


class Labelled(NamedTuple):
    """A segment of a text and its class."""

    segment: Segment
    label: str


def read_pairs(path: Path = FOLDER / "pairs.jsonl") -> list[Pair]:
    """Read the minimal pairs."""
    return [Pair.model_validate_json(line) for line in _lines(path)]


def read_invariances(path: Path = FOLDER / "invariances.jsonl") -> list[Invariance]:
    """Read the texts and their fillings."""
    return [Invariance.model_validate_json(line) for line in _lines(path)]


def run_pairs(labeller: Labeller, pairs: Sequence[Pair] | None = None) -> PairsReport:
    """Label both passages of every pair, the whole way from raw text."""
    both = passages = NOTHING
    topics: dict[str, Share] = {}
    failures: list[Failure] = []
    for pair in read_pairs() if pairs is None else pairs:
        faults = [fault for side in pair.sides if (fault := _fault(labeller, pair, side))]
        failures += faults
        share = Share(count=not faults, total=1)
        both += share
        passages += Share(count=2 - len(faults), total=2)
        topics[pair.topic] = topics.get(pair.topic, NOTHING) + share
    return PairsReport(pairs=both, passages=passages, topics=topics, failures=tuple(failures))


def run_invariances(
    labeller: Labeller, invariances: Sequence[Invariance] | None = None
) -> InvariancesReport:
    """Label every filled text and compare its labels with those of the first filling.

    Where a text is divided into another number of sentences, all of its labels count as flipped.
    """
    kinds: dict[str, Share] = {}
    swaps: dict[str, Share] = {}
    failures: list[Failure] = []
    for invariance in read_invariances() if invariances is None else invariances:
        kind = invariance.kind
        (_, first), *others = (
            (text, [one for one in label(labeller, text) if one.segment.start >= start])
            for text, start in invariance.texts()
        )
        for text, other in others:
            flips = list(_flips(invariance, first, text, other))
            flipped = len(first) if any(flip.divided for flip in flips) else len(flips)
            failures += flips
            kinds[kind] = kinds.get(kind, NOTHING) + Share(count=flipped, total=len(first))
            swaps[kind] = swaps.get(kind, NOTHING) + Share(count=bool(flips), total=1)
    return InvariancesReport(kinds=kinds, swaps=swaps, failures=tuple(failures))


def label(labeller: Labeller, text: str) -> list[Labelled]:
    """Divide a text as the service does, and give each segment its class."""
    parts = segment(text)
    predictions = labeller.predict(text, parts)
    return [
        Labelled(part, label_of(prediction))
        for part, prediction in zip(parts, predictions, strict=True)
    ]


def _fault(labeller: Labeller, pair: Pair, side: Passage) -> Failure | None:
    """What is wrong with a passage, if anything: its sentence must be one segment, and right."""
    start, end = side.start, side.start + len(side.sentence)
    labelled = label(labeller, side.text)
    pieces = [one for one in labelled if one.segment.start < end and start < one.segment.end]
    divided = [one.segment[:2] for one in pieces] != [(start, end)]
    found = tuple(one.label for one in pieces)
    if not divided and found == (side.label,):
        return None
    return Failure(
        id=pair.id,
        group=pair.topic,
        sentence=side.sentence,
        expected=(side.label,),
        found=found,
        divided=divided,
    )


def _flips(
    invariance: Invariance, first: list[Labelled], text: str, other: list[Labelled]
) -> Iterator[Failure]:
    """Each sentence whose label is not that of the first filling's."""
    if len(first) != len(other):
        yield Failure(
            id=invariance.id,
            group=invariance.kind,
            sentence=text,
            expected=tuple(one.label for one in first),
            found=tuple(one.label for one in other),
            divided=True,
        )
        return
    for wanted, one in zip(first, other, strict=True):
        if wanted.label != one.label:
            yield Failure(
                id=invariance.id,
                group=invariance.kind,
                sentence=text[one.segment.start : one.segment.end],
                expected=(wanted.label,),
                found=(one.label,),
            )


def _needs_space(left: str, right: str) -> bool:
    """Say whether two parts of a passage would run into each other."""
    return bool(left and right) and not (left[-1].isspace() or right[0].isspace())


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as lines:
        yield from lines
