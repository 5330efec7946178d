"""The history checker: it finds nothing in a good history, and in a spoilt one what was spoilt."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reliability.checking import PROMISES, Verdict, judge
from tests.reliability.history import Committed, Event, History, Published, Recorder, Seen

KEYS = ("a", "b", "c")


def _published(partition: int, offset: int, key: str) -> Published:
    place = f"{partition}/{offset}"
    return Published(offset, partition, offset, key, f"v{place}", "labelled", key, f"out{place}")


def _seen(record: Published, time_s: float, offset: int) -> Seen:
    """The outcome that a record must have."""
    home = KEYS.index(record.key or "a")
    return Seen(
        time_s,
        record.outcome,
        home,
        offset,
        record.out_key,
        record.out_digest,
        f"headers{record.place}",
        record.place,
    )


def good(count: int = 12, replays: tuple[tuple[int, int], ...] = ()) -> History:
    """A history in which every promise is kept.

    Args:
        count: of records, in two partitions.
        replays: after so many outcomes it goes back to that one, as after a death.
    """
    # Keys a and c are in partition 0, key b is in 1.
    offsets = {0: 0, 1: 0}
    history = History()
    for number in range(count):
        key = KEYS[number % 3]
        partition = KEYS.index(key) % 2
        history.published.append(_published(partition, offsets[partition], key))
        offsets[partition] += 1
    ends: dict[int, int] = {}
    at, left = 0, list(replays)
    while at < count:
        record = history.published[at]
        home = KEYS.index(record.key or "a")
        ends[home] = ends.get(home, -1) + 1
        history.seen.append(_seen(record, 10.0 + len(history.seen), ends[home]))
        at += 1
        if left and at == left[0][0]:
            at = left.pop(0)[1]
    return history


def _offences(verdict: Verdict) -> dict[str, int]:
    return {name: count for name in PROMISES if (count := verdict.count(name))}


@given(
    count=st.integers(1, 40),
    replays=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=4),
)
def test_a_good_history(count: int, replays: list[tuple[int, int]]) -> None:
    """With any number of replays that begin again somewhere before, nothing is found but those."""
    kept, last = [], 0
    for first, second in replays:
        after, back = max(first, second), min(first, second)
        if last < after <= count:
            kept.append((after, back))
            last = after
    verdict = judge(good(count, tuple(kept)))
    assert _offences(verdict) == {}
    assert verdict.records == count
    assert verdict.duplicates == len(good(count, tuple(kept)).seen) - count


@given(at=st.integers(0, 11))
def test_lost(at: int) -> None:
    """A record without an outcome."""
    history = good()
    del history.seen[at]
    assert _offences(judge(history)) == {"lost": 1}


@given(at=st.integers(0, 11), place=st.none() | st.tuples(st.integers(0, 3), st.integers(50, 60)))
def test_phantom(at: int, place: tuple[int, int] | None) -> None:
    """An outcome that names no record, or one that was never published."""
    history = good()
    history.seen.append(history.seen[at]._replace(source=place, time_s=99, offset=99))
    assert _offences(judge(history)) == {"phantom": 1}


@given(at=st.integers(0, 11))
def test_wrong_value(at: int) -> None:
    """A value that is not what the record must give."""
    history = good()
    history.seen[at] = history.seen[at]._replace(digest="other")
    assert _offences(judge(history)) == {"wrong": 1}


@given(at=st.integers(0, 11))
def test_wrong_kind(at: int) -> None:
    """A good record that is only dead-lettered."""
    history = good()
    history.seen[at] = history.seen[at]._replace(outcome="dead_letter")
    assert _offences(judge(history))["wrong"] == 1


@given(at=st.integers(0, 11))
def test_both(at: int) -> None:
    """A record that is labelled and dead-lettered."""
    history = good()
    history.seen.append(history.seen[at]._replace(outcome="dead_letter", offset=99, time_s=99))
    found = _offences(judge(history))
    assert found["both"] == 1
    assert found["wrong"] == 1


@given(at=st.integers(0, 11))
def test_mis_keyed(at: int) -> None:
    """An outcome with another record's key, or none."""
    for key in ("z", None):
        history = good()
        history.seen[at] = history.seen[at]._replace(key=key)
        assert _offences(judge(history)) == {"mis-keyed": 1}


@given(at=st.integers(0, 11))
def test_one_key_in_two_partitions(at: int) -> None:
    """An outcome in another partition than the others of its key."""
    history = good()
    history.seen[at] = history.seen[at]._replace(partition=77)
    assert "mis-keyed" in _offences(judge(history))


@given(at=st.integers(0, 11), field=st.sampled_from(["headers", "digest"]))
def test_different(at: int, field: str) -> None:
    """A duplicate that differs by a byte, if only in a header."""
    history = good(12, ((12, 0),))
    seen = history.seen[12 + at]
    history.seen[12 + at] = (
        seen._replace(headers="other") if field == "headers" else seen._replace(digest="other")
    )
    assert "different" in _offences(judge(history))
    assert judge(history).count("different") == 1


@given(at=st.integers(0, 8))
def test_reordered(at: int) -> None:
    """Two versions of one key that first appear in the wrong order."""
    history = good()
    first, second = history.seen[at], history.seen[at + 3]
    assert first.key == second.key
    history.seen[at] = first._replace(offset=second.offset)
    history.seen[at + 3] = second._replace(offset=first.offset)
    found = _offences(judge(history))
    assert found["reordered"] == 1


def test_reordered_before_a_replay() -> None:
    """A replay that brings all again in order does not excuse what came too early before."""
    history = good()
    ours = [seen for seen in history.seen if seen.key == "a"]
    early = ours[2]._replace(offset=-1, time_s=1)
    history.seen.insert(0, early)
    # Those before it appear after it for the first time; it is there again, in order.
    assert _offences(judge(history)) == {"reordered": 2}


@given(back=st.integers(1, 3))
def test_stale(back: int) -> None:
    """An old version that comes again after the last, by a process that had been away."""
    history = good()
    ours = [seen for seen in history.seen if seen.key == "b"]
    history.seen.append(ours[-1 - back]._replace(offset=99, time_s=99))
    assert _offences(judge(history)) == {"stale": 1}


def test_duplicates_are_counted_by_the_fault_before() -> None:
    """Each is put down to the last fault before it, and what was committed before is told apart."""
    history = good(12, ((6, 3), (12, 2)))
    names = ("paused", "killed")
    history.events += [
        Event(time, name, True, {})  # noqa: FBT003 - a row of a table
        for time, name in zip((15.5, 24.5), names, strict=True)
    ]
    history.events.append(Event(15.6, "ended", False, {}))  # noqa: FBT003 - a row of a table
    verdict = judge(history)
    assert verdict.duplicates == 13
    assert verdict.duplicates_after == {0: 3, 1: 10}
    assert verdict.most_after_one_fault == 10
    assert verdict.late == 0
    history.committed += [Committed(16.0, 0, 3), Committed(16.0, 1, 1)]
    # Of the second replay those before 3 of partition 0, and before 1 of partition 1, from 2 on.
    late = judge(history)
    assert late.late_after == {
        1: sum(
            (seen.source or (9, 9))[1] < (3, 1)[(seen.source or (0, 0))[0]]
            for seen in history.seen[15:]
        )
    }
    assert late.late > 0


def test_it_is_kept_and_read_again(tmp_path: Path) -> None:
    """A history written as it came is the same when it is read."""
    history = good(12, ((6, 3),))
    history.committed.append(Committed(1.5, 0, 3))
    history.events.append(Event(1.0, "killed", True, {"worker": 1}))  # noqa: FBT003 - an example
    history.seen.append(history.seen[0]._replace(source=None, key=None))
    recorder = Recorder(tmp_path / "kept")
    recorder.add([*history.published, *history.seen, *history.committed, *history.events])
    recorder.close()
    assert History.load(tmp_path / "kept") == history


@pytest.mark.parametrize("seed", range(3))
def test_many_faults_at_once(seed: int) -> None:
    """Of a larger history with one of each fault each is found."""
    drawn = random.Random(seed)
    history = good(300, ((200, 150), (300, 250)))
    lost, wrong, moved = drawn.sample(range(100), 3)
    history.seen[wrong] = history.seen[wrong]._replace(digest="other")
    history.seen[moved] = history.seen[moved]._replace(key="z")
    history.seen.append(history.seen[moved]._replace(source=(5, 5)))
    del history.seen[lost]
    assert _offences(judge(history)) == {"lost": 1, "wrong": 1, "mis-keyed": 1, "phantom": 1}
