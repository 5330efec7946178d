"""Finding the article that kills the process: a simulation of processes that die."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.journal import JournalError
from service.poison import Guard
from service.records import SourceRecord
from service.settings import Settings
from tests.journals import MemoryJournal

PLACE = ("t", 0)
MOST = Settings().worker.poison_attempts
BATCH = 16


class DiedError(Exception):
    """The process is gone, with all it knew."""


class World:
    """A partition, its group's committed offset, and workers that come and go."""

    def __init__(self, count: int, poison: set[int], kills: set[int]) -> None:
        """Take how many records there are, which of them kill, and when somebody else does.

        Args:
            count: records.
            poison: offsets of those that kill.
            kills: at the so manyth article begun, counted over all lives, the process is killed.
        """
        self.journal = MemoryJournal()
        self.count = count
        self.poison = poison
        self.kills = kills
        self.committed = 0
        self.begun = 0
        self.deaths = 0
        self.dead_letters: list[int] = []
        self.labelled: set[int] = set()

    async def live(self) -> None:
        """One process, from its assignment to its end."""
        guard = Guard(Settings(), self.journal)
        await guard.take([PLACE])
        at = self.committed
        while at < self.count:
            if guard.watches(record(at)):
                await self._alone(guard, at)
                at += 1
            else:
                for offset in range(at, min(at + BATCH, self.count)):
                    self._label(offset)
                at = min(at + BATCH, self.count)
            self.committed = at
        await guard.release()

    async def _alone(self, guard: Guard, offset: int) -> None:
        if failure := await guard.begin(record(offset)):
            assert (failure.stage, failure.reason) == ("infer", "poison")
            self.dead_letters.append(offset)
        else:
            self._label(offset)
        await guard.end(record(offset))

    def _label(self, offset: int) -> None:
        self.begun += 1
        if offset in self.poison or self.begun in self.kills:
            raise DiedError
        self.labelled.add(offset)

    async def restart_until_done(self) -> None:
        """Let a supervisor start one process after the other."""
        while True:
            try:
                await self.live()
            except DiedError:
                self.deaths += 1
                assert self.deaths < 500
            else:
                return


def record(offset: int) -> SourceRecord:
    """A record of the partition."""
    return SourceRecord(*PLACE, offset, None, None, b"", [])


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine."""
    asyncio.run(test)


@pytest.mark.parametrize("offset", [0, 1, 15, 16, 63, 79])
def test_one_poisonous_article(offset: int) -> None:
    """It is a dead letter after one death more than it may be begun; all others are labelled."""
    world = World(100, {offset}, set())
    run(world.restart_until_done())
    assert world.dead_letters == [offset]
    assert world.labelled == set(range(100)) - {offset}
    assert world.deaths == MOST + 1 <= 5


@settings(max_examples=50, deadline=None)
@given(
    poison=st.sets(st.integers(0, 119), max_size=5),
    kills=st.sets(st.integers(1, 400), max_size=10),
)
def test_no_other_article_is_ever_blamed(poison: set[int], kills: set[int]) -> None:
    """Whatever else kills the process now and then, only what kills each time is dead-lettered."""
    # Somebody who kills it three times running over one article cannot be told from the article.
    kills = {n for n in kills if not kills & {n - 1, n + 1}}
    world = World(120, poison, kills)
    run(world.restart_until_done())
    assert set(world.dead_letters) == poison
    assert len(world.dead_letters) == len(poison)
    assert world.labelled == set(range(120)) - poison


def test_nothing_is_written_for_an_article_while_all_goes_well() -> None:
    """Two writes for an assignment, however many articles there are, and no watch."""
    world = World(1000, set(), set())
    run(world.live())
    assert world.journal.writes == 2
    assert world.labelled == set(range(1000))


def test_a_worker_that_ended_in_order_leaves_nothing_to_watch() -> None:
    """The next worker watches only what was left by one that died."""

    async def test() -> None:
        world = World(10, set(), set())
        await world.live()
        heir = Guard(Settings(), world.journal)
        await heir.take([PLACE])
        assert not heir.watches(record(10))
        # It dies: nothing is released.
        last = Guard(Settings(), world.journal)
        await last.take([PLACE, ("t", 1)])
        assert last.watches(record(10))
        assert not last.watches(SourceRecord("t", 1, 0, None, None, b"", []))

    run(test())


def test_what_is_known_outlives_a_rebalance() -> None:
    """A partition taken away before the article was reached is handed over with what is known."""

    async def test() -> None:
        world = World(10, {4}, set())
        for deaths in range(MOST + 1):
            assert world.deaths == deaths
            with pytest.raises(DiedError):
                await world.live()
            world.deaths += 1
            # The group settles: others have the partition for a moment, and begin nothing.
            for _ in range(2):
                passing = Guard(Settings(), world.journal)
                await passing.take([PLACE])
                assert passing.watches(record(world.committed))
                await passing.release()
        await world.live()
        assert world.dead_letters == [4]
        heir = Guard(Settings(), world.journal)
        await heir.take([PLACE])
        assert not heir.watches(record(10))

    run(test())


def test_a_partition_where_nothing_comes_is_not_watched_for_ever() -> None:
    """A watch that found nothing to watch in its time is not handed over."""

    async def test() -> None:
        now = 0.0
        journal = MemoryJournal()
        journal.numbers[PLACE] = 0
        guard = Guard(Settings(), journal, lambda: now)
        await guard.take([PLACE])
        now = 60.0
        await guard.release()
        await guard.take([PLACE])
        assert not guard.watches(record(0))

    run(test())


def test_a_watch_ends() -> None:
    """After so many articles and so much time they go by the batch again, and cost nothing."""

    async def test() -> None:
        now = 0.0
        journal = MemoryJournal()
        journal.numbers[PLACE] = 0
        guard = Guard(Settings(), journal, lambda: now)
        await guard.take([PLACE])
        for offset in range(100):
            assert guard.watches(record(offset))
            await guard.begin(record(offset))
            await guard.end(record(offset))
        now = 60.0
        await guard.begin(record(100))
        await guard.end(record(100))
        assert not guard.watches(record(101))

    run(test())


def test_a_dead_letter_that_is_replayed_has_its_tries_again() -> None:
    """What was dead-lettered as poison is not blamed unseen when its offset is read again."""

    async def test() -> None:
        world = World(10, {4}, set())
        await world.restart_until_done()
        guard = Guard(Settings(), world.journal)
        world.journal.numbers[PLACE] = 0
        await guard.take([PLACE])
        assert await guard.begin(record(4)) is None

    run(test())


def test_without_a_journal_the_worker_goes_on() -> None:
    """Where the cluster keeps no journal, nothing is watched, and nothing fails."""

    async def test() -> None:
        journal = MemoryJournal()
        journal.numbers[PLACE] = 0
        journal.is_away = True
        guard = Guard(Settings(), journal)
        await guard.take([PLACE])
        assert not guard.watches(record(0))
        await guard.release()
        journal.is_away = False
        await guard.take([PLACE])
        journal.is_away = True
        with pytest.raises(JournalError):
            await guard.begin(record(0))
        await guard.release()

    run(test())
