"""Puts dead letters back on the topic they came from: each once, wherever a replay is cut off.

What was replayed is written in one place only, the topic it was sent to: every record that a
replay sends carries its dead letter's place in the header ``claimstream.replayed``. So sending an
article and noting that it was sent are one act, and no SIGKILL can come between the two. A replay
begins by reading these marks, and leaves out what has one. It does not matter which filters either
run had. A mark counts for a dead letter with the same key and bytes only, so it does not hold for
another one in the same place, after the dead-letter topic was deleted and made anew.

Why not otherwise:

- Progress as committed offsets: the send and the commit are two acts. A kill in between repeats or
  loses what is between them, and offsets of one run say nothing to a run with other filters.
- A transaction with both: exact for readers that set ``read_committed``, and for no others. What a
  killed run had sent stays in the topic as aborted, where our worker (Faust reads uncommitted) and
  every client with default settings reads it, and then reads it again from the next run. The
  embedded broker has no transactions either (InitProducerId fails).

What it rests on:

- A request that a killed run had sent off may reach the topic a little later. Nothing is sent until
  no mark has come for ``SETTLE_S`` seconds. That also notices another replay at work; of two that
  are started in the same moment it does not know.
- Within a run the broker drops what the client sends again after a lost answer (an idempotent
  producer). Where the broker cannot, nothing is sent again: the run fails, and the next one sees
  from the marks what arrived.
- Marks last as long as the topic keeps its records: what was replayed before that is not known any
  more. Dead letters that are older are counted, for the caller to say so.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from aiokafka import TopicPartition

from service.dlq.marks import Marks, replay_headers
from service.dlq.records import (
    DeadLetter,
    Place,
    Selection,
    SelectionError,
    Step,
    select,
)
from service.dlq.sender import Done, Pace, ReplayError, open_sender
from service.reading import Ranges, Reader, open_reader
from service.settings import Settings

SETTLE_S: Final = 3.0

_MAX_SETTLE_ROUNDS: Final = 10


@dataclass
class Plan:
    """What a replay would do.

    ``in_topic`` counts all dead letters, whether meant or not; ``homeless`` are those that do not
    say where they came from; ``made_at`` is when all was read, in seconds of the monotonic clock.
    """

    to: str | None
    again: bool
    made_at: float = 0.0
    in_topic: int = 0
    waiting: list[DeadLetter] = field(default_factory=list)
    already: list[DeadLetter] = field(default_factory=list)
    homeless: list[DeadLetter] = field(default_factory=list)
    marks: dict[str, Marks] = field(default_factory=dict)

    def target(self, letter: DeadLetter) -> str:
        """The topic that a dead letter goes to; empty for one that is homeless."""
        return self.to or letter.source_topic or ""

    def targets(self) -> Counter[str]:
        """How many are to be sent to which topic."""
        return Counter(self.target(letter) for letter in self.waiting)

    def unknown(self) -> int:
        """How many are to be sent that may have been replayed before, longer ago than is kept."""
        return sum(
            self.marks[target].may_miss(letter)
            for letter in self.waiting
            if (target := self.target(letter)) in self.marks
        )

    def leave_out_replayed(self) -> None:
        """Move those that have a mark out of what waits."""
        waiting, self.waiting = self.waiting, []
        for letter in waiting:
            is_done = self.marks[self.target(letter)].hold(letter)
            (self.already if is_done else self.waiting).append(letter)


async def plan(
    settings: Settings, selection: Selection, *, to: str | None, again: bool, step: Step
) -> Plan:
    """Find out what is to be replayed, changing nothing.

    Args:
        settings: which cluster and dead-letter topic.
        selection: which dead letters.
        to: the topic to send them to; each to the one it came from if not given.
        again: also those that were replayed before.
        step: told of each offset read.

    Raises:
        BrokerError: the cluster cannot be reached.
        TopicsMissingError: the dead-letter topic, or one to send to, does not exist.
        ReadError: the broker refuses or falls silent.
        SelectionError: they would go to the dead-letter topic itself.
    """
    topic = settings.topics.dead_letters
    planned = Plan(to, again)
    async with open_reader(settings) as reader:
        letters, planned.in_topic = await select(reader, topic, selection, step)
        for letter in letters:
            (planned.waiting if planned.target(letter) else planned.homeless).append(letter)
        for target in planned.targets():
            reader.partitions(target)
            if target == topic:
                raise SelectionError(f"{topic} is the dead-letter topic itself: it needs another")
        if not again:
            await _read_marks(reader, planned, topic, step)
            planned.leave_out_replayed()
    planned.made_at = time.monotonic()
    return planned


async def replay(
    settings: Settings, planned: Plan, *, rate: float, step: Step, done: Done
) -> list[DeadLetter]:
    """Send what is planned, but for what was replayed since it was planned.

    Args:
        settings: which cluster and dead-letter topic.
        planned: what :func:`plan` returned; what turns out to be replayed moves to ``already``.
        rate: records a second, at most.
        step: told of each offset read to find that out.
        done: told of each dead letter once the broker has it (None) or refused it (why).

    Returns:
        Those that the broker has deleted from the dead-letter topic since it was planned.

    Raises:
        BrokerError: the cluster cannot be reached.
        TopicsMissingError: a topic was deleted meanwhile.
        ReadError: the broker refuses to be read from, or falls silent.
        ReplayError: the broker does not take it, or another replay is at work.
    """
    topic = settings.topics.dead_letters
    if not planned.waiting:
        return []
    async with open_reader(settings) as reader:
        if not planned.again:
            await _settle(reader, planned, topic, step)
        wanted = {letter.place: letter for letter in planned.waiting}
        if not wanted:
            return []
        pace = Pace(rate)
        async with open_sender(settings.kafka, done) as sender:
            async for record in reader.read(_spans(topic, wanted)):
                letter = wanted.pop((record.partition, record.offset), None)
                if letter is None:
                    continue
                target = planned.target(letter)
                headers = replay_headers(record.headers, topic, letter.place)
                partition = _partition(letter, target, reader.partitions(target))
                await pace.wait()
                await sender.send(letter, record._replace(headers=headers), target, partition)
            await sender.confirm_all()
    return list(wanted.values())


async def _settle(reader: Reader, planned: Plan, topic: str, step: Step) -> None:
    """Wait until no mark comes any more, and leave out what has one by then.

    Raises:
        ReplayError: marks keep coming.
    """
    since = planned.made_at
    for _ in range(_MAX_SETTLE_ROUNDS):
        if not planned.waiting:
            return
        await asyncio.sleep(max(0.0, since + SETTLE_S - time.monotonic()))
        since = time.monotonic()
        if not await _read_marks(reader, planned, topic, step):
            return
        planned.leave_out_replayed()
    raise ReplayError("another replay is at work on these dead letters: wait for its end")


async def _read_marks(reader: Reader, planned: Plan, topic: str, step: Step) -> int:
    """Read on to the present end of the topics that are replayed to; how many marks came."""
    count = 0
    for target in planned.targets():
        marks = planned.marks.setdefault(target, Marks(topic, target))
        oldest_ms = min(
            letter.timestamp_ms or 0
            for letter in planned.waiting
            if planned.target(letter) == target
        )
        count += await marks.read(reader, oldest_ms, step)
    return count


def _spans(topic: str, places: Iterable[Place]) -> Ranges:
    """Of each partition from the first to the last of some places."""
    spans: Ranges = {}
    for partition, offset in places:
        tp = TopicPartition(topic, partition)
        first, end = spans.get(tp, (offset, offset + 1))
        spans[tp] = min(first, offset), max(end, offset + 1)
    return spans


def _partition(letter: DeadLetter, target: str, count: int) -> int | None:
    """The partition that a record was in before, where it goes back to its topic.

    Its producer may have chosen it otherwise than ours would, and all versions of an article must
    stay in one. None where there is no such partition: the key decides.
    """
    partition = letter.source_partition
    if letter.source_topic != target or partition is None or partition >= count:
        return None
    return partition
