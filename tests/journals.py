"""A journal in memory, which outlives any worker that a test lets die."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from service.journal import JournalError, Place


class MemoryJournal:
    """Keeps numbers as the cluster does."""

    def __init__(self) -> None:
        """Begin with nothing, and let everything be done."""
        self.numbers: dict[Place, int] = {}
        self.writes = 0
        self.is_away = False

    async def read(self, places: Collection[Place]) -> dict[Place, int]:
        """Read numbers."""
        self._check()
        return {place: self.numbers[place] for place in places if place in self.numbers}

    async def write(self, numbers: Mapping[Place, int]) -> None:
        """Write numbers."""
        self._check()
        self.writes += 1
        self.numbers.update(numbers)

    def _check(self) -> None:
        if self.is_away:
            raise JournalError("away")
