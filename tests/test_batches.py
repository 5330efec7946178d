"""Taking from the stream what lies there at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from service.batches import BYTES_A_TOKEN, in_batches


class Stream:
    """A stream whose events the test puts there."""

    def __init__(self) -> None:
        """Begin empty."""
        self.queue: asyncio.Queue[Any] = asyncio.Queue()

    def put(self, *values: bytes | None) -> None:
        """Let events come."""
        for value in values:
            self.queue.put_nowait(SimpleNamespace(message=SimpleNamespace(value=value)))

    async def events(self) -> AsyncIterator[Any]:
        """Give them, for ever."""
        while True:
            yield await self.queue.get()

    def batches(self, articles: int = 4, tokens: int = 1000) -> AsyncIterator[list[Any]]:
        """Take them in batches."""
        return in_batches(self.events(), lambda: not self.queue.empty(), articles, tokens)


async def take(batches: AsyncIterator[list[Any]]) -> list[bytes | None]:
    """The values of the next batch, which must come at once."""
    return [message.value for message in await asyncio.wait_for(anext(batches), 5)]


def test_one_article_goes_at_once() -> None:
    """On a quiet topic nobody waits for a second."""

    async def test() -> None:
        stream = Stream()
        batches = stream.batches()
        for value in (b"1", b"2"):
            stream.put(value)
            assert await take(batches) == [value]
        waiting = asyncio.create_task(take(batches))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        stream.put(b"3")
        assert await waiting == [b"3"]

    asyncio.run(test())


def test_a_backlog_comes_in_full_batches() -> None:
    """What lies there comes together, in order, up to the number of articles."""

    async def test() -> None:
        stream = Stream()
        batches = stream.batches(articles=4)
        stream.put(*(str(n).encode() for n in range(10)))
        taken = [await take(batches) for _ in range(3)]
        assert taken == [[b"0", b"1", b"2", b"3"], [b"4", b"5", b"6", b"7"], [b"8", b"9"]]

    asyncio.run(test())


def test_long_articles_make_short_batches() -> None:
    """So many tokens are enough, whatever the number of articles; tombstones have none."""

    async def test() -> None:
        stream = Stream()
        batches = stream.batches(tokens=10)
        half, much = b"h" * 5 * BYTES_A_TOKEN, b"m" * 100 * BYTES_A_TOKEN
        stream.put(half, None, half, half, much, half)
        taken = [await take(batches) for _ in range(3)]
        assert taken == [[half, None, half], [half, much], [half]]

    asyncio.run(test())
