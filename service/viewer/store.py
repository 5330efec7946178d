"""Holds the last articles, bounded by number and by bytes. Pure: no Kafka, no clock."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from typing import Literal, NamedTuple

from service.contracts import LabelledArticle

Outcome = Literal["added", "replaced", "same", "too large"]


class Place(NamedTuple):
    """Where a record lies in its topic."""

    partition: int
    offset: int


class Held(NamedTuple):
    """A labelled article as it is held.

    Attributes:
        article: the labelled article.
        size: its bytes as JSON, and those of a text that was found later: what the store counts.
        arrived_at: when it came to the topic, if that is known.
        text: the article's own text, where it is at hand: HTML articles bring it along.
        place: where the article that was labelled lies, as long as it is worth looking there.
    """

    article: LabelledArticle
    size: int
    arrived_at: datetime | None = None
    text: str | None = None
    place: Place | None = None


class Store:
    """The last articles by their id, each in its latest version."""

    def __init__(self, max_articles: int, max_bytes: int) -> None:
        """Take the bounds; the oldest arrivals go first when one of them is reached."""
        self._max_articles = max_articles
        self._max_bytes = max_bytes
        self._held: OrderedDict[str, Held] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        """How many articles are held."""
        return len(self._held)

    def add(self, held: Held) -> Outcome:
        """Take in an article; a new version takes the place of the old one, as the newest.

        Returns:
            What was done. The same version again (a replay has the same id) changes nothing. An
            article larger than all may be together is not held, nor is its outdated version.
        """
        key = held.article.article_id
        known = self._held.get(key)
        if known is not None and known.article.id == held.article.id:
            return "same"
        self.remove(key)
        if held.size > self._max_bytes:
            return "too large"
        self._held[key] = held
        self.bytes += held.size
        self._shrink()
        return "added" if known is None else "replaced"

    def complete(self, held: Held, text: str | None) -> Held:
        """Give an article its text, or note with None that there is none to be had.

        Returns:
            The article so completed. It takes the other one's place if that is still held.
        """
        more = 0 if text is None else len(text.encode())
        done = held._replace(text=text, size=held.size + more, place=None)
        key = held.article.article_id
        if self._held.get(key) is held:
            self._held[key] = done
            self.bytes += more
            self._shrink()
        return done

    def remove(self, article_id: str) -> bool:
        """Forget an article; False where it is not held."""
        known = self._held.pop(article_id, None)
        if known is None:
            return False
        self.bytes -= known.size
        return True

    def get(self, article_id: str) -> Held | None:
        """Find an article."""
        return self._held.get(article_id)

    def newest_first(self) -> list[Held]:
        """All articles, the latest arrival first."""
        return list(reversed(self._held.values()))

    def _shrink(self) -> None:
        """Forget the oldest until the bounds hold."""
        while len(self._held) > self._max_articles or self.bytes > self._max_bytes:
            _, oldest = self._held.popitem(last=False)
            self.bytes -= oldest.size
