"""Listens for HTTP, and lets nobody keep the others out.

Whoever connects and sends nothing, or a byte now and then, is cut off after a while. Whoever opens
connections without end only pushes out the oldest that wait for a request: a probe or a scrape is
answered all the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

# How long the line and the headers of a request may take, and an open connection may be idle.
REQUEST_WITHIN_S: Final = 10.0
# Well below the 1,024 files that a process may mostly have open.
MOST_CONNECTIONS: Final = 200
# Connections that the system holds for us: enough that a flood does not turn others away.
_BACKLOG: Final = 256
# Requests that are still being answered at the end are cut off after so many seconds.
_SHUTDOWN_S: Final = 1.0


class _NoMalformed(logging.Filter):
    """Keeps requests that are none out of the log: whoever sends them gets to know, and is unknown.

    aiohttp logs each as an error of the server's, with a traceback that quotes it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a record is to be logged."""
        return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


logging.getLogger("aiohttp.server").addFilter(_NoMalformed())

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Door:
    """Admits connections to a server up to a number; one more pushes out the oldest.

    Those whose request is being answered go last.
    """

    def __init__(self, most: int = MOST_CONNECTIONS) -> None:
        """Take how many may be open at once."""
        self._most = most
        self._answering: set[Any] = set()

    @web.middleware
    async def note_answering(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Know of every request that is being answered; to be the first middleware."""
        self._answering.add(request.protocol)
        try:
            return await handler(request)
        finally:
            self._answering.discard(request.protocol)

    def admit(self, server: web.Server) -> asyncio.Protocol:
        """Make the protocol of a connection that comes in, and room for it."""
        # In the order in which they came; sorting keeps it among those that are alike.
        opened = [each for each in server.connections if each.transport is not None]
        excess = max(0, len(opened) + 1 - self._most)
        for each in sorted(opened, key=self._answering.__contains__)[:excess]:
            if each.transport is not None:
                each.transport.abort()
        return server()


@asynccontextmanager
async def listen(
    app: web.Application, host: str, port: int, door: Door | None = None
) -> AsyncIterator[int]:
    """Serve an application while the context lasts.

    Args:
        app: what answers.
        host: where to listen.
        port: the same; 0 takes a free one.
        door: who is let in; its ``note_answering`` is a middleware of the application where
            answers may take long.

    Yields:
        The port.

    Raises:
        OSError: the address cannot be listened on.
    """
    entrance = door or Door()
    runner = web.AppRunner(
        app,
        access_log=None,
        # aiohttp's timer for idle connections runs from when they are made, until a request is
        # complete.
        keepalive_timeout=REQUEST_WITHIN_S,
        shutdown_timeout=_SHUTDOWN_S,
    )
    await runner.setup()
    try:
        server = runner.server
        assert server is not None  # noqa: S101 - it has been set up
        listener = await asyncio.get_running_loop().create_server(
            partial(entrance.admit, server), host, port, backlog=_BACKLOG
        )
        try:
            yield listener.sockets[0].getsockname()[1]
        finally:
            listener.close()
    finally:
        await runner.cleanup()
