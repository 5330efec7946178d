"""What becomes of one record: a labelled article, a tombstone or a failure. No Kafka in here.

Everything of this module runs in the inference thread.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Final, Literal, NamedTuple

import structlog

from service.contracts import Label, Model
from service.decoding import DecodeError, decode
from service.extraction import ExtractionError
from service.pipeline import Labeller, Prediction, Usage, label_article
from service.records import SourceRecord
from service.segmentation import Segment

Stage = Literal["decode", "segment", "infer", "assemble", "deliver"]
STAGES: Final[tuple[Stage, ...]] = ("decode", "segment", "infer", "assemble", "deliver")

Reason = Literal[
    "invalid_article",
    "no_key",
    "no_text",
    "too_deep",
    "out_of_memory",
    "error",
    "too_large",
    "poison",
]
REASONS: Final[tuple[Reason, ...]] = (
    "invalid_article",
    "no_key",
    "no_text",
    "too_deep",
    "out_of_memory",
    "error",
    "too_large",
    "poison",
)

_SHOWN_FRAMES: Final = 6

log = structlog.get_logger(__name__)


class KeylessTombstoneError(ValueError):
    """A record with neither key nor value: it names no article."""


# The article's own fault: another try would end the same.
_DATA_ERRORS: Final[dict[type[Exception], Reason]] = {
    DecodeError: "invalid_article",
    KeylessTombstoneError: "no_key",
    ExtractionError: "no_text",
    RecursionError: "too_deep",
}


class Certainty(NamedTuple):
    """How sure the model was of one sentence."""

    label: Label
    confidence: float
    uncertain: bool


@dataclass(frozen=True, slots=True)
class Labelled:
    """An article that came through: its output's key, id and value, and what is counted of it.

    ``counts`` is how often each label was given, furniture included, which has no certainty.
    """

    key: bytes
    labelled_id: str
    value: bytes
    counts: dict[str, int]
    certainties: tuple[Certainty, ...] = ()


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A record without a value: the article of this key is to be removed."""

    key: bytes


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a record did not come through, and where; ``attempts`` counts the tries made."""

    stage: Stage
    reason: Reason
    class_name: str
    message: str
    is_transient: bool = False
    attempts: int = 1


Outcome = Labelled | Tombstone | Failure


class StageClock:
    """Knows which step a record is at, and how many seconds each step took."""

    def __init__(self) -> None:
        """Start at the first step."""
        self.stage: Stage = "decode"
        self.seconds: dict[Stage, float] = {}
        self._since = perf_counter()

    @property
    def since(self) -> float:
        """When it last changed or stopped, in seconds of `time.perf_counter`."""
        return self._since

    def enter(self, stage: Stage) -> None:
        """Leave the current step for another."""
        self.stop()
        self.stage = stage

    def stop(self) -> None:
        """Leave the current step."""
        now = perf_counter()
        self.seconds[self.stage] = self.seconds.get(self.stage, 0.0) + now - self._since
        self._since = now


class _ClockedLabeller:
    """A labeller that tells the clock when inference starts and ends.

    Segmentation lies before it and assembly after it, so the three are told apart without the
    pure pipeline knowing of clocks.
    """

    def __init__(self, labeller: Labeller, clock: StageClock) -> None:
        self._labeller = labeller
        self._clock = clock

    @property
    def model(self) -> Model:
        return self._labeller.model

    @property
    def usage(self) -> Usage:
        return self._labeller.usage

    def predict(self, text: str, segments: Sequence[Segment]) -> list[Prediction]:
        self._clock.enter("infer")
        predictions = self._labeller.predict(text, segments)
        self._clock.enter("assemble")
        return predictions


def process(record: SourceRecord, labeller: Labeller, clock: StageClock) -> Outcome:
    """Bring a record to its outcome; no exception of the article's own leaves this function."""
    try:
        return _process(record, labeller, clock)
    except Exception as error:  # noqa: BLE001 - whatever the labeller raises is the article's end
        return _failure(error, clock.stage)
    finally:
        clock.stop()


def with_attempts(failure: Failure, attempts: int) -> Failure:
    """The same failure after so many tries."""
    return replace(failure, attempts=attempts)


def _process(record: SourceRecord, labeller: Labeller, clock: StageClock) -> Outcome:
    article = decode(record.value)
    if article is None:
        if record.key is None:
            raise KeylessTombstoneError("neither key nor value: no article to remove")
        return Tombstone(record.key)
    clock.enter("segment")
    labelled = label_article(article, _ClockedLabeller(labeller, clock))
    return Labelled(
        key=article.id.encode("utf-8"),
        labelled_id=labelled.id,
        value=labelled.to_json().encode("utf-8"),
        counts={**labelled.counts.model_dump(), "furniture": len(labelled.furniture)},
        certainties=tuple(
            Certainty(s.label, s.confidence, s.uncertain) for s in labelled.sentences
        ),
    )


def _failure(error: Exception, stage: Stage) -> Failure:
    class_name = f"{type(error).__module__}.{type(error).__qualname__}"
    message = str(error) or type(error).__name__
    for kind, data_reason in _DATA_ERRORS.items():
        if isinstance(error, kind):
            return Failure(stage, data_reason, class_name, message)
    # The message may quote the article, so the log gets the place instead.
    frames = traceback.extract_tb(error.__traceback__)[-_SHOWN_FRAMES:]
    log.warning(
        "labelling raised",
        stage=stage,
        error=class_name,
        where=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    )
    reason: Reason = "out_of_memory" if isinstance(error, MemoryError) else "error"
    return Failure(stage, reason, class_name, message, is_transient=True)
