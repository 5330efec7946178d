"""Finds the article that kills the process, and lets it be a dead letter instead of a crash loop.

An article that makes a native library abort, or the kernel kill the process for its memory, leaves
no exception behind. What it had in hand is read again by the next process, which dies too, here or
on another worker. So what is known of it must be kept outside the process:

- A worker marks each partition it is given as *open*, and as *clean* when it hands it over or ends
  in order. That is all there is to write while all goes well: nothing for any article. What another
  left and this worker had not got to is handed over as it was.
- A partition found open was left by a process that died. Which of the articles then in hand was
  the cause, nobody knows. So its next articles are *watched*: brought to their end one by one, each
  marked as begun before, and no longer after; the rest of a batch is confirmed and committed first.
- An article found begun was in hand, alone, when a process died. After ``poison_attempts`` such
  deaths it is not begun again, but becomes a dead letter. Others were not in hand, so none is ever
  blamed for its neighbour.

That makes one death by an unknown cause, ``poison_attempts`` by a known one, and one restart more.
What the watch must reach is what was fetched, done and not committed at the death: see `_WATCHED`.
An article that only hangs is found too, since the supervisor kills the worker for it.

The marks are kept in the cluster (service.journal): they follow the partition to whichever worker
gets it next, and need no disk, which a container with a read-only root may not have. A supervising
parent process would see the child's death but not that of another worker, nor its own. Where the
journal cannot be used (a cluster that does not allow the group ``<group>.begun``) the worker says
so and goes on without. Kafka forgets marks that are 7 days old; that costs one death more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Final, NamedTuple, Protocol

import structlog

from service.journal import JournalError, Place
from service.outcomes import Failure
from service.records import SourceRecord
from service.settings import Settings

log = structlog.get_logger(__name__)

# A mark is a number: ten times the offset of the article begun, and how many times it was. No
# article has been begun 9 times; a number that ends so says that the partition is clean.
_BASE: Final = 10
_CLEAN: Final = 9
_OPEN: Final = 0

# So many articles of a partition are watched, for so many intervals of committing: more than a
# process can have done since its last commit, with what it had in hand on top.
_WATCHED: Final = 64
_WATCHED_COMMITS: Final = 10


class PoisonError(Exception):
    """Named by dead letters; the process that would have raised it was dead."""


class Keeper(Protocol):
    """Keeps a number for each partition."""

    async def read(self, places: Collection[Place]) -> dict[Place, int]:
        """Read the numbers of these partitions, and keep those of no others."""

    async def write(self, numbers: Mapping[Place, int]) -> None:
        """Write numbers of partitions that were read."""


class _Watch(NamedTuple):
    offset: int  # of the article that was begun
    begun: int  # how many times it was, without an end
    left: int  # articles still to be watched
    until: float

    def is_unserved(self, now: float) -> bool:
        """Say whether what it was made for may still be ahead, so that the next must watch.

        After a death the group rebalances, more than once if several workers come and go: a
        partition may be taken away again before the article that was in hand is reached.
        """
        return self.begun > 0 or (self.left == _WATCHED and now < self.until)


class Guard:
    """Keeps the marks of the partitions that this worker has."""

    def __init__(
        self, settings: Settings, journal: Keeper, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take where marks are kept, and the clock to go by in seconds."""
        self._most = settings.worker.poison_attempts
        self._watch_s = _WATCHED_COMMITS * settings.kafka.commit_interval_s
        self._journal = journal
        self._clock = clock
        self._held: frozenset[Place] = frozenset()
        self._watched: dict[Place, _Watch] = {}

    async def take(self, places: Collection[Place]) -> None:
        """These partitions, and no others, are now this worker's."""
        self._held, self._watched = frozenset(), {}
        if not places:
            return
        try:
            marks = await self._journal.read(places)
            fresh = {place: _OPEN for place in places if marks.get(place, _CLEAN) % _BASE == _CLEAN}
            if fresh:
                await self._journal.write(fresh)
        except JournalError as error:
            log.error(  # noqa: TRY400 - where it was raised tells nothing more
                "no journal: an article that kills workers is not found", error=str(error)
            )
            return
        self._held = frozenset(places)
        until = self._clock() + self._watch_s
        self._watched = {
            place: _Watch(*divmod(marks[place], _BASE), _WATCHED, until)
            for place in places
            if place not in fresh
        }
        if self._watched:
            log.warning(
                "a worker died with these partitions, watching what it may have had in hand",
                partitions=sorted(partition for _, partition in self._watched),
            )

    async def release(self) -> None:
        """All that was begun is done and committed; the partitions are handed over."""
        now = self._clock()
        passed_on = {place for place, watch in self._watched.items() if watch.is_unserved(now)}
        held, self._held, self._watched = self._held - passed_on, frozenset(), {}
        if not held:
            return
        try:
            await self._journal.write(dict.fromkeys(held, _CLEAN))
        except JournalError as error:
            # The next worker watches for nothing, and that is all.
            log.warning("not marked as clean", error=str(error))

    def watches(self, record: SourceRecord) -> bool:
        """Say whether a record is to be brought to its end alone, between `begin` and `end`."""
        return (record.topic, record.partition) in self._watched

    async def begin(self, record: SourceRecord) -> Failure | None:
        """Mark a watched record as begun.

        Returns:
            The failure that it is, if it must not be begun again.

        Raises:
            JournalError: it is not marked, so it must not be begun.
        """
        place = record.topic, record.partition
        watch = self._watched[place]
        begun = watch.begun if watch.offset == record.offset else 0
        if begun >= self._most:
            message = f"the process died {begun} times while this article was labelled"
            class_name = f"{__name__}.{PoisonError.__name__}"
            self._watched[place] = watch._replace(offset=record.offset, begun=begun)
            return Failure("infer", "poison", class_name, message, attempts=begun)
        begun += 1
        await self._journal.write({place: _BASE * record.offset + begun})
        self._watched[place] = watch._replace(offset=record.offset, begun=begun)
        return None

    async def end(self, record: SourceRecord) -> None:
        """The record did not kill the process, or is dead-lettered because it did before.

        Raises:
            JournalError: it stays marked.
        """
        place = record.topic, record.partition
        await self._journal.write({place: _OPEN})
        watch = self._watched[place]._replace(begun=0, left=self._watched[place].left - 1)
        if watch.left > 0 or self._clock() < watch.until:
            self._watched[place] = watch
        else:
            del self._watched[place]
