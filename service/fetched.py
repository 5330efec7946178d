"""Keeps count of what was fetched and is not done: of each partition, how much and how old."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Any, NamedTuple

# faust.types.TP; Faust has no usable type information.
Partition = Any


class _Record(NamedTuple):
    offset: int
    size: int
    timestamp: float | None


class Fetched:
    """Records fetched and not done, in order within each partition.

    ``size`` is their bytes, all together.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._records: dict[Partition, deque[_Record]] = defaultdict(deque)
        self.size = 0

    def add(self, partition: Partition, offset: int, size: int, timestamp: float | None) -> None:
        """A record was fetched; one that was fetched before counts once.

        Args:
            partition: where it is from.
            offset: its place there.
            size: bytes of its key and value.
            timestamp: in seconds since 1970, if it carries any.
        """
        records = self._records[partition]
        if not records or records[-1].offset < offset:
            records.append(_Record(offset, size, timestamp))
            self.size += size

    def done(self, partition: Partition, offset: int) -> None:
        """The record at this offset is done, and with it all before it."""
        records = self._records[partition]
        while records and records[0].offset <= offset:
            self.size -= records.popleft().size

    def clear(self) -> None:
        """Nothing of all this will be done by us."""
        self._records.clear()
        self.size = 0

    def oldest(self) -> dict[Partition, float]:
        """Timestamp of the first record of each partition that carries one, in seconds."""
        found = {
            partition: next((r.timestamp for r in records if r.timestamp is not None), None)
            for partition, records in self._records.items()
        }
        return {partition: time for partition, time in found.items() if time is not None}
