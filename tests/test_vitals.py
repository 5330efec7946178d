"""What the watch over a worker shows of its partitions."""

# ruff: noqa: SLF001 - one look of the watch, without its clock

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest
from faust.types import TP

from service.breaker import Breaker
from service.metrics import Metrics, build_metrics
from service.progress import Progress
from service.settings import Settings
from service.vitals import Vitals

PARTITION = TP("news.articles.v1", 3)
LABELS = {"topic": "news.articles.v1", "partition": "3"}


def _look(metrics: Metrics, *, lag: dict[TP, int], oldest: dict[TP, float]) -> None:
    """Let the watch look once at a consumer in this state."""
    worker = Settings().worker
    vitals = Vitals(Settings(), metrics, Progress(worker), Breaker(worker, metrics))
    consumer: Any = SimpleNamespace(
        assigned=frozenset({PARTITION}),
        lag=lambda: lag,
        oldest=lambda: oldest,
        last_poll=time.monotonic(),
    )
    vitals.consumer = consumer
    vitals._look()


def _age(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("claimstream_consumer_lag_seconds", LABELS)


def test_lag_in_records_and_seconds() -> None:
    """A partition with a record fetched a minute ago lags by its count and by that minute."""
    metrics = build_metrics()
    _look(metrics, lag={PARTITION: 7}, oldest={PARTITION: time.time() - 60})
    assert metrics.registry.get_sample_value("claimstream_consumer_lag_records", LABELS) == 7
    assert _age(metrics) == pytest.approx(60, abs=5)


def test_nothing_to_do_has_no_age() -> None:
    """A partition without lag has age zero, whatever was fetched before."""
    metrics = build_metrics()
    _look(metrics, lag={PARTITION: 0}, oldest={PARTITION: time.time() - 60})
    assert _age(metrics) == 0


def test_an_age_nobody_knows_is_not_made_up() -> None:
    """A partition of which nothing is fetched yet shows its lag in records only."""
    metrics = build_metrics()
    _look(metrics, lag={PARTITION: 7}, oldest={})
    assert _age(metrics) is None


def test_a_producer_ahead_of_its_time() -> None:
    """A record from the future is not older than nothing."""
    metrics = build_metrics()
    _look(metrics, lag={PARTITION: 1}, oldest={PARTITION: time.time() + 3600})
    assert _age(metrics) == 0


def test_whether_the_broker_answers() -> None:
    """What the broker answers to a ping shows, so that an outage shows in an idle worker too."""

    async def test() -> None:
        metrics = build_metrics()
        worker = Settings().worker
        vitals = Vitals(Settings(), metrics, Progress(worker), Breaker(worker, metrics))
        for answer in (True, False):
            outbox: Any = SimpleNamespace(ping=AsyncMock(return_value=answer))
            await vitals._ping(outbox)
            assert metrics.registry.get_sample_value("claimstream_broker_up") == answer

    asyncio.run(test())
