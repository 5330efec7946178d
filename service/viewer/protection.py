"""What every answer goes through: headers, who may ask, and errors in plain words."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from service.viewer.pages import Pages
from service.viewer.state import LIVE, LOOPBACK_ONLY, PAGES

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# Articles are hostile input. Should a page ever hold something of theirs that it should not, the
# browser still runs nothing, loads nothing from elsewhere and sends nothing there.
HEADERS: Final = {
    # The only image is the icon.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": with that, browsers hide from us which site a form was sent from.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}  # fmt: skip

_WORDS: Final = {
    400: "This request cannot be read.",
    403: "This request comes from elsewhere and is not answered.",
    404: "There is nothing at this address.",
    405: "This address is not asked in this way.",
    408: "What was sent came too slowly. Please try again.",
    413: "Too much at once: this is larger than the box takes.",
    415: "The box takes what its own form sends, and nothing else.",
    500: "Something went wrong in the viewer. It has been logged.",
    503: "Too much to do at the moment. Please try again in a few seconds.",
}
_SHOWN_FRAMES: Final = 6
# The largest form takes this long at a tenth of a megabyte a second.
_BODY_WITHIN_S: Final = 30.0


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Put our headers on a response, whatever made it."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "claimstream"


@web.middleware
async def explain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer errors with a page that says in plain words what is wrong."""
    try:
        return await handler(request)
    except web.HTTPRedirection:
        raise
    except web.HTTPException as error:
        allowed = error.headers.get("Allow")
        reason = error.text if isinstance(error, PlainError) else None
        response = error_page(request, error.status, reason)
        if allowed:
            response.headers["Allow"] = allowed
        return response
    except Exception as error:  # noqa: BLE001 - a page that fails must not end the viewer
        # The message may quote the article, so the log gets the place instead.
        frames = traceback.extract_tb(error.__traceback__)[-_SHOWN_FRAMES:]
        log.error(  # noqa: TRY400 - for the same reason
            "a page failed",
            error=type(error).__qualname__,
            where=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
        )
        return error_page(request, 500)


@web.middleware
async def refuse_strangers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what another site makes a reader's browser ask.

    A site may point a name of its own to the loopback address and so read what is served there:
    then the name is in the request. And it may send forms here: then browsers say from where.
    """
    if request.app[LOOPBACK_ONLY] and not is_local(request.host):
        raise web.HTTPForbidden
    if request.method not in {"GET", "HEAD"} and not is_own_form(request):
        raise web.HTTPForbidden
    return await handler(request)


@web.middleware
async def read_in_time(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Read what is sent, and wait for it only so long."""
    try:
        async with asyncio.timeout(_BODY_WITHIN_S):
            await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    return await handler(request)


class PlainError(web.HTTPException):
    """An error whose text is ours and may be shown."""

    status_code = 404


def error_page(request: web.Request, status: int, reason: str | None = None) -> web.Response:
    """A page that says what is wrong."""
    pages: Pages = request.app[PAGES]
    words = reason or _WORDS.get(status, "This cannot be answered.")
    heading = f"{HTTPStatus(status).phrase} ({status})"
    page = pages.render("error.html", heading=heading, reason=words, live=request.app[LIVE])
    return web.Response(text=page, status=status, content_type="text/html")


def is_local(host: str) -> bool:
    """Whether a request was sent to an address, or to this machine's own name."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name == "localhost":
            return True
        ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on a host."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_own_form(request: web.Request) -> bool:
    """Whether a form was sent from a page of ours, as far as the browser says."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin")
    return site in {"same-origin", "none"} and (
        origin is None or urlsplit(origin).netloc == request.host
    )
