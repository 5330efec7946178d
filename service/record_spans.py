"""The spans of a record's way, after OpenTelemetry's conventions for messaging and Kafka.

    process news.articles.v1        consumer; child of the span that the record's traceparent names
    ├ decode, segment, infer, assemble        of each try
    └ send news.claims.v1           producer; the traceparent of what goes out names this one

A dead letter carries the trace on too, so that a replay of it is seen where it belongs. Steps run
in the inference thread; their spans are made in the event loop afterwards, out of the times that
the clock took there, so that thread knows nothing of tracing. What a span says of an article is its
key and its place, never its words: they may leave the house.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from service.delivery import Confirmation
from service.headers import TRACEPARENT, TRACESTATE, trace_headers
from service.otlp import Exporter
from service.outcomes import Failure, Labelled, Outcome, StageClock, Tombstone
from service.records import SourceRecord
from service.settings import Settings
from service.tracing import Traces

_NS_A_SECOND: Final = 1_000_000_000
_W3C: Final = TraceContextTextMapPropagator()

_Place = tuple[str, int, int]
_Attributes = dict[str, AttributeValue]


@dataclass(slots=True)
class _Way:
    """The open spans of a record in hand."""

    span: Span
    context: Context  # in which its children are made
    tries: int = 0
    sending: Span | None = None


class RecordSpans(Traces):
    """Makes spans of what it is told; of a record that it was not told of, none."""

    def __init__(self, exporter: Exporter, settings: Settings) -> None:
        """Take what makes and sends spans, and the names that they carry."""
        self._exporter = exporter
        self._tracer = exporter.tracer
        self._topics = settings.topics
        self._client: _Attributes = {
            "messaging.system": "kafka",
            "messaging.client.id": settings.kafka.client_id,
        }
        self._group = settings.kafka.group
        self._ways: dict[_Place, _Way] = {}

    def begin(self, record: SourceRecord) -> None:
        """Open the record's span, in the trace that it came with."""
        came = {name: value.decode() for name, value in trace_headers(record)}
        parent = _W3C.extract(came, Context())
        span = self._tracer.start_span(
            f"process {record.topic}",
            parent,
            SpanKind.CONSUMER,
            self._client
            | _message(record.key, record.value)
            | {
                "messaging.operation.name": "process",
                "messaging.operation.type": "process",
                "messaging.destination.name": record.topic,
                "messaging.destination.partition.id": str(record.partition),
                "messaging.kafka.offset": record.offset,
                "messaging.consumer.group.name": self._group,
            },
        )
        self._ways[_place(record)] = _Way(span, set_span_in_context(span, parent))

    def tried(self, record: SourceRecord, clock: StageClock, outcome: Outcome) -> None:
        """Make the spans of the steps that a try took, one after the other."""
        way = self._ways.get(_place(record))
        if way is None or not way.span.is_recording():
            return
        way.tries += 1
        since_ns = round((time.perf_counter() - clock.since) * _NS_A_SECOND)
        at = time.time_ns() - since_ns - round(sum(clock.seconds.values()) * _NS_A_SECOND)
        for stage, seconds in clock.seconds.items():
            span = self._tracer.start_span(
                stage,
                way.context,
                start_time=at,
                attributes={"claimstream.stage": stage, "claimstream.try": way.tries},
            )
            if isinstance(outcome, Failure) and outcome.stage == stage:
                _fail(span, outcome.class_name, outcome.reason)
            at += round(seconds * _NS_A_SECOND)
            span.end(at)

    def sending(self, record: SourceRecord, outcome: Outcome) -> SourceRecord:
        """Open the span of its delivery, and have what goes out name it."""
        way = self._ways.get(_place(record))
        if way is None:
            return record
        # Of a trace that is not followed nobody wants more than the name.
        names = way.span
        if way.span.is_recording():
            names = way.sending = self._tracer.start_span(
                "send",
                way.context,
                SpanKind.PRODUCER,
                self._client | self._sent_as(outcome, record),
            )
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, set_span_in_context(names, Context()))
        others = [header for header in record.headers if header[0] not in {TRACEPARENT, TRACESTATE}]
        ours = [(name, value.encode()) for name, value in carrier.items()]
        return record._replace(headers=[*others, *ours])

    def sent(self, record: SourceRecord, outcome: Outcome, confirmation: Confirmation) -> None:
        """Name where it goes, which may have changed on the way, and end with the broker's word."""
        way = self._ways.get(_place(record))
        if way is None or way.sending is None:
            return
        span, attributes = way.sending, self._sent_as(outcome, record)
        span.update_name(f"send {attributes['messaging.destination.name']!s}")
        span.set_attributes(attributes)
        confirmation.add_done_callback(lambda done: _confirmed(span, done))

    def done(self, record: SourceRecord, outcome: Outcome) -> None:
        """End the record's span with what it became."""
        way = self._ways.pop(_place(record), None)
        if way is None:
            return
        match outcome:
            case Labelled():
                way.span.set_attribute("claimstream.outcome", "labelled")
                way.span.set_attribute("claimstream.sentences", len(outcome.certainties))
            case Tombstone():
                way.span.set_attribute("claimstream.outcome", "tombstone")
            case Failure():
                way.span.set_attribute("claimstream.outcome", "dead_letter")
                way.span.set_attribute("claimstream.stage", outcome.stage)
                _fail(way.span, outcome.class_name, outcome.reason)
        way.span.end()

    def left(self, record: SourceRecord) -> None:
        """End the record's span without an outcome."""
        if way := self._ways.pop(_place(record), None):
            _leave(way)

    async def close(self) -> None:
        """End what is open, and hand over what is there, in a bounded time."""
        for way in self._ways.values():
            _leave(way)
        self._ways.clear()
        await self._exporter.close()

    def _sent_as(self, outcome: Outcome, record: SourceRecord) -> _Attributes:
        """What is said of the record that goes out."""
        match outcome:
            case Labelled(key, _, value):
                topic, message = self._topics.claims, _message(key, value)
            case Tombstone(key):
                topic, message = self._topics.claims, _message(key, None)
            case Failure():
                topic, message = self._topics.dead_letters, _message(record.key, record.value)
        return message | {
            "messaging.operation.name": "send",
            "messaging.operation.type": "send",
            "messaging.destination.name": topic,
            "claimstream.stage": "deliver",
        }


def _place(record: SourceRecord) -> _Place:
    return record.topic, record.partition, record.offset


def _message(key: bytes | None, value: bytes | None) -> _Attributes:
    """What is said of any record: its key, where that is text, and its size."""
    found: _Attributes = {"messaging.message.body.size": len(value or b"")}
    if value is None:
        found["messaging.kafka.message.tombstone"] = True
    if key is not None:
        try:
            found["messaging.kafka.message.key"] = key.decode()
        except UnicodeDecodeError:
            return found
    return found


def _confirmed(span: Span, done: Confirmation) -> None:
    """End the span of a delivery; called as soon as the broker has spoken, or cannot any more."""
    error = None if done.cancelled() else done.exception()
    if error is not None:
        _fail(span, f"{type(error).__module__}.{type(error).__qualname__}", "not confirmed")
    elif not done.cancelled():
        placed = done.result()
        span.set_attribute("messaging.destination.partition.id", str(placed.partition))
        span.set_attribute("messaging.kafka.offset", placed.offset)
    span.end()


def _fail(span: Span, class_name: str, reason: str) -> None:
    """Mark a span as failed. The error's message is left out, for it may quote the article."""
    span.set_attribute("error.type", class_name)
    span.set_status(Status(StatusCode.ERROR, reason))


def _leave(way: _Way) -> None:
    if way.sending is not None and way.sending.is_recording():
        way.sending.end()
    way.span.set_attribute("claimstream.outcome", "left")
    way.span.end()
