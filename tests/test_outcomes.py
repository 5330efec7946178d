"""From a record to its outcome, without Kafka."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from service.outcomes import Failure, Labelled, StageClock, Tombstone, process
from service.pipeline import Prediction
from service.segmentation import Segment
from tests.labellers import RuleLabeller
from tests.test_headers import record

ARTICLE = json.dumps({"id": "a", "body": "He said it rained. Read more"}).encode()


class Raising(RuleLabeller):
    """Raises what it is told to."""

    def __init__(self, error: BaseException) -> None:
        """Take the error."""
        self._error = error

    def predict(self, text: str, segments: Sequence[Segment]) -> list[Prediction]:  # noqa: ARG002 - as the protocol has it
        """Raise."""
        raise self._error


def test_an_article_is_labelled() -> None:
    """The output carries the article's id as its key, and how often each label was given."""
    clock = StageClock()
    outcome = process(record(value=ARTICLE, key=None), RuleLabeller(), clock)
    assert isinstance(outcome, Labelled)
    assert outcome.key == b"a"
    assert json.loads(outcome.value)["id"] == outcome.labelled_id
    assert sum(outcome.counts.values()) == 2
    assert list(clock.seconds) == ["decode", "segment", "infer", "assemble"]
    assert all(seconds >= 0 for seconds in clock.seconds.values())


def test_a_null_value_is_a_tombstone() -> None:
    """A tombstone keeps its key."""
    assert process(record(value=None), RuleLabeller(), StageClock()) == Tombstone(b"k")


def test_a_tombstone_without_a_key_is_a_data_error() -> None:
    """A record that names no article cannot remove one, and a compacted topic would refuse it."""
    outcome = process(record(key=None, value=None), RuleLabeller(), StageClock())
    assert isinstance(outcome, Failure)
    assert (outcome.reason, outcome.is_transient) == ("no_key", False)


@pytest.mark.parametrize(
    ("value", "stage", "reason"),
    [
        (b"rubbish", "decode", "invalid_article"),
        (b'{"id":"a","html":"<p></p>"}', "segment", "no_text"),
    ],
)
def test_data_errors_are_final(value: bytes, stage: str, reason: str) -> None:
    """What is wrong with the data itself is not tried again."""
    outcome = process(record(value=value), RuleLabeller(), StageClock())
    assert isinstance(outcome, Failure)
    assert (outcome.stage, outcome.reason, outcome.is_transient) == (stage, reason, False)


@pytest.mark.parametrize(
    ("error", "reason", "is_transient"),
    [
        (RuntimeError("broken"), "error", True),
        (MemoryError(), "out_of_memory", True),
        (RecursionError("deep"), "too_deep", False),
    ],
)
def test_what_the_labeller_raises(error: Exception, reason: str, is_transient: bool) -> None:  # noqa: FBT001
    """Errors of labelling may pass, except where the same article must raise them again."""
    outcome = process(record(value=ARTICLE), Raising(error), StageClock())
    assert isinstance(outcome, Failure)
    assert (outcome.stage, outcome.reason) == ("infer", reason)
    assert outcome.is_transient is is_transient
    assert outcome.class_name == f"builtins.{type(error).__name__}"
    assert outcome.message


def test_what_is_no_error_of_the_article_is_raised() -> None:
    """An interrupt ends the worker; it must not be blamed on the article at hand."""
    with pytest.raises(SystemExit):
        process(record(value=ARTICLE), Raising(SystemExit(1)), StageClock())
