"""What goes out is packed with the quickest gzip, by whichever of aiokafka's builders."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka.codec import gzip_encode
from aiokafka.record import default_records
from aiokafka.record._crecords import default_records as compiled

from service.broker import free_port
from service.compression import pack_quickly
from service.delivery import Outbox
from service.kafka import BrokerError
from service.metrics import build_metrics
from service.settings import KafkaSettings, Settings

VALUE = b"It rained on Monday. " * 200
# Where a gzip file says how it was packed (RFC 1952): 4 is the fastest algorithm, 2 the slowest.
_XFL_AT, _FASTEST = 8, 4
_GZIP, _HEAD = 1, 61


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (default_records, compiled):
        monkeypatch.setattr(module, "gzip_encode", module.gzip_encode)
    pack_quickly()


@pytest.mark.parametrize(
    "builder",
    [default_records._DefaultRecordBatchBuilderPy, compiled.DefaultRecordBatchBuilder],  # noqa: SLF001 - the one in C hides it
    ids=["Python", "C"],
)
def test_batches_are_packed_quickly(builder: Callable[..., Any]) -> None:
    """The batch says so itself, and holds what was put in."""
    batch = builder(2, _GZIP, is_transactional=0, producer_id=-1, producer_epoch=-1,
                    base_sequence=0, batch_size=1 << 20)  # fmt: skip
    batch.append(0, 0, b"key", VALUE, [])
    packed = bytes(batch.build())[_HEAD:]
    assert packed[_XFL_AT] == _FASTEST
    assert VALUE in gzip.decompress(packed)


def test_every_producer_of_the_worker_does() -> None:
    """Whatever sends what goes out has had this done before it connects."""
    for module in (default_records, compiled):
        module.gzip_encode = gzip_encode
    kafka = KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port()}", connect_timeout_s=1)

    async def start() -> None:
        with pytest.raises(BrokerError):
            await Outbox(Settings(kafka=kafka), build_metrics()).start()

    asyncio.run(start())
    packed = default_records.gzip_encode(VALUE)
    assert packed[_XFL_AT] == compiled.gzip_encode(VALUE)[_XFL_AT] == _FASTEST
