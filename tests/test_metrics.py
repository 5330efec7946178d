"""Metrics: names, labels, isolation."""

import math

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest

from service import metrics as module
from service.contracts import Model
from service.memory import Memory
from service.metrics import build_metrics
from service.outcomes import Certainty, Labelled
from service.pipeline import Usage


def test_each_has_its_own_registry() -> None:
    """Two workers in one process do not count into each other, nor into the global registry."""
    first, second = build_metrics(), build_metrics()
    first.received.inc()
    name = "claimstream_articles_received_total"
    assert first.registry.get_sample_value(name) == 1
    assert second.registry.get_sample_value(name) == 0
    assert REGISTRY.get_sample_value(name) is None


def test_a_given_registry_is_used() -> None:
    """Tests and other programs can hand in theirs."""
    registry = CollectorRegistry()
    assert build_metrics(registry).registry is registry
    assert registry.get_sample_value("claimstream_retries_total") == 0


def test_every_series_is_there_from_the_start() -> None:
    """Rates and alerts work from the first event on: what can be counted starts at zero."""
    metrics = build_metrics()
    shown = generate_latest(metrics.registry).decode()
    for series in (
        'claimstream_articles_done_total{outcome="tombstone"} 0.0',
        'claimstream_sentences_total{label="furniture"} 0.0',
        'claimstream_dead_letters_total{reason="no_text",stage="segment"} 0.0',
        'claimstream_stage_duration_seconds_count{stage="infer"} 0.0',
    ):
        assert series in shown


def test_stages_and_model() -> None:
    """Stage times go to their stage, and the model is named."""
    metrics = build_metrics()
    metrics.observe_stages({"decode": 0.5, "infer": 2.0})
    metrics.name_model(Model(name="m", version="1", digest="sha256:0", uncertain_below=0.6))
    value = metrics.registry.get_sample_value
    assert value("claimstream_stage_duration_seconds_sum", {"stage": "infer"}) == 2.0
    labels = {
        "name": "m",
        "version": "1",
        "digest": "sha256:0",
        "backend": "",
        "uncertain_below": "0.6",
    }
    assert value("claimstream_model_info", labels) == 1
    assert b'uncertain_below="0.6"' in generate_latest(metrics.registry)


def test_sentences_by_label_and_certainty() -> None:
    """Sentences are counted by label, with their confidence and whether they were uncertain."""
    metrics = build_metrics()
    counts = {"fact": 2, "attributed_claim": 0, "opinion": 1, "furniture": 3}
    certainties = (
        Certainty("fact", 0.97, uncertain=False),
        Certainty("fact", 0.55, uncertain=True),
        Certainty("opinion", 0.6, uncertain=False),
    )
    metrics.count_sentences(Labelled(b"k", "i", b"v", counts, certainties))
    value = metrics.registry.get_sample_value
    assert value("claimstream_sentences_total", {"label": "furniture"}) == 3
    assert value("claimstream_uncertain_sentences_total", {"label": "fact"}) == 1
    assert value("claimstream_uncertain_sentences_total", {"label": "opinion"}) == 0
    assert value("claimstream_sentence_confidence_count", {"label": "fact"}) == 2
    assert value("claimstream_sentence_confidence_bucket", {"label": "fact", "le": "0.6"}) == 1
    assert value("claimstream_sentence_confidence_sum", {"label": "fact"}) == pytest.approx(1.52)


def test_what_the_network_was_given() -> None:
    """Tokens of a batch, and how full its windows were, count from where the batch began."""
    metrics = build_metrics()
    metrics.count_tokens(Usage(1000, 2000), Usage(1300, 2400))
    value = metrics.registry.get_sample_value
    assert value("claimstream_batch_tokens_sum") == 300
    assert value("claimstream_batch_fill_ratio_sum") == 0.75
    assert value("claimstream_batch_fill_ratio_bucket", {"le": "0.7"}) == 0
    assert value("claimstream_batch_fill_ratio_bucket", {"le": "0.8"}) == 1


def test_a_batch_that_needs_no_network() -> None:
    """Tombstones and bad records make a batch without tokens, of which no fill can be told."""
    metrics = build_metrics()
    metrics.count_tokens(Usage(1000, 2000), Usage(1000, 2000))
    value = metrics.registry.get_sample_value
    assert value("claimstream_batch_tokens_count") == 1
    assert value("claimstream_batch_tokens_sum") == 0
    assert value("claimstream_batch_fill_ratio_count") == 0


def test_what_is_read_and_by_whom() -> None:
    """Group and topic of a worker can be told, so that a dashboard can be narrowed to them."""
    metrics = build_metrics()
    metrics.name_consumer("desk", "news")
    labels = {"group": "desk", "topic": "news"}
    assert metrics.registry.get_sample_value("claimstream_consumer_info", labels) == 1


def test_the_mix_at_release() -> None:
    """The shares of a release show; without one there is no share that could be taken for it."""
    metrics = build_metrics()
    assert b"claimstream_release_label_share{" not in generate_latest(metrics.registry)
    metrics.show_release_mix({"fact": 0.75, "opinion": 0.25})
    value = metrics.registry.get_sample_value
    assert value("claimstream_release_label_share", {"label": "fact"}) == 0.75


@pytest.mark.parametrize(
    ("memory", "limit"),
    [(Memory(7, 3, limited=True), 7.0), (Memory(9, 3, limited=False), math.inf), (None, math.inf)],
)
def test_the_limit_of_memory(
    memory: Memory | None, limit: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the container's; where only the machine ends it, or nobody knows, it is infinite."""
    monkeypatch.setattr(module, "find_memory", lambda: memory)
    assert build_metrics().registry.get_sample_value("claimstream_memory_limit_bytes") == limit


def test_all_names_are_ours() -> None:
    """Everything but the figures of the process carries our prefix."""
    for family in build_metrics().registry.collect():
        assert family.name.startswith(("claimstream_", "process_", "python_gc_")), family.name
        assert family.documentation
