"""Packs what goes out quickly.

aiokafka 0.14.0 packs batches in the event loop, with gzip at its most thorough, and has no setting
for it: 60 ms a megabyte, in which nothing else goes on. At its quickest gzip takes a sixth of
that, for a fifth more bytes. What was packed either way is read by everybody.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from aiokafka.codec import gzip_encode
from aiokafka.record import default_records

_QUICKEST: Final = 1


def pack_quickly() -> None:
    """Let all producers of this process pack with the quickest gzip."""
    quick = partial(gzip_encode, compresslevel=_QUICKEST)
    for module in _builders():
        module.gzip_encode = quick


def _builders() -> list[Any]:
    """The modules that build batches: aiokafka's in Python, and the same in C where that is."""
    try:
        from aiokafka.record._crecords import default_records as compiled  # noqa: PLC0415 - see above
    except ImportError:
        return [default_records]
    return [default_records, compiled]
