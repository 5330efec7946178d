"""The page of the paste box: its form, and what becomes of what is sent."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs

from aiohttp import web

from service.viewer.addresses import segment_of
from service.viewer.pasting import MAX_PASTED, MAX_TEXT, BusyError, PasteError
from service.viewer.state import LIVE, PAGES, PASTE_BOX

# A character may take twelve bytes in a form: an emoji, percent-encoded.
MAX_FORM_BYTES: Final = 3 * 1024 * 1024
_FORM: Final = "application/x-www-form-urlencoded"
_UNPROCESSABLE: Final = 422


async def show_box(request: web.Request) -> web.Response:
    """Show the empty box."""
    return _box(request)


async def label_pasted(request: web.Request) -> web.Response:
    """Label what was pasted, and lead to the result."""
    if request.content_type != _FORM:
        raise web.HTTPUnsupportedMediaType
    body = (await request.read()).decode("utf-8", "replace")
    fields = parse_qs(body, keep_blank_values=True, max_num_fields=10)
    pasted = fields.get("text", [""])[0].replace("\r\n", "\n")
    try:
        held = await request.app[PASTE_BOX].label(pasted)
    except PasteError as error:
        return _box(request, pasted[:MAX_PASTED], str(error), _UNPROCESSABLE)
    except BusyError:
        raise web.HTTPServiceUnavailable from None
    raise web.HTTPSeeOther(f"/pasted/{segment_of(held.article.article_id)}")


def _box(
    request: web.Request, pasted: str = "", reason: str | None = None, status: int = 200
) -> web.Response:
    page = request.app[PAGES].render(
        "paste.html",
        live=request.app[LIVE],
        pasted=pasted,
        reason=reason,
        max_text=MAX_TEXT,
        max_pasted=MAX_PASTED,
    )
    return web.Response(text=page, status=status, content_type="text/html")
