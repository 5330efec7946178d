"""What the open pages see: the articles held, how the broker is, and a word when it changes."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple

import structlog

from service.settings import ViewerSettings
from service.viewer.following import Arrived, Connected, Disconnected, Event, Strange, Withdrawn
from service.viewer.store import Held, Store

log = structlog.get_logger(__name__)

# Fewer records than these are on their way whenever something is published.
_BEHIND: Final = 20


class Status(NamedTuple):
    """How the viewer gets on: a word for programs and one line for readers."""

    kind: Literal["live", "behind", "away"]
    text: str


class Live:
    """The state of one viewer."""

    def __init__(self, settings: ViewerSettings) -> None:
        """Start with nothing held and no broker yet."""
        self.store = Store(settings.max_articles, settings.max_bytes)
        self.counts: Counter[str] = Counter()
        self.behind = 0
        self.fault: str | None = "not connected yet"
        self.fault_since = datetime.now(UTC)
        # Goes up with every change that a page could show.
        self.version = 0
        self.is_closing = False
        # How many pages listen.
        self.streams = 0
        self._changed = asyncio.Condition()

    def status(self) -> Status:
        """Say how the viewer gets on."""
        if self.fault is not None:
            since = f"{self.fault_since:%H:%M} UTC"
            return Status("away", f"Broker not reached since {since}, trying again")
        if self.behind >= _BEHIND:
            return Status("behind", f"Catching up, {self.behind:,} records to go")
        return Status("live", "Live")

    def notes(self) -> str:
        """Say in one line what is held and what is not."""
        count = len(self.store)
        notes = [f"{count:,} article{'s' * (count != 1)} held"]
        if strange := self.counts["strange"]:
            were = "record was" if strange == 1 else "records were"
            notes.append(f"{strange:,} {were} no labelled article")
        if large := self.counts["too large"]:
            notes.append(f"{large:,} too large to hold")
        return ", ".join(notes)

    async def apply(self, event: Event) -> None:
        """Take in what happened, and wake up the pages if there is something new to show."""
        if self._apply(event):
            await self._wake()

    async def close(self) -> None:
        """End the waiting of all pages."""
        self.is_closing = True
        await self._wake()

    async def wait_beyond(self, version: int) -> None:
        """Wait until there is something newer than a version."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.version > version)

    async def _wake(self) -> None:
        async with self._changed:
            self.version += 1
            self._changed.notify_all()

    def _apply(self, event: Event) -> bool:
        """Take in what happened; whether anything changed that a page could show."""
        match event:
            case Arrived(article, size, arrived_at, place):
                outcome = self.store.add(Held(article, size, arrived_at, article.text, place))
                self.counts[outcome] += 1
                return outcome != "same"
            case Withdrawn(article_id):
                return self.store.remove(article_id)
            case Strange(reason):
                self.counts["strange"] += 1
                if self.counts["strange"] == 1:
                    log.warning("no labelled article; more are only counted", reason=reason)
                return True
            case Connected(behind):
                return self._connected(behind)
            case Disconnected(reason):
                return self._disconnected(reason)

    def _connected(self, behind: int) -> bool:
        changed = self.fault is not None or behind != self.behind
        if self.fault is not None:
            log.info("following the labelled topic", behind=behind)
        self.fault, self.behind = None, behind
        return changed

    def _disconnected(self, reason: str) -> bool:
        if self.fault is None:
            self.fault_since = datetime.now(UTC)
            log.warning("the broker is away, trying again", reason=reason)
        changed = self.fault != reason
        self.fault = reason
        return changed
