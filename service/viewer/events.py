"""The open pages' stream of events: what has changed, as Server-Sent Events.

An event says how things are now, not what happened: a page that was slow, asleep or away misses
nothing, and nothing is queued for it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from service.viewer.live import Live
from service.viewer.state import LIVE

# A page that is gone is noticed when something is sent to it.
_HEARTBEAT_S: Final = 15.0
# In a rush of arrivals pages hear of it no more often than this.
_AT_MOST_EVERY_S: Final = 0.25
_RECONNECT_MS: Final = 2000
_MAX_STREAMS: Final = 200


async def stream_events(request: web.Request) -> web.StreamResponse:
    """Send an event now, and another whenever something has changed, until the page is gone.

    ``?article=…&version=…`` says which version of which article the page shows.
    """
    live = request.app[LIVE]
    if live.streams >= _MAX_STREAMS:
        raise web.HTTPServiceUnavailable
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",  # nginx would hold events back
        }
    )
    live.streams += 1
    try:
        await response.prepare(request)
        await response.write(f"retry: {_RECONNECT_MS}\n\n".encode())
        await _send(request, response, live)
    except ConnectionResetError:
        pass  # the page is gone
    finally:
        live.streams -= 1
    return response


def event(live: Live, query: Mapping[str, str]) -> dict[str, object]:
    """How things are now, for a page that shows a list or, if it says so, an article."""
    status = live.status()
    state: dict[str, object] = {
        "version": live.version,
        "kind": status.kind,
        "status": status.text,
        "notes": live.notes(),
    }
    if "article" in query:
        held = live.store.get(query["article"])
        shown = query.get("version")
        state["article"] = (
            "gone" if held is None else "same" if held.article.id == shown else "newer"
        )
    return state


async def _send(request: web.Request, response: web.StreamResponse, live: Live) -> None:
    while not live.is_closing:
        version = live.version
        await response.write(f"data: {json.dumps(event(live, request.query))}\n\n".encode())
        await asyncio.sleep(_AT_MOST_EVERY_S)
        while not live.is_closing:
            try:
                async with asyncio.timeout(_HEARTBEAT_S):
                    await live.wait_beyond(version)
                break
            except TimeoutError:
                await response.write(b": still here\n\n")
