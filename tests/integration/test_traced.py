"""A worker that is traced: its spans at a real receiver, its stream the same as ever."""

from __future__ import annotations

import time

import pytest

from service.contracts import Article
from service.pipeline import label_article
from tests.cluster import Cluster, articles
from tests.collector import Collector, Seen
from tests.conftest import StartWorker
from tests.labellers import RuleLabeller
from tests.test_headers import TRACE
from tests.workers import Worker

TRACE_ID, PARENT = TRACE.decode().split("-")[1:3]
# Spans of a record labelled at the first try, of one that is no article, and of a tombstone.
LABELLED, REFUSED = 6, 3
MANY = 60


def test_spans_of_the_whole_way(
    cluster: Cluster, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labelled, removed, refused, tried twice: spans in the producer's trace; values as ever.

    Then the receiver refuses: the stream goes on, spans are counted, the worker ends as it should.
    """
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
    topics = cluster.settings.topics
    with Collector() as collector:
        worker = start_worker(cluster.settings, TRACING__ENDPOINT=collector.address)
        worker.wait_until_ready()
        (good,) = articles(1)
        again = (b"again", b'{"id": "again", "body": "RAISE ONCE"}')
        cluster.publish(
            [good, (b"gone", None), (b"bad", b"rubbish"), again], {"traceparent": TRACE}
        )
        outcomes = cluster.outcomes(4)
        count = 2 * LABELLED + 2 * REFUSED + 3
        process = _processed(collector, f"process {topics.articles}", count)
        _refuse(collector, cluster, worker, count)
    assert {key: span.attributes["claimstream.outcome"] for key, span in process.items()} == {
        good[0].decode(): "labelled",
        "gone": "tombstone",
        "bad": "dead_letter",
        "again": "labelled",
    }
    assert {span.trace_id for span in collector.spans} == {TRACE_ID}
    assert {span.parent_id for span in process.values()} == {PARENT}
    groups = {span.attributes["messaging.consumer.group.name"] for span in process.values()}
    assert groups == {cluster.settings.kafka.group}
    sent = {
        (span.parent_id, span.attributes["messaging.kafka.offset"]): span
        for topic in (topics.claims, topics.dead_letters)
        for span in collector.named(f"send {topic}")
    }
    for out in (*outcomes.claims, *outcomes.dead_letters):
        span = sent[process[(out.key or b"").decode()].span_id, out.offset]
        assert span.attributes["messaging.destination.name"] == out.topic
        assert span.attributes["messaging.destination.partition.id"] == str(out.partition)
        assert out.headers["traceparent"].decode() == f"00-{TRACE_ID}-{span.span_id}-01"
    of_again = [s.name for s in collector.spans if s.parent_id == process["again"].span_id]
    assert sorted(of_again) == sorted(
        [*["decode", "segment", "infer"] * 2, "assemble", f"send {topics.claims}"]
    )
    (labelled,) = (out for out in outcomes.claims if out.key == good[0])
    untraced = label_article(Article.model_validate_json(good[1]), RuleLabeller())
    assert labelled.value == untraced.to_json().encode()


def _processed(collector: Collector, name: str, count: int) -> dict[str, Seen]:
    """The spans of the records by their keys, once so many spans of all kinds have arrived."""
    deadline = time.monotonic() + 60
    while len(collector.spans) < count:
        assert time.monotonic() < deadline, collector.spans
        time.sleep(0.05)
    assert len(collector.spans) == count
    return {s.attributes["messaging.kafka.message.key"]: s for s in collector.named(name)}


def _refuse(collector: Collector, cluster: Cluster, worker: Worker, before: int) -> None:
    """Have the receiver refuse what comes, and see that this costs the spans alone."""
    collector.status = 503
    cluster.publish(articles(MANY, first=10))
    assert cluster.outcomes(4 + MANY).duplicates == 0
    made = before + MANY * LABELLED
    deadline = time.monotonic() + 60
    # The last are counted when their records are acknowledged, shortly after they came out.
    while worker.metric("claimstream_trace_spans_total") < made:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert worker.metric("claimstream_trace_spans_total") == made
    assert worker.metric("claimstream_trace_spans_exported_total") == before
    assert worker.stop() == 0
    assert worker.log.count("spans are dropped") <= 1
