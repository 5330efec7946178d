"""Takes records from the stream at once that lie there at once, and never waits for more.

The network reads one window at a time, so that nothing is gained by waiting until a batch is full.
On a quiet topic a batch is one article, which goes at once; behind a backlog batches are full,
because they fill while the one before is labelled.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any, Final

Message = Any  # faust.types.tuples.Message, which has no type information

# Of an English article as JSON; the tokenizer's own count comes only when it is labelled.
BYTES_A_TOKEN: Final = 4


async def in_batches(
    events: AsyncIterable[Any], has_more: Callable[[], bool], most_articles: int, most_tokens: int
) -> AsyncIterator[list[Message]]:
    """Yield the messages of events, as many together as are there.

    Args:
        events: of the stream, in order.
        has_more: whether the next event is there already.
        most_articles: a batch has no more.
        most_tokens: about so many are enough, estimated by the size of the records.
    """
    taken: list[Message] = []
    size = 0
    async for event in events:
        taken.append(event.message)
        size += len(event.message.value or b"")
        is_full = len(taken) >= most_articles or size >= most_tokens * BYTES_A_TOKEN
        if is_full or not has_more():
            yield taken
            taken, size = [], 0
