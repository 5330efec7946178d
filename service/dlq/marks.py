"""The marks that replayed records carry, and reading them back from the topic they were sent to.

Why they are, and what they can be relied on for, is said in :mod:`service.dlq.replaying`.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Final

from aiokafka import TopicPartition

from service.deadletters import PREFIX
from service.dlq.records import DeadLetter, Place, Step, fingerprint, parse_place
from service.reading import Reader
from service.records import Headers, SourceRecord

REPLAYED: Final = "claimstream.replayed"

# The clocks of the broker and of those who stamped the dead letters may differ by so much.
_CLOCKS_MS: Final = 10 * 60 * 1000


def replay_headers(headers: Headers, topic: str, place: Place) -> Headers:
    """The headers that a record came with before it failed, and the mark of its replay.

    Args:
        headers: the dead letter's.
        topic: the dead-letter topic.
        place: the dead letter's place in it.
    """
    own = [(n, v) for n, v in headers if not n.startswith(PREFIX) and n != REPLAYED]
    return [*own, (REPLAYED, f"{topic}:{place[0]}:{place[1]}".encode())]


def marked_place(headers: Headers, topic: str) -> Place | None:
    """The place in a dead-letter topic that headers mark a record as the replay of, if they do."""
    mark = dict(headers).get(REPLAYED, b"").decode("utf-8", "replace")
    name, _, place = mark.partition(":")
    with suppress(ValueError):
        return parse_place(place) if name == topic else None
    return None


class Marks:
    """The marks of one dead-letter topic's letters in one topic that is replayed to."""

    def __init__(self, topic: str, target: str) -> None:
        """Take the names of the dead-letter topic and of the one replayed to."""
        self._topic = topic
        self._target = target
        self._found: dict[Place, set[bytes]] = {}
        self._read_to: dict[TopicPartition, int] = {}
        self._kept_since_ms = 0

    def hold(self, letter: DeadLetter) -> bool:
        """Say whether a dead letter has its mark."""
        return letter.fingerprint in self._found.get(letter.place, ())

    def may_miss(self, letter: DeadLetter) -> bool:
        """Say whether a dead letter is older than what the topic keeps, and so may be its mark."""
        return (letter.timestamp_ms or 0) < self._kept_since_ms

    async def read(self, reader: Reader, oldest_ms: int, step: Step) -> int:
        """Read from the oldest dead letter's time, or from where it ended before, to the end.

        Args:
            reader: what to read with.
            oldest_ms: in milliseconds since 1970; no mark that matters is older.
            step: told of each offset read.

        Returns:
            How many marks there were.

        Raises:
            TopicsMissingError: there is no such topic.
            ReadError: the broker refuses or falls silent.
        """
        held = await reader.extent(self._target)
        if self._read_to:
            ranges = {tp: (self._read_to.get(tp, held[tp][0]), held[tp][1]) for tp in held}
            cut = set()
        else:
            ranges = await reader.since(held, oldest_ms - _CLOCKS_MS)
            # Partitions that held more, of which all that is left is read.
            cut = {tp.partition for tp, (start, _) in ranges.items() if 0 < start == held[tp][0]}
        total, count = sum(end - start for start, end in ranges.values()), 0
        async for record in reader.read(ranges):
            step(self._target, total)
            if record.partition in cut:
                cut.remove(record.partition)
                self._kept_since_ms = max(self._kept_since_ms, record.timestamp_ms or 0)
            count += self._take(record)
        if cut:
            self._kept_since_ms = time.time_ns() // 1_000_000
        self._read_to |= {tp: end for tp, (_, end) in ranges.items()}
        return count

    def _take(self, record: SourceRecord) -> bool:
        place = marked_place(record.headers, self._topic)
        if place is None:
            return False
        self._found.setdefault(place, set()).add(fingerprint(record))
        return True
