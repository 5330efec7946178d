"""The web application: which address is answered by what, and serving it while it follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import NamedTuple

from aiohttp import web

from service.health import PortTakenError
from service.listening import Door, listen
from service.pipeline import Labeller
from service.settings import Settings
from service.viewer import events, labelling, protection, reading
from service.viewer.following import follow
from service.viewer.live import Live
from service.viewer.originals import Originals
from service.viewer.pages import FOLDER, Pages
from service.viewer.pasting import PasteBox
from service.viewer.state import LIVE, LOOPBACK_ONLY, ORIGINALS, PAGES, PASTE_BOX


class Viewer(NamedTuple):
    """A viewer that serves: its address, its state, and the task that follows the topic."""

    address: str
    live: Live
    following: asyncio.Task[None]
    box: PasteBox | None


def build_app(
    live: Live, box: PasteBox | None, *, is_loopback_only: bool = True, door: Door | None = None
) -> web.Application:
    """Put the web application together.

    Args:
        live: what it shows.
        box: labels pasted texts; None leaves that page out.
        is_loopback_only: answer only requests that were sent to this machine by its own name.
        door: told which requests are being answered.
    """
    app = web.Application(
        middlewares=[
            *([] if door is None else [door.note_answering]),
            protection.explain_errors,
            protection.refuse_strangers,
            protection.read_in_time,
        ],
        client_max_size=labelling.MAX_FORM_BYTES,
    )
    app[LIVE], app[PAGES] = live, Pages(can_label=box is not None)
    app[LOOPBACK_ONLY] = is_loopback_only
    app.on_response_prepare.append(protection.add_headers)
    get = app.router.add_get
    get("/", reading.list_articles)
    get("/sources", reading.show_sources)
    get("/articles/{id:[^/]+}", reading.show_article)
    get("/articles/{id:[^/]+}/export.{kind:json|csv|md}", reading.export_article)
    get("/events", events.stream_events, allow_head=False)
    get("/healthz", _show_health)
    app.router.add_static("/static/", FOLDER / "static")
    if box is not None:
        app[PASTE_BOX] = box
        get("/label", labelling.show_box)
        app.router.add_post("/label", labelling.label_pasted)
        get("/pasted/{id:[^/]+}", reading.show_pasted)
        get("/pasted/{id:[^/]+}/export.{kind:json|csv|md}", reading.export_pasted)
    app.on_shutdown.append(_end_streams)
    return app


@asynccontextmanager
async def serve(
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    from_start: bool = False,
    labeller: Labeller | None = None,
) -> AsyncIterator[Viewer]:
    """Follow the labelled topic and serve the pages while the context lasts.

    Args:
        settings: which cluster and topic, and how much is held.
        host: where to listen.
        port: the same; 0 takes a free one.
        from_start: begin with the oldest labelled article instead of with what comes next.
        labeller: labels pasted texts; without one that page is left out.

    Raises:
        PortTakenError: the address cannot be listened on.
    """
    live = Live(settings.viewer)
    box = PasteBox(labeller) if labeller is not None else None
    door = Door()
    app = build_app(live, box, is_loopback_only=protection.is_loopback(host), door=door)
    app[ORIGINALS] = Originals(settings, live.store)
    async with AsyncExitStack() as stack:
        try:
            taken = await stack.enter_async_context(listen(app, host, port, door))
        except OSError as error:
            raise PortTakenError(
                f"cannot listen on {host}:{port}: {error.strerror or error}"
            ) from error
        if box is not None:
            stack.callback(box.close)
        following = asyncio.create_task(_follow(settings, live, from_start=from_start))
        stack.push_async_callback(asyncio.wait, {following})
        stack.callback(following.cancel)
        name = f"[{host}]" if ":" in host else host
        yield Viewer(f"http://{name}:{taken}", live, following, box)


async def _follow(settings: Settings, live: Live, *, from_start: bool) -> None:
    async with aclosing(follow(settings, from_start=from_start)) as happenings:
        async for event in happenings:
            await live.apply(event)


async def _end_streams(app: web.Application) -> None:
    await app[LIVE].close()


async def _show_health(request: web.Request) -> web.Response:
    """Say how the viewer gets on, for programs; it answers, so it is alive."""
    live = request.app[LIVE]
    return web.json_response({
        "broker": live.status().kind,
        "articles": len(live.store),
        "no_articles": live.counts["strange"],
        "streams": live.streams,
    })  # fmt: skip
