"""The HTTP site, over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from service.breaker import Breaker
from service.health import PortTakenError, serve_health
from service.metrics import build_metrics
from service.progress import Progress
from service.settings import HttpSettings, Settings, WorkerSettings
from service.vitals import Vitals

SETTINGS = Settings(worker=WorkerSettings(stall_s=0.1, slowest_bytes_per_s=1e9))
FREE = HttpSettings(port=0)


def _served(use: Callable[[Vitals, Progress, str], Awaitable[None]]) -> None:
    """Serve the site of a worker that has nothing yet, and use it."""

    async def run() -> None:
        metrics, progress = build_metrics(), Progress(SETTINGS.worker)
        vitals = Vitals(SETTINGS, metrics, progress, Breaker(SETTINGS.worker, metrics))
        async with serve_health(FREE, metrics, vitals) as address:
            await use(vitals, progress, address)

    asyncio.run(run())


async def _get(url: str, method: str = "GET") -> tuple[int, str]:
    async with aiohttp.ClientSession() as client, client.request(method, url) as answer:
        return answer.status, await answer.text()


def test_only_three_paths_and_one_method() -> None:
    """Anything else is not there."""

    async def use(_: Vitals, __: Progress, address: str) -> None:
        assert address.startswith("http://127.0.0.1:")
        assert (await _get(f"{address}/healthz"))[0] == 200
        status, text = await _get(f"{address}/metrics")
        assert status == 200
        assert "# TYPE claimstream_articles_done_total counter" in text
        assert (await _get(f"{address}/"))[0] == 404
        assert (await _get(f"{address}/metrics", "POST"))[0] == 405

    _served(use)


def test_ready_when_all_parts_are() -> None:
    """Readiness needs the model, the group and a broker that answers, and names what lacks."""

    async def use(vitals: Vitals, _: Progress, address: str) -> None:
        assert await _get(f"{address}/readyz") == (
            503,
            '{"model": false, "assigned": false, "producer": false, "partitions": 0}',
        )
        parts: Any = SimpleNamespace(assigned=frozenset(), lag=dict, last_poll=0.0)
        vitals.has_model, vitals.consumer, vitals.outbox = True, parts, parts
        assert (await _get(f"{address}/readyz"))[0] == 503
        vitals.broker_answers = True
        # A spare member without partitions is ready, so that a rollout can go on.
        assert (await _get(f"{address}/readyz"))[0] == 200
        parts.assigned = None
        assert (await _get(f"{address}/readyz"))[0] == 503

    _served(use)


def test_a_start_that_waits_says_for_what() -> None:
    """While the start waits the worker is alive and not ready, and gives the reason."""

    async def use(vitals: Vitals, _: Progress, address: str) -> None:
        vitals.wait_for("no broker at kafka:9092")
        assert (await _get(f"{address}/healthz"))[0] == 200
        status, text = await _get(f"{address}/readyz")
        assert status == 503
        assert '"reason": "no broker at kafka:9092"' in text
        vitals.wait_for(None)
        assert "reason" not in (await _get(f"{address}/readyz"))[1]

    _served(use)


def test_an_open_breaker_is_alive_and_not_ready() -> None:
    """A model that fails makes the worker unready, with the reason, and gets nobody killed."""

    async def run() -> None:
        metrics, progress = build_metrics(), Progress(SETTINGS.worker)
        breaker = Breaker(SETTINGS.worker, metrics)
        vitals = Vitals(SETTINGS, metrics, progress, breaker)
        parts: Any = SimpleNamespace(assigned=frozenset(), lag=dict, last_poll=0.0)
        vitals.has_model, vitals.outbox, vitals.broker_answers = True, parts, True
        vitals.consumer = parts
        assert vitals.readiness().is_well
        progress.take([1])
        breaker.judge(control_passes=False)
        progress.hold()
        await asyncio.sleep(0.15)  # longer than a stall
        assert vitals.liveness().is_well
        assert vitals.readiness().details["reason"] == breaker.reason
        assert not vitals.readiness().is_well
        breaker.succeeded()
        assert vitals.readiness().is_well

    asyncio.run(run())


def test_healthy_while_work_gets_done() -> None:
    """Work in hand and nothing done for too long is unhealthy, until something is."""

    async def use(_: Vitals, progress: Progress, address: str) -> None:
        progress.take([1, 1])
        await asyncio.sleep(0.15)
        status, text = await _get(f"{address}/healthz")
        assert status == 503
        assert '"in_hand": 2' in text
        progress.done(1)
        assert (await _get(f"{address}/healthz"))[0] == 200

    _served(use)


def test_a_dead_fetcher_is_unhealthy() -> None:
    """A member that has not polled for too long, with nothing in hand, is stuck."""

    async def use(vitals: Vitals, _: Progress, address: str) -> None:
        consumer: Any = SimpleNamespace(assigned=frozenset(), lag=dict, last_poll=0.0)
        vitals.consumer, vitals.broker_answers = consumer, True
        status, text = await _get(f"{address}/healthz")
        assert (status, "no poll" in text) == (503, True)

    _served(use)


def test_a_taken_port_is_told() -> None:
    """Two sites do not share a port."""

    async def use(vitals: Vitals, _: Progress, address: str) -> None:
        settings = HttpSettings(port=int(address.rsplit(":", 1)[1]))
        with pytest.raises(PortTakenError, match=f"cannot listen on 127.0.0.1:{settings.port}"):
            async with serve_health(settings, build_metrics(), vitals):
                pass

    _served(use)


def test_the_watch_measures_the_loop() -> None:
    """A loop that is blocked shows in the metric, and the watch goes on."""

    async def run() -> None:
        metrics = build_metrics()
        breaker = Breaker(SETTINGS.worker, metrics)
        vitals = Vitals(SETTINGS, metrics, Progress(SETTINGS.worker), breaker)
        watch = asyncio.create_task(vitals.watch())
        await asyncio.sleep(0.1)
        import time  # noqa: PLC0415

        time.sleep(1.2)  # noqa: ASYNC251 - blocks the loop on purpose
        await asyncio.sleep(0.1)
        watch.cancel()
        value = metrics.registry.get_sample_value
        assert (value("claimstream_event_loop_lag_seconds_sum") or 0) > 0.5

    asyncio.run(run())
