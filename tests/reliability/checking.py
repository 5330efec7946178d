"""Judges a history: was every promise kept? Pure functions, which know nothing of Kafka.

The promises, each as it is judged:

- *lost*: a record without any outcome.
- *phantom*: an outcome that names no published record.
- *mis-keyed*: an outcome with another key than it must have, or one key in two partitions.
- *wrong*: an outcome of another kind or value than the record must have.
- *both*: a record both labelled and dead-lettered.
- *reordered*: of one key, in one topic, first appearances that are not in the order of the source.
  A replay starts again from a committed offset, and so repeats only what had appeared; what was to
  come comes in order after it.
- *stale*: of one key, in one topic, something after the last version's last appearance: whoever
  keeps what came last keeps what is not the last.
- *different*: what came again and was not the same to the byte: partition, key, value, headers.
- *late*: what came again although it had been committed well before. A replay does not begin
  before what is committed, so only a process that was paused or cut off can have sent it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.reliability.history import Event, History, Place, Published, Seen

# A commit is seen, and an outcome read, so much later than they were made, in seconds.
LATE_S: Final = 3.0


@dataclass(frozen=True)
class Offence:
    """A promise broken: by what, and when it was seen (None: it never was)."""

    promise: str
    what: str
    time_s: float | None = None


@dataclass
class Verdict:
    """What was found."""

    records: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    offences: list[Offence] = field(default_factory=list)
    duplicates: int = 0
    # Surplus outcomes by the number of the fault that they came after, -1 for before any.
    duplicates_after: Counter[int] = field(default_factory=Counter)
    late_after: Counter[int] = field(default_factory=Counter)

    def count(self, promise: str) -> int:
        """How often a promise was broken."""
        return sum(offence.promise == promise for offence in self.offences)

    @property
    def most_after_one_fault(self) -> int:
        """The most duplicates after one fault, before the next."""
        return max(self.duplicates_after.values(), default=0)

    @property
    def late(self) -> int:
        """Duplicates of what had been committed."""
        return self.late_after.total()


PROMISES: Final = (
    "lost",
    "phantom",
    "mis-keyed",
    "wrong",
    "both",
    "reordered",
    "stale",
    "different",
)


def judge(history: History) -> Verdict:
    """Judge a history that has come to its end."""
    verdict = Verdict(records=len(history.published))
    by_place = {record.place: record for record in history.published}
    by_source: dict[Place, list[Seen]] = defaultdict(list)
    for seen in history.seen:
        verdict.outcomes[seen.outcome] += 1
        if seen.source is None or seen.source not in by_place:
            verdict.offences.append(Offence("phantom", str(seen), seen.time_s))
        else:
            by_source[seen.source].append(seen)
    for record in history.published:
        verdict.offences += _judge_record(record, by_source.get(record.place, []))
    verdict.offences += _judge_partitions(history.seen)
    for ordered in _sequences(history.seen, by_place):
        verdict.offences += _judge_order(ordered)
    _count_duplicates(history, by_source, verdict)
    return verdict


def _judge_record(record: Published, outs: Sequence[Seen]) -> Iterable[Offence]:
    """Judge the outcomes of one record."""
    if not outs:
        yield Offence("lost", str(record))
        return
    if len({out.outcome == "dead_letter" for out in outs}) > 1:
        yield Offence("both", f"{record} {outs}", outs[-1].time_s)
    for out in outs:
        if out.key != record.out_key:
            yield Offence("mis-keyed", f"{record} {out}", out.time_s)
        if (out.outcome, out.digest) != (record.outcome, record.out_digest):
            yield Offence("wrong", f"{record} {out}", out.time_s)
        if out.content != outs[0].content:
            yield Offence("different", f"{outs[0]} {out}", out.time_s)


def _judge_partitions(seen: Sequence[Seen]) -> Iterable[Offence]:
    """Find keys that are in more than one partition of a topic."""
    homes: dict[tuple[bool, str], int] = {}
    for out in seen:
        if out.key is not None:
            home = homes.setdefault((out.outcome == "dead_letter", out.key), out.partition)
            if home != out.partition:
                yield Offence("mis-keyed", f"not in partition {home}: {out}", out.time_s)


def _sequences(seen: Sequence[Seen], by_place: dict[Place, Published]) -> Iterable[list[Seen]]:
    """The outcomes of each key in each partition of each topic, in the order they lie there."""
    found: dict[tuple[bool, int, str], list[Seen]] = defaultdict(list)
    for out in seen:
        # Without a key there is no order to keep.
        record = by_place.get(out.source) if out.source is not None else None
        if record is not None and record.key is not None:
            found[out.outcome == "dead_letter", out.partition, record.key].append(out)
    for outs in found.values():
        yield sorted(outs, key=lambda out: out.offset)


def _judge_order(outs: Sequence[Seen]) -> Iterable[Offence]:
    """Judge the outcomes of one key in one topic, in the order they lie there."""
    newest = -1
    appeared: set[int] = set()
    for out in outs:
        assert out.source is not None
        offset = out.source[1]
        if offset not in appeared and offset < newest:
            yield Offence("reordered", f"after that of offset {newest}: {out}", out.time_s)
        appeared.add(offset)
        newest = max(newest, offset)
    last = outs[-1]
    assert last.source is not None
    if last.source[1] != newest:
        yield Offence("stale", f"the last is that of offset {newest}: {last}", last.time_s)


def _count_duplicates(
    history: History, by_source: dict[Place, list[Seen]], verdict: Verdict
) -> None:
    """Count what came again, by the fault that it came after."""
    faults = [event.time_s for event in faults_of(history)]
    committed: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for one in history.committed:
        committed[one.partition].append((one.time_s, one.offset))
    for (partition, offset), outs in by_source.items():
        for again in sorted(outs, key=lambda out: out.time_s)[1:]:
            fault = bisect_right(faults, again.time_s) - 1
            verdict.duplicates += 1
            verdict.duplicates_after[fault] += 1
            known = committed[partition]
            at = bisect_right(known, again.time_s - LATE_S, key=lambda one: one[0])
            if at and known[at - 1][1] > offset:
                verdict.late_after[fault] += 1


def faults_of(history: History) -> list[Event]:
    """The faults, in the order of their times."""
    return sorted((event for event in history.events if event.is_fault), key=lambda one: one.time_s)


def events_around(history: History, time_s: float, within_s: float = 15.0) -> list[Event]:
    """What happened around a time."""
    return [event for event in history.events if abs(event.time_s - time_s) <= within_s]
