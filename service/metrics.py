"""All metrics of the worker, under names of our own.

The registry is passed in, so that every test, and every worker in one process, has its own. Labels
are few and bounded: no ids, no messages.
"""

from __future__ import annotations

import math
import platform
from collections import Counter as Counts
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Final, NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    ProcessCollector,
)

from service.contracts import LABELS, Model
from service.memory import find_memory
from service.outcomes import REASONS, STAGES, Labelled, Stage
from service.pipeline import Usage

NAMESPACE: Final = "claimstream"
OUTCOMES: Final = ("labelled", "dead_letter", "tombstone")

# Seconds. An article takes some 0.2 s on one core; a very long one, minutes.
_STAGE_BUCKETS: Final = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)
# Seconds from the record's timestamp. From a quiet topic to a backlog of a day.
_END_TO_END_BUCKETS: Final = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 86400)
_BATCH_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64)
# An article has a few hundred tokens, a batch as many articles as _BATCH_BUCKETS say.
_TOKEN_BUCKETS: Final = (128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
_FILL_BUCKETS: Final = (0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1)
_LOOP_BUCKETS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)
# The label's own score, the greatest of three: never under a third.
_CONFIDENCE_BUCKETS: Final = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


class Metrics(NamedTuple):
    """The worker's metrics; times in seconds, sizes in bytes."""

    registry: CollectorRegistry
    received: Counter
    done: Counter
    sentences: Counter
    uncertain: Counter
    confidence: Histogram
    dead_letters: Counter
    retries: Counter
    stage_seconds: Histogram
    end_to_end_seconds: Histogram
    batch_articles: Histogram
    batch_tokens: Histogram
    batch_fill: Histogram
    in_flight_articles: Gauge
    in_flight_bytes: Gauge
    fetched_bytes: Gauge
    breaker_open: Gauge
    breaker_openings: Counter
    producer_errors: Counter
    broker_up: Gauge
    commits: Counter
    rebalances: Counter
    partitions: Gauge
    lag: Gauge
    lag_seconds: Gauge
    loop_lag_seconds: Histogram
    last_progress: Gauge
    memory_limit: Gauge
    release_share: Gauge
    trace_spans: Counter
    trace_spans_exported: Counter
    model: Info
    consumer: Info

    def observe_stages(self, seconds: dict[Stage, float]) -> None:
        """Count how long each step of one article took."""
        for stage, duration in seconds.items():
            self.stage_seconds.labels(stage).observe(duration)

    def count_sentences(self, labelled: Labelled) -> None:
        """Count an article's sentences by label, and how sure the model was of each."""
        for label, count in labelled.counts.items():
            self.sentences.labels(label).inc(count)
        # Looked up once: a book has thousands of sentences, and the event loop waits meanwhile.
        observe = {label: self.confidence.labels(label).observe for label in LABELS}
        for sentence in labelled.certainties:
            observe[sentence.label](sentence.confidence)
        unsure = Counts(sentence.label for sentence in labelled.certainties if sentence.uncertain)
        for label, count in unsure.items():
            self.uncertain.labels(label).inc(count)

    def count_tokens(self, before: Usage, after: Usage) -> None:
        """Count what the network was given for the records that were taken at once.

        Args:
            before: what the labeller had used when the first was begun.
            after: what it has used now that the last is labelled.
        """
        tokens, room = after.tokens - before.tokens, after.room - before.room
        self.batch_tokens.observe(tokens)
        if room:  # of tombstones and records that are no articles nothing goes through the network
            self.batch_fill.observe(tokens / room)

    def name_consumer(self, group: str, topic: str) -> None:
        """Say which topic is read, and by which group."""
        self.consumer.info({"group": group, "topic": topic})

    def show_release_mix(self, shares: Mapping[str, float]) -> None:
        """Show how the model's labels were mixed when it was scored for its release."""
        for label, share in shares.items():
            self.release_share.labels(label).set(share)

    def name_model(self, model: Model) -> None:
        """Say which model labels."""
        self.model.info({name: str(value) for name, value in model.model_dump().items()})


def build_metrics(registry: CollectorRegistry | None = None) -> Metrics:
    """Register all metrics, with every value of every label present from the start.

    Args:
        registry: where; a new one, with figures of the process, if not given.
    """
    if registry is None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)

    def counter(name: str, help_: str, *labels: str) -> Counter:
        return Counter(name, help_, labels, namespace=NAMESPACE, registry=registry)

    def gauge(name: str, help_: str, *labels: str) -> Gauge:
        return Gauge(name, help_, labels, namespace=NAMESPACE, registry=registry)

    def histogram(name: str, help_: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(
            name, help_, labels, namespace=NAMESPACE, registry=registry, buckets=buckets
        )

    metrics = Metrics(
        registry=registry,
        received=counter("articles_received_total", "Records taken from the articles topic."),
        done=counter(
            "articles_done_total",
            "Records that were brought to an end and confirmed by the broker.",
            "outcome",
        ),
        sentences=counter(
            "sentences_total", "Sentences by label; furniture is text that is none.", "label"
        ),
        uncertain=counter(
            "uncertain_sentences_total",
            "Sentences whose confidence lies under the threshold, by label.",
            "label",
        ),
        confidence=histogram(
            "sentence_confidence", "Confidence of each sentence.", _CONFIDENCE_BUCKETS, "label"
        ),
        dead_letters=counter(
            "dead_letters_total",
            "Dead letters, by the stage that failed and the kind of failure.",
            "stage",
            "reason",
        ),
        retries=counter("retries_total", "Further tries at labelling an article that failed."),
        stage_seconds=histogram(
            "stage_duration_seconds", "Time of one article in each stage.", _STAGE_BUCKETS, "stage"
        ),
        end_to_end_seconds=histogram(
            "end_to_end_duration_seconds",
            "From the timestamp of an article's record to the confirmation of its outcome.",
            _END_TO_END_BUCKETS,
        ),
        batch_articles=histogram("batch_articles", "Records taken at once.", _BATCH_BUCKETS),
        batch_tokens=histogram(
            "batch_tokens",
            "Tokens that went through the network for the records taken at once.",
            _TOKEN_BUCKETS,
        ),
        batch_fill=histogram(
            "batch_fill_ratio",
            "Share of the windows' room that was tokens, for the records taken at once.",
            _FILL_BUCKETS,
        ),
        in_flight_articles=gauge("in_flight_articles", "Records taken and not yet done."),
        in_flight_bytes=gauge("in_flight_bytes", "Bytes of the records taken and not yet done."),
        fetched_bytes=gauge(
            "fetched_bytes",
            "Bytes of the records fetched and not yet done, those taken among them.",
        ),
        breaker_open=gauge(
            "breaker_open", "1 while the stream is held because the model fails, else 0."
        ),
        breaker_openings=counter(
            "breaker_openings_total", "How often the stream was held because the model failed."
        ),
        producer_errors=counter(
            "producer_errors_total", "Records that the broker did not confirm."
        ),
        broker_up=gauge(
            "broker_up", "1 while the broker answers, also when there is nothing to do, else 0."
        ),
        commits=counter("commits_total", "Offset commits that the broker accepted."),
        rebalances=counter("rebalances_total", "Assignments of partitions to this worker."),
        partitions=gauge("assigned_partitions", "Partitions assigned to this worker."),
        lag=gauge(
            "consumer_lag_records",
            "Records of an assigned partition that are not done.",
            "topic",
            "partition",
        ),
        lag_seconds=gauge(
            "consumer_lag_seconds",
            "Age of the oldest record of an assigned partition that is fetched and not done.",
            "topic",
            "partition",
        ),
        loop_lag_seconds=histogram(
            "event_loop_lag_seconds", "How late the event loop woke up a timer.", _LOOP_BUCKETS
        ),
        last_progress=gauge(
            "last_progress_timestamp_seconds", "When a record was last brought to its end."
        ),
        memory_limit=gauge(
            "memory_limit_bytes", "What the worker's container may use; +Inf without a limit."
        ),
        release_share=gauge(
            "release_label_share",
            "Share of each label among the model's answers on the dev articles of its release.",
            "label",
        ),
        trace_spans=counter(
            "trace_spans_total", "Spans made to be exported; none while tracing is off."
        ),
        trace_spans_exported=counter(
            "trace_spans_exported_total",
            "Spans that the tracing endpoint took. The others wait for it, or were dropped.",
        ),
        model=Info("model", "The model that labels.", namespace=NAMESPACE, registry=registry),
        consumer=Info(
            "consumer", "What this worker reads.", namespace=NAMESPACE, registry=registry
        ),
    )
    for outcome in OUTCOMES:
        metrics.done.labels(outcome)
    for label in (*LABELS, "furniture"):
        metrics.sentences.labels(label)
    for label in LABELS:
        metrics.uncertain.labels(label)
        metrics.confidence.labels(label)
    for stage in STAGES:
        metrics.stage_seconds.labels(stage)
        for reason in REASONS:
            metrics.dead_letters.labels(stage, reason)
    metrics.memory_limit.set(_memory_limit())
    Info("build", "This build.", namespace=NAMESPACE, registry=registry).info(
        {"version": _version(), "python": platform.python_version()}
    )
    return metrics


def _memory_limit() -> float:
    """Bytes that this container may use, as the kernel tells it."""
    memory = find_memory()
    return memory.total if memory is not None and memory.limited else math.inf


def _version() -> str:
    try:
        return version("claimstream")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "unknown"
