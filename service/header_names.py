"""Takes records whose headers have names that are not UTF-8.

Kafka does not look at the names of headers; aiokafka 0.14.0 decodes them as UTF-8. One record with
another name makes every fetch of its partition fail, and what was fetched of other partitions along
with it is passed over: a worker would lose records, and fail at the same one for ever. So records
are read by aiokafka's parser in Python, with this one difference: bytes that are no UTF-8 become
lone surrogates (service.records writes those out). It is slower than the one in C by a hundredth
of a millisecond a record; an article takes thousands of times as long.
"""

from __future__ import annotations

from typing import Any, SupportsIndex

from aiokafka.consumer import fetcher
from aiokafka.record import default_records, memory_records


def take_any_name() -> None:
    """Let all consumers of this process take whatever names headers have."""
    fetcher.MemoryRecords = _Records


class _Bytes(bytearray):
    """Bytes that any decoding accepts. All that aiokafka decodes of a record is header names."""

    def __getitem__(self, where: SupportsIndex | slice) -> Any:
        found = super().__getitem__(where)
        return _Bytes(found) if isinstance(found, bytearray) else found

    def decode(self, encoding: str = "utf-8", errors: str = "surrogateescape") -> str:
        return super().decode(encoding, errors)


class _Batch(default_records._DefaultRecordBatchPy):  # type: ignore[misc]  # noqa: SLF001
    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _Bytes(self._buffer)


class _Records(memory_records._MemoryRecordsPy):  # type: ignore[misc]  # noqa: SLF001
    def next_batch(self) -> Any:
        ahead = self._next_slice
        batch = super().next_batch()
        # Older formats of records have no headers.
        return _Batch(ahead) if isinstance(batch, default_records.DefaultRecordBatch) else batch
