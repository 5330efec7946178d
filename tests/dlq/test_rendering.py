"""Dead letters on a terminal and as JSON."""

import io
import json

import pytest
from rich.console import Console

from service.deadletters import PREFIX, dead_letter_headers
from service.dlq.records import DeadLetter
from service.dlq.rendering import describe, hex_dump, show_letters, show_summary, to_json
from service.outcomes import Failure
from tests.dlq.test_records import NOW_MS, dead_record, letter
from tests.test_headers import record


def shown(letters: list[DeadLetter], width: int) -> list[str]:
    """The lines that a terminal of that width gets."""
    out = io.StringIO()
    show_letters(Console(file=out, width=width), letters)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_table_fits_the_terminal(width: int) -> None:
    """The message is cut to the width; where there is no room beside the rest it goes below."""
    long = Failure("infer", "error", "a.b.SomeError", "m" * 400)
    one = letter(headers=dead_letter_headers(record(), long))
    lines = shown([one], width)
    assert max(map(len, lines)) == width
    assert lines[-1].endswith("m…")
    assert len(lines) == (2 if width >= 120 else 4)
    assert "1:20" in lines[len(lines) // 2]
    assert "2027-01-15T08:00:00Z" in lines[len(lines) // 2]


def test_hostile_text_cannot_steer_the_terminal() -> None:
    """Escape sequences in headers, keys and values are made harmless everywhere."""
    evil = b"\x1b[2J\x07"
    names = ("topic", "stage", "exception.class.name", "exception.message")
    headers = [*((PREFIX + name, evil) for name in names), ("x\x1b", evil)]
    hostile = dead_record(headers=headers, key=evil, value=b"a" + evil)
    one = DeadLetter.from_record(hostile)
    out = io.StringIO()
    show_summary(Console(file=out, width=80), [one])
    text = "\n".join([*shown([one], 80), *shown([one], 300), *describe(hostile), out.getvalue()])
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[2J" in text


def test_the_summary_counts_by_stage_and_exception() -> None:
    """Most frequent first, with the first and the last time."""
    other = dead_letter_headers(record(), Failure("decode", "error", "c.Other", "x"))
    letters = [letter(headers=other), letter(), letter(timestamp_ms=NOW_MS + 5000)]
    out = io.StringIO()
    show_summary(Console(file=out, width=100), letters)
    rows = [line.split() for line in out.getvalue().splitlines()[1:]]
    assert rows == [
        ["2", "infer", "SomeError", "2027-01-15T08:00:00Z", "2027-01-15T08:00:05Z"],
        ["1", "decode", "Other", "2027-01-15T08:00:00Z", "2027-01-15T08:00:00Z"],
    ]


def test_json_has_everything_but_the_value() -> None:
    """Text as text, other bytes as base64 under a name of their own."""
    said = json.loads(json.dumps(to_json(letter(key=b"\xff", value=b"secret"))))
    assert said["key"] is None
    assert said["key_base64"] == "/w=="
    assert said["time"] == "2027-01-15T08:00:00.000Z"
    assert said["headers"][0] == {"name": "origin", "value": "desk"}
    assert (said["source_topic"], said["source_partition"], said["source_offset"]) == (
        "news.articles.v1", 3, 14,
    )  # fmt: skip
    assert (said["stage"], said["attempts"], said["size"]) == ("infer", 3, 6)
    assert "secret" not in json.dumps(said)


def test_a_time_beyond_the_calendar_is_a_number() -> None:
    """A nonsensical time of a record is shown as it is."""
    assert "9223372036854775807 ms" in "".join(describe(dead_record(timestamp_ms=2**63 - 1)))


def test_bytes_that_are_no_text_are_dumped() -> None:
    """Offset, bytes and what of them is ASCII, sixteen a line, and no more than 4096 of them."""
    lines = list(hex_dump(b"\xffAB\n" + b"." * 5000))
    assert lines[0].startswith("00000000  ff 41 42 0a 2e")
    assert lines[0].endswith("  .AB.............")
    assert len(lines) == 257
    assert lines[-1] == "… and 908 more bytes"
    assert list(describe(dead_record(value=b"\xff\x00")))[-1].split()[1:3] == ["ff", "00"]
