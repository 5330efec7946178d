"""Dead letters as they lie in their topic: what each says about itself, and which are meant."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, Self

from service.deadletters import PREFIX
from service.reading import Reader
from service.records import Headers, SourceRecord

# How keys and headers are shown that are no text.
BASE64: Final = "base64:"

# Bounded, so that no number of them exceeds what Kafka can hold.
_NUMBER: Final = r"[0-9]{1,18}"
_PLACE: Final = re.compile(f"({_NUMBER}):({_NUMBER})")
_RANGE: Final = re.compile(f"({_NUMBER}):({_NUMBER})(?:(-)({_NUMBER})?)?")
_DURATION: Final = re.compile(r"([0-9]{1,9}[smhdw])+")
_UNITS_MS: Final = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Place = tuple[int, int]  # partition and offset
Step = Callable[[str, int], None]  # told of each offset read: of which topic, of how many in all


class SelectionError(ValueError):
    """What is asked for cannot be understood; the message says how it is written."""


class OffsetRange(NamedTuple):
    """Offsets of one partition, both ends included; ``last`` is None where it is open."""

    partition: int
    first: int
    last: int | None

    def holds(self, partition: int | None, offset: int | None) -> bool:
        """Say whether a place lies in it."""
        if partition != self.partition or offset is None or offset < self.first:
            return False
        return self.last is None or offset <= self.last


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What a dead letter says about itself: everything but its value.

    ``timestamp_ms`` is in milliseconds since 1970, ``size`` in bytes; None where there is none.
    What the headers do not say, or not legibly, is None or empty. Two dead letters have the same
    ``fingerprint`` if their keys and values are the same.
    """

    partition: int
    offset: int
    timestamp_ms: int | None
    source_topic: str | None
    source_partition: int | None
    source_offset: int | None
    stage: str
    exception: str
    message: str
    attempts: int | None
    key: bytes | None
    size: int | None
    headers: Headers
    fingerprint: bytes

    @property
    def place(self) -> Place:
        """Where it lies in the dead-letter topic."""
        return self.partition, self.offset

    @property
    def short_exception(self) -> str:
        """The exception's class without its module."""
        return self.exception.rpartition(".")[2]

    @classmethod
    def from_record(cls, record: SourceRecord) -> Self:
        """Take over a record of the dead-letter topic."""
        said = dict(record.headers)

        def text(name: str) -> str:
            return said.get(PREFIX + name, b"").decode("utf-8", "replace")

        def number(name: str) -> int | None:
            return int(text(name)) if re.fullmatch(_NUMBER, text(name)) else None

        return cls(
            partition=record.partition,
            offset=record.offset,
            timestamp_ms=record.timestamp_ms,
            source_topic=text("topic") or None,
            source_partition=number("partition"),
            source_offset=number("offset"),
            stage=text("stage"),
            exception=text("exception.class.name"),
            message=text("exception.message"),
            attempts=number("attempts"),
            key=record.key,
            size=None if record.value is None else len(record.value),
            headers=record.headers,
            fingerprint=fingerprint(record),
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters are meant; what is None or empty does not narrow it.

    ``since_ms`` (included) and ``until_ms`` (not included) are in milliseconds since 1970 and
    are about when the dead letter was written. ``reason`` is the exception's class, with or
    without its module, or a part of its message in any case. ``limit`` keeps the oldest.
    """

    stage: str | None = None
    reason: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    offsets: tuple[OffsetRange, ...] = ()
    source_offsets: tuple[OffsetRange, ...] = ()
    keys: frozenset[bytes] = frozenset()
    limit: int | None = None

    def holds(self, letter: DeadLetter) -> bool:
        """Say whether a dead letter is meant, the limit aside."""
        source = letter.source_partition, letter.source_offset
        return (
            self.stage in (None, letter.stage)
            and self._holds_reason(letter)
            and self._holds_time(letter.timestamp_ms)
            and (not self.offsets or any(part.holds(*letter.place) for part in self.offsets))
            and (not self.source_offsets or any(p.holds(*source) for p in self.source_offsets))
            and (not self.keys or letter.key in self.keys)
        )

    def pick(self, letters: Iterable[DeadLetter]) -> list[DeadLetter]:
        """Those that are meant, oldest first; the same whatever order they come in."""
        meant = [letter for letter in letters if self.holds(letter)]
        meant.sort(key=lambda letter: (letter.timestamp_ms or 0, letter.place))
        return meant[: self.limit]

    def _holds_reason(self, letter: DeadLetter) -> bool:
        if self.reason is None or self.reason in (letter.exception, letter.short_exception):
            return True
        return self.reason.casefold() in letter.message.casefold()

    def _holds_time(self, timestamp_ms: int | None) -> bool:
        if self.since_ms is None and self.until_ms is None:
            return True
        if timestamp_ms is None or timestamp_ms < (self.since_ms or 0):
            return False
        return self.until_ms is None or timestamp_ms < self.until_ms


def parse_place(text: str) -> Place:
    """Read PARTITION:OFFSET.

    Raises:
        SelectionError: it is not written so.
    """
    match = _PLACE.fullmatch(text)
    if match is None:
        raise SelectionError(f"{text!r} is no place: PARTITION:OFFSET, like 0:14")
    return int(match[1]), int(match[2])


def parse_offsets(text: str) -> OffsetRange:
    """Read P:FROM-TO with both ends included, P:FROM- without an end, or P:OFFSET for one.

    Raises:
        SelectionError: it is not written so, or ends before it begins.
    """
    match = _RANGE.fullmatch(text)
    if match is None:
        raise SelectionError(f"{text!r} are no offsets: PARTITION:FROM-TO, like 0:14-20")
    partition, first = int(match[1]), int(match[2])
    last = int(match[4]) if match[4] else None if match[3] else first
    if last is not None and last < first:
        raise SelectionError(f"{text!r}: ends before it begins")
    return OffsetRange(partition, first, last)


def parse_time(text: str, now_ms: int) -> int:
    """Read a time: RFC 3339, or how long before now.

    Args:
        text: like 2026-11-24T08:00:00Z, 90s, 30m, 2h, 1d12h or 1w.
        now_ms: now, in milliseconds since 1970.

    Returns:
        Milliseconds since 1970; may be negative.

    Raises:
        SelectionError: it is written neither way, or there is no such time.
    """
    if _DURATION.fullmatch(text):
        parts = re.findall(r"([0-9]+)([smhdw])", text)
        return now_ms - sum(int(count) * _UNITS_MS[unit] for count, unit in parts)
    if _RFC_3339.fullmatch(text):
        try:
            return (datetime.fromisoformat(text.upper()) - _EPOCH) // timedelta(milliseconds=1)
        except (ValueError, OverflowError):
            raise SelectionError(f"{text!r}: there is no such time") from None
    raise SelectionError(
        f"{text!r} is no time: RFC 3339 like 2026-11-24T08:00:00Z, or a duration back like 2h"
    )


def parse_key(text: str) -> frozenset[bytes]:
    """The keys that a text may stand for: itself, or the bytes of what follows ``base64:``."""
    keys = {text.encode("utf-8", "surrogateescape")}
    if text.startswith(BASE64):
        with suppress(ValueError):
            keys.add(base64.b64decode(text.removeprefix(BASE64), validate=True))
    return frozenset(keys)


def fingerprint(record: SourceRecord) -> bytes:
    """Sixteen bytes that two records share if their keys and values are the same."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (record.key, record.value):
        digest.update(b"-" if part is None else b"%d:" % len(part) + part)
    return digest.digest()


async def select(
    reader: Reader, topic: str, selection: Selection, step: Step
) -> tuple[list[DeadLetter], int]:
    """Read all that the dead-letter topic holds now.

    Args:
        reader: what to read with.
        topic: the dead-letter topic.
        selection: which dead letters are meant.
        step: told of each that is read.

    Returns:
        Those that are meant, oldest first, and how many there are in all.

    Raises:
        TopicsMissingError: there is no such topic.
        ReadError: the broker refuses or falls silent.
    """
    ranges = await reader.extent(topic)
    total = sum(end - start for start, end in ranges.values())
    meant, count = [], 0
    async for record in reader.read(ranges):
        step(topic, total)
        count += 1
        letter = DeadLetter.from_record(record)
        if selection.holds(letter):
            meant.append(letter)
    return selection.pick(meant), count


async def read_place(reader: Reader, topic: str, place: Place) -> SourceRecord:
    """Read the record in one place.

    Raises:
        TopicsMissingError: there is no such topic.
        SelectionError: there is no such place in it, or nothing lies there.
        ReadError: the broker refuses or falls silent.
    """
    partition, offset = place
    held = {
        tp: span for tp, span in (await reader.extent(topic)).items() if tp.partition == partition
    }
    if not held:
        raise SelectionError(f"{topic} has no partition {partition}")
    ((tp, (start, end)),) = held.items()
    if not start <= offset < end:
        what = f"{start} to {end - 1}" if start < end else "nothing"
        raise SelectionError(
            f"{topic} has no offset {offset}: its partition {partition} holds {what}"
        )
    async with aclosing(reader.read({tp: (offset, offset + 1)})) as found:
        async for record in found:
            return record
    raise SelectionError(f"nothing lies at {partition}:{offset} of {topic}")
