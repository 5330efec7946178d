"""What dead letters say about themselves, and which ones are meant."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.deadletters import PREFIX, dead_letter_headers
from service.dlq.records import (
    DeadLetter,
    OffsetRange,
    Selection,
    SelectionError,
    parse_key,
    parse_offsets,
    parse_place,
    parse_time,
)
from service.dlq.rendering import text_or_base64
from service.outcomes import Failure
from service.records import SourceRecord
from tests.test_headers import record

NOW_MS = 1_800_000_000_000
FAILURE = Failure("infer", "error", "a.b.SomeError", "it Broke badly", attempts=3)
OFFSETS = st.integers(0, 10**18 - 1)
PARTS = st.none() | st.text("ab:-1", max_size=4).map(str.encode)


def dead_record(**changes: object) -> SourceRecord:
    """A record of the dead-letter topic, with some of it changed."""
    headers = dead_letter_headers(record(headers=[("origin", b"desk")]), FAILURE)
    whole = SourceRecord("dlq", 1, 20, NOW_MS, b"k", b"v", headers)
    return whole._replace(**changes)  # type: ignore[arg-type]


def letter(**changes: object) -> DeadLetter:
    """A dead letter, with some of it changed."""
    return DeadLetter.from_record(dead_record(**changes))


def test_headers_are_understood() -> None:
    """Where it came from, what failed and how often, as the worker wrote it."""
    found = letter()
    assert found.place == (1, 20)
    assert (found.source_topic, found.source_partition, found.source_offset) == (
        "news.articles.v1", 3, 14,
    )  # fmt: skip
    assert (found.stage, found.exception, found.short_exception) == (
        "infer", "a.b.SomeError", "SomeError",
    )  # fmt: skip
    assert (found.message, found.attempts, found.size) == ("it Broke badly", 3, 1)


@pytest.mark.parametrize("value", [b"", b"x", b"-1", b"\xff", "٣".encode(), b"9" * 30])
def test_headers_of_others_may_say_anything(value: bytes) -> None:
    """Missing and illegible headers leave None or nothing, not an error."""
    bare = letter(headers=[])
    assert (bare.source_topic, bare.source_offset, bare.attempts, bare.stage) == (
        None, None, None, "",
    )  # fmt: skip
    odd = letter(headers=[(PREFIX + name, value) for name in ("offset", "attempts", "stage")])
    assert (odd.source_offset, odd.attempts) == (None, None)
    assert odd.stage == value.decode("utf-8", "replace")


def test_no_value_is_not_an_empty_one() -> None:
    """A record without a value has no size, and another fingerprint than an empty one."""
    none, empty = letter(value=None), letter(value=b"")
    assert (none.size, empty.size) == (None, 0)
    assert none.fingerprint != empty.fingerprint


@given(st.tuples(PARTS, PARTS), st.tuples(PARTS, PARTS))
def test_fingerprints_are_of_key_and_value(
    one: tuple[bytes | None, bytes | None], other: tuple[bytes | None, bytes | None]
) -> None:
    """They are the same exactly where key and value are the same, wherever the one ends."""
    first, second = (letter(key=key, value=value) for key, value in (one, other))
    assert (first.fingerprint == second.fingerprint) is (one == other)


@pytest.mark.parametrize(
    ("selection", "meant"),
    [
        (Selection(), True),
        (Selection(stage="infer"), True),
        (Selection(stage="decode"), False),
        (Selection(reason="a.b.SomeError"), True),
        (Selection(reason="SomeError"), True),
        (Selection(reason="Some"), False),
        (Selection(reason="broke BAD"), True),
        (Selection(since_ms=NOW_MS), True),
        (Selection(since_ms=NOW_MS + 1), False),
        (Selection(until_ms=NOW_MS + 1), True),
        (Selection(until_ms=NOW_MS), False),
        (Selection(since_ms=NOW_MS - 5, until_ms=NOW_MS - 2), False),
        (Selection(offsets=(OffsetRange(1, 20, 20),)), True),
        (Selection(offsets=(OffsetRange(1, 0, 19), OffsetRange(1, 20, None))), True),
        (Selection(offsets=(OffsetRange(0, 0, None), OffsetRange(1, 21, None))), False),
        (Selection(source_offsets=(OffsetRange(3, 10, 14),)), True),
        (Selection(source_offsets=(OffsetRange(1, 20, 20),)), False),
        (Selection(keys=frozenset({b"x", b"k"})), True),
        (Selection(keys=frozenset({b""})), False),
        (Selection(stage="infer", keys=frozenset({b"other"})), False),
    ],
)
def test_each_filter_narrows(selection: Selection, *, meant: bool) -> None:
    """A filter holds for what it names, and all that are given must hold."""
    assert selection.holds(letter()) is meant


def test_what_is_not_known_is_not_meant() -> None:
    """A dead letter without a time or a place of origin passes no filter for them."""
    bare = letter(headers=[], timestamp_ms=None, key=None)
    assert Selection().holds(bare)
    assert not Selection(since_ms=0).holds(bare)
    assert not Selection(until_ms=NOW_MS).holds(bare)
    assert not Selection(source_offsets=(OffsetRange(0, 0, None),)).holds(bare)
    assert not Selection(keys=frozenset({b""})).holds(bare)


@given(st.permutations(range(6)), st.integers(1, 8))
def test_the_oldest_are_picked(order: list[int], limit: int) -> None:
    """In whatever order they are read, the limit keeps the same ones, oldest first."""
    letters = [letter(offset=n, timestamp_ms=NOW_MS + n // 2) for n in order]
    picked = Selection(limit=limit).pick(letters)
    assert [one.offset for one in picked] == list(range(6))[:limit]


@given(OFFSETS, OFFSETS, OFFSETS)
def test_offsets_are_read_as_written(partition: int, first: int, more: int) -> None:
    """A range with both ends, one that is open, and a single offset."""
    last = first + more
    if last < 10**18:
        assert parse_offsets(f"{partition}:{first}-{last}") == (partition, first, last)
    assert parse_offsets(f"{partition}:{first}-") == (partition, first, None)
    assert parse_offsets(f"{partition}:{first}") == (partition, first, first)
    assert parse_place(f"{partition}:{first}") == (partition, first)


@given(OFFSETS, st.integers(0, 20), st.none() | st.integers(0, 20), OFFSETS)
def test_a_range_holds_what_lies_in_it(
    partition: int, first: int, length: int | None, offset: int
) -> None:
    """Both ends are included, other partitions are not."""
    last = None if length is None else first + length
    part = OffsetRange(partition, first, last)
    assert part.holds(partition, offset) == (first <= offset and (last is None or offset <= last))
    assert part.holds(partition, first)
    assert not part.holds(partition + 1, first)


@pytest.mark.parametrize(
    "text",
    ["", "1", "1:", ":1", "1:5-4", "a:1", "1:-5", "1:1-2-3", "1: 1", "١:٢", "1:1" + "0" * 18],
)
def test_other_offsets_are_refused(text: str) -> None:
    """What is no range of offsets is told, with how one is written."""
    with pytest.raises(SelectionError):
        parse_offsets(text)


@given(st.text())
def test_no_text_breaks_the_reading_of_filters(text: str) -> None:
    """Whatever is typed is understood or refused in one line."""
    for read in (parse_offsets, parse_place, lambda text: parse_time(text, NOW_MS)):
        try:
            read(text)
        except SelectionError as error:
            assert "\n" not in str(error)


@given(st.lists(st.tuples(st.integers(0, 10**9 - 1), st.sampled_from("smhdw")), min_size=1))
def test_durations_count_back_from_now(parts: list[tuple[int, str]]) -> None:
    """Seconds to weeks, alone and together, as far back as it may be."""
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
    back_ms = sum(count * seconds[unit] * 1000 for count, unit in parts)
    text = "".join(f"{count}{unit}" for count, unit in parts)
    assert parse_time(text, NOW_MS) == NOW_MS - back_ms


@given(
    st.datetimes(timezones=st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m)))),
    st.sampled_from("Tt "),
)
def test_rfc_3339_is_read(moment: datetime, separator: str) -> None:
    """Any moment with its offset from UTC, to the millisecond."""
    text = moment.isoformat(separator, timespec="milliseconds")
    elapsed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    assert parse_time(text, NOW_MS) == elapsed // timedelta(milliseconds=1)


def test_zulu_is_utc() -> None:
    """Z stands for UTC, in either case, with or without fractions."""
    assert parse_time("2027-01-15T08:00:00Z", NOW_MS) == NOW_MS
    assert parse_time("2027-01-15t08:00:00.250z", NOW_MS) == NOW_MS + 250


@pytest.mark.parametrize(
    "text",
    ["", "h", "2", "-2h", "2 h", "1.5h", "yesterday", "2026-11-24", "2026-11-24T08:00:00",
     "2026-13-24T08:00:00Z", "2026-11-24T25:00:00Z", "9999999999h"],
)  # fmt: skip
def test_other_times_are_refused(text: str) -> None:
    """A time without its zone, one that does not exist, or no time at all."""
    with pytest.raises(SelectionError):
        parse_time(text, NOW_MS)


@given(st.binary(max_size=8))
def test_a_key_as_shown_is_understood(key: bytes) -> None:
    """Whatever is shown as the key can be given as --key."""
    assert key in parse_key(text_or_base64(key))
