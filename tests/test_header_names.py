"""Header names that are no UTF-8, with batches as producers write them."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from service.header_names import take_any_name
from service.records import printable


@pytest.fixture(autouse=True)
def taking_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take any name in this test, as the worker does, and not in the next."""
    monkeypatch.setattr(fetcher, "MemoryRecords", MemoryRecords)
    take_any_name()


def written(name: bytes, count: int = 3) -> bytes:
    """A batch of records whose headers have this name."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, 0, 1 << 20)
    stand_in = "~" * len(name)
    for offset in range(count):
        headers = [(stand_in, b"v"), ("next", None)]
        builder.append(offset, timestamp=7, key=b"k", value=b"v" * 300, headers=headers)
    return bytes(builder.build()).replace(stand_in.encode(), name)


def read(batch: bytes) -> list[Any]:
    """The records, as a consumer's fetcher gets them."""
    records = fetcher.MemoryRecords(batch)
    found = []
    while records.has_next():
        found += list(records.next_batch())
    return found


def test_aiokafka_cannot_read_them() -> None:
    """If aiokafka can one day, all of this may go."""
    records = MemoryRecords(written(b"\xff\xfe"))
    with pytest.raises(UnicodeDecodeError):
        list(records.next_batch())


def test_names_that_are_no_utf8() -> None:
    """Such names come as lone surrogates, which can be written out; all else comes as it is."""
    found = read(written(b"ab\xff\xfe") + written("naïve".encode()))
    assert [record.offset for record in found] == [0, 1, 2] * 2
    assert {(record.key, record.value, record.timestamp) for record in found} == {
        (b"k", b"v" * 300, 7)
    }
    names = [[printable(name) for name, _ in record.headers] for record in found]
    assert names == [["ab\\xff\\xfe", "next"]] * 3 + [["naïve", "next"]] * 3
    assert [value for _, value in found[0].headers] == [b"v", None]


def test_checksums_are_still_checked() -> None:
    """A batch that was damaged on its way is told from one that was not."""
    whole = bytearray(written(b"~~~~"))
    assert fetcher.MemoryRecords(bytes(whole)).next_batch().validate_crc()
    whole[-1] ^= 1
    assert not fetcher.MemoryRecords(bytes(whole)).next_batch().validate_crc()


def test_records_of_older_formats() -> None:
    """Records from before there were headers are read as they were."""
    builder = LegacyRecordBatchBuilder(1, 0, 1 << 20)
    builder.append(0, timestamp=7, key=b"k", value=b"v")
    batch = bytearray(builder.build())
    struct.pack_into(">q", batch, 0, 5)
    (record,) = read(bytes(batch))
    assert (record.offset, record.key, record.value, record.headers) == (5, b"k", b"v", [])


@pytest.mark.parametrize("name", ["", "origin", "naïve", "\N{SNOWMAN}"])
def test_names_that_are_utf8_stay_as_they_are(name: str) -> None:
    """Nothing is written out that need not be."""
    assert printable(name) == name
