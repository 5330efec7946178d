"""Exporting spans: counted, bounded, in the background, whatever the endpoint does."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest
import structlog
from opentelemetry.context import Context
from pydantic import SecretStr

from service.broker import free_port
from service.metrics import Metrics, build_metrics
from service.otlp import Exporter, open_exporter
from service.settings import TracingSettings
from tests.collector import Collector

# Generous: the machine may be loaded. The library alone would try for 30 s.
CLOSE_S = 10.0


def settings(endpoint: str, **changes: object) -> TracingSettings:
    """Settings with an endpoint."""
    return TracingSettings.model_validate({"endpoint": endpoint, **changes})


def make_spans(exporter: Exporter, count: int) -> float:
    """Make spans of traces of their own; how many seconds that took."""
    started = time.monotonic()
    for number in range(count):
        exporter.tracer.start_span(f"span {number}", Context()).end()
    return time.monotonic() - started


def close(exporter: Exporter) -> float:
    """Close; how many seconds that took."""
    started = time.monotonic()
    asyncio.run(exporter.close())
    return time.monotonic() - started


def counted(metrics: Metrics) -> tuple[float, float]:
    """How many spans were made, and how many of them the endpoint took."""
    value = metrics.registry.get_sample_value
    name = "claimstream_trace_spans"
    return value(f"{name}_total") or 0.0, value(f"{name}_exported_total") or 0.0


def test_what_waits_is_sent_at_the_end() -> None:
    """Spans made just before the end arrive, under the service's name, with the key given."""
    metrics = build_metrics()
    with Collector() as collector:
        headers = SecretStr("api-key=hush,x-team=a%20b")
        exporter = open_exporter(
            settings(collector.address, headers=headers, service_name="desk"), metrics
        )
        make_spans(exporter, 700)
        assert close(exporter) < CLOSE_S
        assert {span.name for span in collector.spans} == {f"span {n}" for n in range(700)}
        assert (collector.headers["api-key"], collector.headers["x-team"]) == ("hush", "a b")
        resource = collector.spans[0].resource
        assert resource["service.name"] == "desk"
        assert resource.keys() >= {"service.version", "service.instance.id", "telemetry.sdk.name"}
    assert counted(metrics) == (700, 700)


@pytest.mark.parametrize("path", ["", "/", "/v1/traces"])
def test_the_address_of_traces(path: str) -> None:
    """Traces go below the endpoint, which may name their place itself."""
    with Collector() as collector:
        exporter = open_exporter(settings(collector.address + path), build_metrics())
        make_spans(exporter, 1)
        close(exporter)
        assert len(collector.spans) == 1


def test_an_endpoint_that_is_away_costs_the_spans() -> None:
    """Nobody listens there: all are dropped and counted, more than wait cost nothing, it ends."""
    metrics = build_metrics()
    exporter = open_exporter(settings(f"http://127.0.0.1:{free_port()}"), metrics)
    assert make_spans(exporter, 10_000) < CLOSE_S
    assert close(exporter) < CLOSE_S
    assert counted(metrics) == (10_000, 0)


@pytest.mark.parametrize(("status", "delay_s"), [(400, 0.0), (200, 20.0)])
def test_an_endpoint_that_fails_costs_the_spans(
    status: int, delay_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    """It refuses, or never answers: nobody waits for it."""
    metrics = build_metrics()
    with Collector(status=status, delay_s=delay_s) as collector:
        exporter = open_exporter(settings(collector.address), metrics)
        assert make_spans(exporter, 3000) < CLOSE_S
        assert close(exporter) < CLOSE_S
        assert collector.requests
        assert collector.spans == []
    assert counted(metrics) == (3000, 0)
    assert "Traceback" not in caplog.text


def test_nothing_is_told_after_the_end() -> None:
    """A try that is under way when it closes goes on for a while, and fails in silence."""
    with (
        Collector(status=400, delay_s=8.0) as collector,
        structlog.testing.capture_logs() as logs,
    ):
        before = set(threading.enumerate())
        exporter = open_exporter(settings(collector.address), build_metrics())
        exporting = set(threading.enumerate()) - before
        make_spans(exporter, 1)
        close(exporter)
        assert collector.requests == 1
        _wait(lambda: not exporting & set(threading.enumerate()))
    assert logs == []


def test_a_failure_is_told_once() -> None:
    """The log has a line when spans begin to be dropped, with the reason, and one when they go."""
    with structlog.testing.capture_logs() as logs, Collector(status=401) as collector:
        exporter = open_exporter(settings(collector.address), build_metrics())
        make_spans(exporter, 600)
        _wait(lambda: collector.requests > 0)
        make_spans(exporter, 600)
        _wait(lambda: collector.requests > 1)
        collector.status = 200
        make_spans(exporter, 600)
        close(exporter)
        assert collector.spans
    dropped, again = logs
    assert "spans are dropped" in dropped["event"]
    assert "401" in dropped["reason"]
    assert "takes spans again" in again["event"]


def _wait(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)
