"""Serves metrics and health over HTTP: three paths, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from service.metrics import Metrics
from service.settings import HttpSettings
from service.vitals import Verdict, Vitals

log = structlog.get_logger(__name__)

# A scrape that is cut off waits no longer than this when the worker ends, in seconds.
_SHUTDOWN_S: Final = 1.0


class PortTakenError(Exception):
    """The address cannot be listened on; the message says which and why."""


@asynccontextmanager
async def serve_health(
    settings: HttpSettings, metrics: Metrics, vitals: Vitals
) -> AsyncIterator[str]:
    """Serve ``/metrics``, ``/healthz`` and ``/readyz`` while the context lasts.

    Yields:
        The address, as http://host:port.

    Raises:
        PortTakenError: another process listens there, or the host is not this machine.
    """
    runner = web.AppRunner(_site(metrics, vitals), access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port)
        try:
            await site.start()
        except OSError as error:
            raise PortTakenError(
                f"cannot listen on {settings.host}:{settings.port}: {error.strerror or error}"
            ) from error
        address = f"http://{settings.host}:{runner.addresses[0][1]}"
        log.info("serving metrics and health", address=address)
        yield address
    finally:
        await runner.cleanup()


def _site(metrics: Metrics, vitals: Vitals) -> web.Application:
    async def show_metrics(_: web.Request) -> web.Response:
        body = generate_latest(metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def show_liveness(_: web.Request) -> web.Response:
        return _answer(vitals.liveness())

    async def show_readiness(_: web.Request) -> web.Response:
        return _answer(vitals.readiness())

    app = web.Application()
    app.router.add_get("/metrics", show_metrics, allow_head=False)
    app.router.add_get("/healthz", show_liveness, allow_head=False)
    app.router.add_get("/readyz", show_readiness, allow_head=False)
    return app


def _answer(verdict: Verdict) -> web.Response:
    return web.json_response(verdict.details, status=200 if verdict.is_well else 503)
