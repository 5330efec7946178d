"""What goes out is packed with the quickest gzip, by whichever of aiokafka's builders."""

from __future__ import annotations

import gzip

import pytest
from aiokafka.record import default_records
from aiokafka.record._crecords import default_records as compiled

from service.compression import pack_quickly

VALUE = b"It rained on Monday. " * 200
# Where a gzip file says how it was packed (RFC 1952): 4 is the fastest algorithm, 2 the slowest.
_XFL_AT, _FASTEST = 8, 4
_GZIP, _HEAD = 1, 61


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (default_records, compiled):
        monkeypatch.setattr(module, "gzip_encode", module.gzip_encode)
    pack_quickly()


@pytest.mark.parametrize("module", [default_records, compiled], ids=["Python", "C"])
def test_batches_are_packed_quickly(module: object) -> None:
    """The batch says so itself, and holds what was put in."""
    name = "_DefaultRecordBatchBuilderPy" if module is default_records else None
    builder = getattr(module, name or "DefaultRecordBatchBuilder")
    batch = builder(2, _GZIP, is_transactional=0, producer_id=-1, producer_epoch=-1,
                    base_sequence=0, batch_size=1 << 20)  # fmt: skip
    batch.append(0, 0, b"key", VALUE, [])
    packed = bytes(batch.build())[_HEAD:]
    assert packed[_XFL_AT] == _FASTEST
    assert VALUE in gzip.decompress(packed)
