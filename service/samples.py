"""One article and what becomes of it, made the way the worker makes it: for documentation.

Only the model is left out: its predictions are written down here, so that they are the same on
every machine and with every release.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from service.contracts import Model, digest
from service.deadletters import dead_letter_headers
from service.dlq.marks import REPLAYED
from service.headers import labelled_headers, tombstone_headers
from service.outcomes import Failure, Labelled, StageClock, Tombstone, process
from service.pipeline import Prediction, Usage
from service.records import Headers, SourceRecord
from service.segmentation import Segment

TRACEPARENT: Final = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

ARTICLE: Final[dict[str, Any]] = {
    "id": "desk-4711",
    "title": "Rates held",
    "body": "The central bank held its main rate at 3.25% on Thursday. “We are not on autopilot "
    "🙂,” Governor Ana Hrubá said. “Every step from here has to be earned.” Ministers should stop "
    "pretending otherwise.",
    "url": "https://example.com/4711",
    "published_at": "2026-11-24T08:00:00Z",
    "publisher": "Desk",
    "language": "en",
}
REFUSED: Final[dict[str, Any]] = {
    "id": "desk-4713",
    "body": "The night ferry was late again.",
    "published_at": "24.11.2026",
}

# 24 November 2026, 8 o'clock UTC.
_TIME_MS: Final = 1_795_507_200_000


class Sample(NamedTuple):
    """A record as somebody reads it; headers as text."""

    key: str
    value: Any
    headers: dict[str, str]


class _Labeller:
    """Says what the model says of the article above."""

    model = Model(
        name="claimstream-base",
        version="1.0.0",
        digest=digest("an example"),
        backend="torch-float32",
        uncertain_below=0.6,
    )
    usage = Usage()

    def predict(self, text: str, segments: Sequence[Segment]) -> list[Prediction]:
        """The predictions for its four sentences; the speaker of the third is found by the rule."""

        def span(words: str) -> tuple[int, int]:
            return text.index(words), text.index(words) + len(words)

        predictions = [
            Prediction((0.9831, 0.0098, 0.0021, 0.005)),
            Prediction((0.0126, 0.9763, 0.0061, 0.005), span("Governor Ana Hrubá"), span("said")),
            Prediction((0.0104, 0.9672, 0.0174, 0.005)),
            Prediction((0.0052, 0.0137, 0.9761, 0.005)),
        ]
        assert len(predictions) == len(segments)  # noqa: S101 - the words above are fixed
        return predictions


def article() -> Sample:
    """What a producer sends."""
    return Sample(ARTICLE["id"], ARTICLE, {"traceparent": TRACEPARENT})


def replayed() -> Sample:
    """What ``claimstream dlq replay`` sends again."""
    sent = article()
    return sent._replace(headers=sent.headers | {REPLAYED: "news.articles.v1.dlq:2:7"})


def labelled() -> Sample:
    """The article above, labelled."""
    record = _record(ARTICLE)
    outcome = process(record, _Labeller(), StageClock())
    assert isinstance(outcome, Labelled)  # noqa: S101 - the article above is one
    headers = labelled_headers(record, outcome.labelled_id)
    return Sample(outcome.key.decode(), json.loads(outcome.value), _text(headers))


def removal() -> Sample:
    """The tombstone of the article above, as readers get it."""
    record = _record(ARTICLE)._replace(value=None)
    outcome = process(record, _Labeller(), StageClock())
    assert isinstance(outcome, Tombstone)  # noqa: S101 - it has no value
    return Sample(outcome.key.decode(), None, _text(tombstone_headers(record)))


def dead_letter() -> Sample:
    """An article that was refused; its value is text, for it may be any bytes."""
    record = _record(REFUSED)
    outcome = process(record, _Labeller(), StageClock())
    assert isinstance(outcome, Failure)  # noqa: S101 - its date is none
    value = (record.value or b"").decode()
    return Sample(REFUSED["id"], value, _text(dead_letter_headers(record, outcome)))


def _record(value: dict[str, Any]) -> SourceRecord:
    return SourceRecord(
        topic="news.articles.v1",
        partition=2,
        offset=1234,
        timestamp_ms=_TIME_MS,
        key=value["id"].encode(),
        value=json.dumps(value, ensure_ascii=False).encode(),
        headers=[("traceparent", TRACEPARENT.encode())],
    )


def _text(headers: Headers) -> dict[str, str]:
    return {name: value.decode() for name, value in headers}
