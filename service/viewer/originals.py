"""Finds an article's text as it was published, where the labelled article does not bring it along.

A labelled article has its sentences, but neither its furniture nor what stands between. Its headers
say which record of the articles topic it was made from: that one is read when a reader opens the
article, and believed only if its text is the one that was labelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Final

from aiokafka import TopicPartition

from service.contracts import LabelledArticle, digest
from service.decoding import DecodeError, decode
from service.kafka import BrokerError
from service.reading import ReadError, open_reader
from service.settings import Settings
from service.topics import TopicsMissingError
from service.viewer.checking import fault
from service.viewer.store import Held, Place, Store

# A reader waits no longer for the rest of a text: its sentences are there already.
_WITHIN_S: Final = 3.0
_PREFIX: Final = "claimstream_source_"


def place_of(headers: Sequence[tuple[str, bytes | None]], topic: str) -> Place | None:
    """Read from a labelled record's headers where its article lies.

    Args:
        headers: as the producer sent them, whoever that was.
        topic: the articles topic; nothing is ever read from another.
    """
    found = {name.removeprefix(_PREFIX): value or b"" for name, value in headers}
    numbers = [found.get(name, b"") for name in ("partition", "offset")]
    # No number in Kafka is longer.
    if found.get("topic") != topic.encode() or any(len(number) > 18 for number in numbers):  # noqa: PLR2004
        return None
    if not all(number.isdigit() for number in numbers):
        return None
    return Place(*map(int, numbers))


class Originals:
    """Reads the originals of the articles in a store, one at a time."""

    def __init__(self, settings: Settings, store: Store) -> None:
        """Take the cluster, and the store whose articles are to be completed."""
        self._settings = settings
        self._store = store
        self._turn = asyncio.Lock()

    async def completed(self, held: Held) -> Held:
        """The article with its text, where that can be had soon; else as it was.

        What was found is kept in the store, and so is that there is nothing to be found. An outage
        says nothing of either: then it is tried again the next time.
        """
        try:
            async with asyncio.timeout(_WITHIN_S), self._turn:
                # Another reader may have asked meanwhile.
                known = self._store.get(held.article.article_id)
                if known is not None and known.article.id == held.article.id:
                    held = known
                if held.text is not None or held.place is None:
                    return held
                return self._store.complete(held, await self._text(held.article, held.place))
        except (BrokerError, ReadError, TopicsMissingError, TimeoutError):
            return held

    async def _text(self, article: LabelledArticle, place: Place) -> str | None:
        """The text at a place, if it is this article's."""
        topic = self._settings.topics.articles
        partition = TopicPartition(topic, place.partition)
        async with open_reader(self._settings) as reader:
            start, end = (await reader.extent(topic)).get(partition, (0, 0))
            if not start <= place.offset < end:
                return None
            only = {partition: (place.offset, place.offset + 1)}
            async with aclosing(reader.read(only)) as records:
                async for record in records:
                    return text_of(record.value, article)
        return None


def text_of(value: bytes | None, article: LabelledArticle) -> str | None:
    """The text of an article's record, if it is the one that was labelled."""
    try:
        original = decode(value)
    except DecodeError:
        return None
    text = original.body if original is not None else None
    if text is None or digest(text) != article.text_digest:
        return None
    # The digest is the labelled record's own word: its sentences must fit as well.
    return text if fault(article.model_copy(update={"text": text})) is None else None
