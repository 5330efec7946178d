"""The spans of a record's way: names, parents, attributes; by a handler, to a real receiver."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from service.delivery import Confirmation, DeliveryError
from service.handling import Handler
from service.records import Headers
from service.settings import Settings, TracingSettings
from service.tracing import open_traces
from tests.collector import Collector, Seen
from tests.handlers import CLAIMS, DEAD, SETTINGS, Bench, Broker, message, run
from tests.test_headers import TRACE

CONSUMER, PRODUCER, INTERNAL = 5, 4, 1  # as OTLP numbers the kinds
TRACE_ID, PARENT = TRACE.decode().split("-")[1:3]
STEPS = ["decode", "segment", "infer", "assemble"]


class PlacingBroker(Broker):
    """Says where each record came to lie, as a real one does."""

    def __init__(self) -> None:
        """Remember the headers too."""
        super().__init__()
        self.headers: list[dict[str, bytes]] = []
        self.fails_with: Exception | None = None

    async def send(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers
    ) -> Confirmation:
        """Take a record, and place it."""
        await super().send(topic, key, value, headers)
        self.headers.append(dict(headers))
        confirmation: Confirmation = asyncio.get_running_loop().create_future()
        if self.fails_with:
            confirmation.set_exception(self.fails_with)
            confirmation.exception()
        else:
            confirmation.set_result(SimpleNamespace(partition=2, offset=len(self.sent)))
        return confirmation


class Traced(Bench):
    """A handler that is traced."""

    def __init__(self, settings: Settings) -> None:
        """Build it in the running loop."""
        super().__init__()
        self.broker: PlacingBroker = PlacingBroker()
        outbox: Any = self.broker
        self.traces = open_traces(settings, self.metrics)
        self.handler = Handler(
            settings,
            labeller=self.handler._labeller,  # noqa: SLF001 - the one that it was built with
            outbox=outbox,
            executor=self.executor,
            metrics=self.metrics,
            progress=self.progress,
            breaker=self.breaker,
            guard=self.guard,
            traces=self.traces,
        )


@pytest.fixture
def collector() -> Iterator[Collector]:
    """What spans arrive at."""
    with Collector() as collector:
        yield collector


def traced(
    collector: Collector,
    *messages: Any,
    before: Callable[[Traced], None] = lambda _: None,
    ratio: float = 1.0,
) -> list[dict[str, bytes]]:
    """Have a traced handler handle messages and all its spans arrive; the headers that it sent."""
    sent: list[dict[str, bytes]] = []

    async def main() -> None:
        tracing = TracingSettings.model_validate({"endpoint": collector.address, "ratio": ratio})
        bench = Traced(SETTINGS.model_copy(update={"tracing": tracing}))
        before(bench)
        try:
            await bench.handle(*messages)
        finally:
            await bench.traces.close()
            sent.extend(bench.broker.headers)

    run(main())
    return sent


def came(offset: int, body: str = "It rained.", trace: bytes | None = TRACE) -> Any:
    """A message with a trace."""
    one = message(offset, body)
    one.headers = [] if trace is None else [("traceparent", trace), ("origin", b"desk")]
    return one


def one(collector: Collector, name: str) -> Seen:
    """The only span of a name."""
    (found,) = collector.named(name)
    return found


def test_the_way_of_a_labelled_article(collector: Collector) -> None:
    """A consumer span in the trace that came, its steps in order, a producer span that goes out."""
    (sent,) = traced(collector, came(7, "He said it rained. We should go."))
    process, send = one(collector, "process t"), one(collector, f"send {CLAIMS}")
    assert (process.trace_id, process.parent_id, process.kind) == (TRACE_ID, PARENT, CONSUMER)
    assert process.attributes == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "t",
        "messaging.destination.partition.id": "0",
        "messaging.kafka.offset": 7,
        "messaging.kafka.message.key": "k",
        "messaging.message.body.size": 56,
        "messaging.consumer.group.name": "claimstream",
        "messaging.client.id": "claimstream",
        "claimstream.outcome": "labelled",
        "claimstream.sentences": 2,
    }
    assert (send.trace_id, send.parent_id, send.kind) == (TRACE_ID, process.span_id, PRODUCER)
    assert send.attributes.pop("messaging.message.body.size") > 100
    assert send.attributes == {
        "messaging.system": "kafka",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": CLAIMS,
        "messaging.destination.partition.id": "2",
        "messaging.kafka.offset": 1,
        "messaging.kafka.message.key": "a7",
        "messaging.client.id": "claimstream",
        "claimstream.stage": "deliver",
    }
    assert sent["traceparent"].decode() == f"00-{TRACE_ID}-{send.span_id}-01"
    assert "origin" not in sent
    steps = [one(collector, name) for name in STEPS]
    assert {(s.trace_id, s.parent_id, s.kind) for s in steps} == {
        (TRACE_ID, process.span_id, INTERNAL)
    }
    times = [process.start, *(t for s in steps for t in (s.start, s.end)), send.end, process.end]
    assert times == sorted(times)
    assert not any(span.is_error for span in collector.spans)


def test_a_try_that_fails_is_seen(collector: Collector) -> None:
    """Each try has its steps; the one that failed says so, and nothing of the article's words."""
    traced(collector, came(1, "RAISE ONCE of all words"))
    first, second = collector.named("infer")
    assert (first.is_error, second.is_error) == (True, False)
    assert first.attributes["error.type"] == "builtins.RuntimeError"
    assert [s.attributes["claimstream.try"] for s in collector.named("decode")] == [1, 2]
    assert len(collector.named("assemble")) == 1
    assert not one(collector, "process t").is_error
    assert "words" not in repr(collector.spans)
    assert "asked to raise" not in repr(collector.spans)


def test_a_dead_letter_goes_on_in_the_trace(collector: Collector) -> None:
    """It is sent elsewhere, its record's span has failed; its headers are kept, but the trace."""
    bad = came(3)
    bad.value = b"rubbish"
    (sent,) = traced(collector, bad)
    process, send = one(collector, "process t"), one(collector, f"send {DEAD}")
    assert process.is_error
    assert (
        process.attributes.items()
        >= {
            "claimstream.outcome": "dead_letter",
            "claimstream.stage": "decode",
            "error.type": "service.decoding.DecodeError",
        }.items()
    )
    assert not send.is_error
    assert sent["traceparent"].decode() == f"00-{TRACE_ID}-{send.span_id}-01"
    assert sent["origin"] == b"desk"


def test_what_is_too_large_is_sent_elsewhere(collector: Collector) -> None:
    """The span of the delivery names the topic that took it in the end."""
    traced(collector, came(3), before=lambda bench: bench.broker.refuses.add(CLAIMS))
    send = one(collector, f"send {DEAD}")
    assert send.attributes["messaging.destination.name"] == DEAD
    assert send.attributes["messaging.kafka.message.key"] == "k"
    assert one(collector, "process t").attributes["claimstream.stage"] == "deliver"


def test_tombstones_and_odd_keys(collector: Collector) -> None:
    """A tombstone is marked as one; a key that is no text is left out, a long one is cut."""
    gone, odd, long = came(1), came(2), came(3)
    gone.value, odd.key, long.key = None, b"\xff", b"k" * 5000
    traced(collector, gone, odd, long)
    first, second, third = collector.named("process t")
    assert first.attributes["messaging.kafka.message.tombstone"] is True
    assert first.attributes["claimstream.outcome"] == "tombstone"
    assert "messaging.kafka.message.key" not in second.attributes
    assert len(third.attributes["messaging.kafka.message.key"]) == 512
    marked = [
        s.attributes.get("messaging.kafka.message.tombstone")
        for s in collector.named(f"send {CLAIMS}")
    ]
    assert marked == [True, None, None]


def test_without_a_trace_one_is_begun(collector: Collector) -> None:
    """No trace, or one that is not well-formed: the record's span is the first of a new one."""
    sent = traced(collector, came(1, trace=None), came(2, trace=b"00-xyz"))
    spans = collector.named("process t")
    assert [span.parent_id for span in spans] == ["", ""]
    assert len({span.trace_id for span in spans}) == 2
    for span, headers, send in zip(spans, sent, collector.named(f"send {CLAIMS}"), strict=True):
        flags = headers["traceparent"].decode()[-2:]
        assert int(flags, 16) & 1
        assert headers["traceparent"].decode() == f"00-{span.trace_id}-{send.span_id}-{flags}"


def test_the_state_of_a_trace_goes_along(collector: Collector) -> None:
    """What the producer's system noted beside its trace is on what goes out."""
    one = came(1)
    one.headers.append(("tracestate", b"desk=1"))
    (sent,) = traced(collector, one)
    assert sent["tracestate"] == b"desk=1"
    assert TRACE_ID in sent["traceparent"].decode()


def test_a_trace_that_is_not_followed_stays_so(collector: Collector) -> None:
    """Whoever began the trace did not want it followed: no span, and what goes out says so too."""
    (sent,) = traced(collector, came(1, trace=TRACE[:-2] + b"00"))
    assert collector.spans == []
    _, trace_id, span_id, flags = sent["traceparent"].decode().split("-")
    assert (trace_id, flags) == (TRACE_ID, "00")
    assert span_id != PARENT


def test_the_share_is_of_traces_begun_here(collector: Collector) -> None:
    """With a share of none a new trace is not followed; one that is followed already is."""
    new, old = traced(collector, came(1, trace=None), came(2), ratio=0)
    assert int(new["traceparent"].decode()[-2:], 16) & 1 == 0
    assert old["traceparent"].endswith(b"-01")
    assert {span.trace_id for span in collector.spans} == {TRACE_ID}


def test_an_outage_is_seen(collector: Collector) -> None:
    """The broker does not confirm: the delivery has failed, the record is left, both are seen."""

    def break_(bench: Traced) -> None:
        bench.broker.error = DeliveryError("away")
        bench.broker.fails_with = ConnectionError("away")

    with pytest.raises(DeliveryError):
        traced(collector, came(1), before=break_)
    send = one(collector, f"send {CLAIMS}")
    assert send.is_error
    assert send.attributes["error.type"] == "builtins.ConnectionError"
    assert one(collector, "process t").attributes["claimstream.outcome"] == "left"


def test_a_held_article_that_is_left_is_seen(collector: Collector) -> None:
    """The model is broken and the worker ends: the record's span says that it was left."""

    async def main() -> None:
        tracing = TracingSettings.model_validate({"endpoint": collector.address})
        bench = Traced(SETTINGS.model_copy(update={"tracing": tracing}))
        bench.breaker.judge(control_passes=False)
        handling = asyncio.create_task(bench.handle(came(1, "RAISE ALWAYS")))
        await asyncio.sleep(0.05)
        await bench.handler.drain()
        await handling
        await bench.traces.close()

    run(main())
    assert one(collector, "process t").attributes["claimstream.outcome"] == "left"
    assert not [span for span in collector.spans if span.name.startswith("send")]
