"""Serves metrics and health over HTTP: three paths, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from service.listening import listen
from service.metrics import Metrics
from service.settings import HttpSettings
from service.vitals import Verdict, Vitals

log = structlog.get_logger(__name__)


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
    async with AsyncExitStack() as stack:
        served = listen(_site(metrics, vitals), settings.host, settings.port)
        try:
            port = await stack.enter_async_context(served)
        except OSError as error:
            raise PortTakenError(
                f"cannot listen on {settings.host}:{settings.port}: {error.strerror or error}"
            ) from error
        address = f"http://{settings.host}:{port}"
        log.info("serving metrics and health", address=address)
        yield address


def _site(metrics: Metrics, vitals: Vitals) -> web.Application:
    scrapes = _Scrapes(metrics)

    async def show_metrics(_: web.Request) -> web.Response:
        body = await scrapes.text()
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def show_liveness(_: web.Request) -> web.Response:
        return _answer(vitals.liveness())

    async def show_readiness(_: web.Request) -> web.Response:
        return _answer(vitals.readiness())

    app = web.Application()
    app.on_response_prepare.append(_name_no_versions)
    app.router.add_get("/metrics", show_metrics, allow_head=False)
    app.router.add_get("/healthz", show_liveness, allow_head=False)
    app.router.add_get("/readyz", show_readiness, allow_head=False)
    return app


class _Scrapes:
    """Writes the metrics out, once for all who ask at about the same time.

    Each gets what was written after it asked. In a thread, so that probes need not wait.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._registry = metrics.registry
        self._turn = asyncio.Lock()
        self._next: asyncio.Task[bytes] | None = None

    async def text(self) -> bytes:
        if self._next is None:
            self._next = asyncio.create_task(self._write())
        # Shielded: one who goes away takes nothing from the others.
        return await asyncio.shield(self._next)

    async def _write(self) -> bytes:
        async with self._turn:
            self._next = None
            return await asyncio.to_thread(generate_latest, self._registry)


async def _name_no_versions(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "claimstream"


def _answer(verdict: Verdict) -> web.Response:
    return web.json_response(verdict.details, status=200 if verdict.is_well else 503)
