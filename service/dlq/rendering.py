"""Shows dead letters, which are hostile input: as a table, whole, or as JSON."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.dlq.records import BASE64, DeadLetter
from service.records import SourceRecord
from service.rendering import printable

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DUMPED_BYTES: Final = 4096
_BYTES_A_LINE: Final = 16
_FACTS: Final = ("place", "written", "stage", "exception", "tries", "bytes")
_ORIGIN: Final = ("came from", "key")
# Columns of the terminal.
_LEAST_MESSAGE: Final = 30


def show_letters(console: Console, letters: Sequence[DeadLetter]) -> None:
    """Print dead letters, a line each, or two where the message has no room beside the rest."""
    facts = [_FACTS, *map(_facts, letters)]
    origins = [_ORIGIN, *map(_origin, letters)]
    messages = ["message", *(printable(letter.message) for letter in letters)]
    widest = console.width // 2
    beside = _aligned([a + b for a, b in zip(facts, origins, strict=True)], widest)
    lines: list[list[str]]
    if cell_len(beside[0]) + _LEAST_MESSAGE <= console.width:
        lines = [[line + message] for line, message in zip(beside, messages, strict=True)]
    else:
        below = zip(_aligned(facts, widest), _aligned(origins, widest), messages, strict=True)
        lines = [[line, f"    {origin}{message}"] for line, origin, message in below]
    for number, parts in enumerate(lines):
        for line in parts:
            style = "bold" if number == 0 else ""
            console.print(Text(line.rstrip(), style), no_wrap=True, overflow="ellipsis")


def show_summary(console: Console, letters: Sequence[DeadLetter]) -> None:
    """Print how many there are of each stage and exception, most first, and since when."""
    kinds: dict[tuple[str, str], list[int]] = defaultdict(list)
    for letter in letters:
        kinds[letter.stage, letter.short_exception].append(letter.timestamp_ms or 0)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("count", justify="right")
    for name in ("stage", "exception", "first", "last"):
        table.add_column(name, no_wrap=True)
    for (stage, exception), times in sorted(kinds.items(), key=lambda kind: -len(kind[1])):
        table.add_row(
            str(len(times)),
            Text(printable(stage)),
            Text(printable(exception)),
            _time(min(times)),
            _time(max(times)),
        )
    console.print(table)


def to_json(letter: DeadLetter) -> dict[str, Any]:
    """Everything but the value. Bytes are text, or base64 under a name of its own."""
    return {
        "partition": letter.partition,
        "offset": letter.offset,
        "time": None if letter.timestamp_ms is None else _time(letter.timestamp_ms, "milliseconds"),
        "source_topic": letter.source_topic,
        "source_partition": letter.source_partition,
        "source_offset": letter.source_offset,
        "stage": letter.stage,
        "exception": letter.exception,
        "message": letter.message,
        "attempts": letter.attempts,
        **_json_bytes("key", letter.key),
        "size": letter.size,
        "headers": [
            {"name": name, **_json_bytes("value", value)} for name, value in letter.headers
        ],
    }


def describe(record: SourceRecord) -> Iterator[str]:
    """Lines that show a dead letter whole: place, key, every header, and the value.

    A value that is no UTF-8 is dumped, up to its first 4096 bytes.
    """
    size = "no value" if record.value is None else f"{len(record.value)} bytes"
    yield f"place    {record.topic} {_place(record.partition, record.offset)}"
    yield f"written  {_time(record.timestamp_ms, 'milliseconds')}"
    yield f"key      {'no key' if record.key is None else printable(text_or_base64(record.key))}"
    yield f"value    {size}"
    yield "headers"
    width = max((len(name) for name, _ in record.headers), default=0)
    for name, value in record.headers:
        yield f"  {printable(name):{width}}  {printable(text_or_base64(value))}"
    yield ""
    if record.value is not None:
        try:
            yield printable(record.value.decode())
        except UnicodeDecodeError:
            yield from hex_dump(record.value)


def hex_dump(value: bytes) -> Iterator[str]:
    """Lines of offset, bytes and ASCII, of the first 4096 bytes; then how many more there are."""
    for start in range(0, min(len(value), _DUMPED_BYTES), _BYTES_A_LINE):
        part = value[start : min(start + _BYTES_A_LINE, _DUMPED_BYTES)]
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)  # noqa: PLR2004
        yield f"{start:08x}  {part.hex(' '):{3 * _BYTES_A_LINE - 1}}  {text}"
    if len(value) > _DUMPED_BYTES:
        yield f"… and {len(value) - _DUMPED_BYTES} more bytes"


def text_or_base64(value: bytes) -> str:
    """Bytes as text, or where they are no UTF-8 as base64 that says so."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return BASE64 + base64.b64encode(value).decode()


def _json_bytes(name: str, value: bytes | None) -> dict[str, str | None]:
    if value is None:
        return {name: None}
    try:
        return {name: value.decode()}
    except UnicodeDecodeError:
        return {name: None, f"{name}_base64": base64.b64encode(value).decode()}


def _facts(letter: DeadLetter) -> tuple[str, ...]:
    return (
        _place(letter.partition, letter.offset),
        _time(letter.timestamp_ms),
        letter.stage,
        letter.short_exception,
        _number(letter.attempts),
        _number(letter.size),
    )


def _origin(letter: DeadLetter) -> tuple[str, ...]:
    place = _place(letter.source_partition, letter.source_offset)
    return (
        "–" if letter.source_topic is None else f"{letter.source_topic}:{place}",
        "–" if letter.key is None else text_or_base64(letter.key),
    )


def _aligned(rows: Sequence[tuple[str, ...]], widest: int) -> list[str]:
    """Lines whose columns are as wide as their widest cell, and no wider than that."""
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [min(widest, max(map(cell_len, column))) for column in zip(*cells, strict=True)]
    return [
        "".join(f"{_fit(cell, width)}  " for cell, width in zip(row, widths, strict=True))
        for row in cells
    ]


def _fit(text: str, width: int) -> str:
    if cell_len(text) > width:
        text = set_cell_size(text, width - 1) + "…"
    return set_cell_size(text, width)


def _place(partition: int | None, offset: int | None) -> str:
    return f"{_number(partition)}:{_number(offset)}"


def _number(number: int | None) -> str:
    return "–" if number is None else str(number)


def _time(timestamp_ms: int | None, precision: str = "seconds") -> str:
    """RFC 3339 in UTC; the plain number where it is beyond the calendar."""
    if timestamp_ms is None:
        return "–"
    try:
        time = _EPOCH + timedelta(milliseconds=timestamp_ms)
    except OverflowError:
        return f"{timestamp_ms} ms"
    return time.isoformat(timespec=precision).replace("+00:00", "Z")
