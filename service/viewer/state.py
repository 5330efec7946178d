"""Where the parts of the web application find each other."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from service.viewer.live import Live
from service.viewer.originals import Originals
from service.viewer.pages import Pages
from service.viewer.pasting import PasteBox

LIVE: Final = web.AppKey("live", Live)
PAGES: Final = web.AppKey("pages", Pages)
# Without a cluster there are none.
ORIGINALS: Final = web.AppKey("originals", Originals)
# Without a labeller there is none.
PASTE_BOX: Final = web.AppKey("paste_box", PasteBox)
# Whether it listens on the loopback address only.
LOOPBACK_ONLY: Final = web.AppKey("loopback_only", bool)
