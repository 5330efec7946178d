"""The box to paste a text in: what it takes, and labelling it in a thread of its own."""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from service.contracts import Article
from service.decoding import DecodeError, decode
from service.extraction import ExtractionError, extract
from service.files import STDIN, FileError, read_records
from service.pipeline import Labeller, article_text, label_article
from service.viewer.store import Held, Store

MAX_PASTED: Final = 1_000_000  # characters of a page with its markup, or of an article's JSON
MAX_TEXT: Final = 100_000  # characters of text to be labelled: the longest articles, some seconds
# More wait their turn no longer than a reader would.
_MAX_WAITING: Final = 4
_HELD: Final = 20
_HELD_BYTES: Final = 8 * 1024 * 1024
# The id that `read_records` gives to what has none of its own.
_NAMELESS: Final = "stdin"


class PasteError(Exception):
    """What was pasted cannot be labelled; the message says why in plain words."""


class BusyError(Exception):
    """Too many texts are waiting to be labelled."""


class PasteBox:
    """Labels pasted texts one at a time, and holds the last results."""

    def __init__(self, labeller: Labeller) -> None:
        """Take the labeller."""
        self._labeller = labeller
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="labelling")
        self._store = Store(_HELD, _HELD_BYTES)
        self.waiting = 0

    async def label(self, pasted: str) -> Held:
        """Label a text, a page or an article's JSON, and hold the result.

        Raises:
            PasteError: it cannot be labelled.
            BusyError: too many are waiting.
        """
        if self.waiting >= _MAX_WAITING:
            raise BusyError
        self.waiting += 1
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._executor, label_pasted, pasted, self._labeller)
        # Counted when it is done, and not when the reader has gone away meanwhile.
        work.add_done_callback(self._done)
        held = await asyncio.shield(work)
        self._store.add(held)
        return held

    def get(self, article_id: str) -> Held | None:
        """Find a result by the id that its article has, or was given."""
        return self._store.get(article_id)

    def close(self) -> None:
        """Take no more, and forget what is waiting; what is under way is not waited for."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _done(self, work: asyncio.Future[Held]) -> None:
        self.waiting -= 1
        if not work.cancelled():
            # Marks it as seen where nobody waits any more.
            work.exception()


def label_pasted(pasted: str, labeller: Labeller) -> Held:
    """Label what was pasted.

    Raises:
        PasteError: it cannot be labelled.
    """
    if not pasted.strip():
        raise PasteError("There is nothing to label: the box was empty.")
    if len(pasted) > MAX_PASTED:
        raise PasteError(f"Too long: the box takes {MAX_PASTED:,} characters of a page.")
    try:
        article = _article(pasted)
        text, _ = article_text(article)
        if len(text) > MAX_TEXT:
            raise PasteError(f"Too long: {len(text):,} characters of text, {MAX_TEXT:,} at most.")
        labelled = label_article(article, labeller)
    except (DecodeError, ExtractionError, FileError) as error:
        raise PasteError(f"This cannot be labelled: {error}.") from error
    return Held(labelled, len(labelled.to_json().encode()), None, text)


def _article(pasted: str) -> Article:
    """Read an article from a text, a page or JSON.

    Raises:
        PasteError: there is more than one.
        DecodeError, ExtractionError, FileError: it is not readable.
    """
    records = list(read_records(STDIN, pasted.encode("utf-8", "replace")))
    if len(records) != 1:
        raise PasteError(f"{len(records)} articles were pasted: the box takes one at a time.")
    article = decode(records[0].value)
    if article.id != _NAMELESS:
        return article
    title = extract(article.html).title if article.html is not None else None
    name = f"pasted-{hashlib.sha256(records[0].value).hexdigest()[:16]}"
    return article.model_copy(update={"id": name, "title": title or "Pasted text"})
