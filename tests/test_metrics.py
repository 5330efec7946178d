"""Metrics: names, labels, isolation."""

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest

from service.contracts import Model
from service.metrics import build_metrics


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
    metrics.name_model(Model(name="m", version="1", digest="sha256:0"))
    value = metrics.registry.get_sample_value
    assert value("claimstream_stage_duration_seconds_sum", {"stage": "infer"}) == 2.0
    labels = {"name": "m", "version": "1", "digest": "sha256:0"}
    assert value("claimstream_model_info", labels) == 1


def test_all_names_are_ours() -> None:
    """Everything but the figures of the process carries our prefix."""
    for family in build_metrics().registry.collect():
        assert family.name.startswith(("claimstream_", "process_", "python_gc_")), family.name
        assert family.documentation
