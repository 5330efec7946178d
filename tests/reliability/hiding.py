"""A proxy before a broker that hides some of a topic's partitions, until they are "added".

The embedded broker cannot add partitions, and neither can librdkafka's mock cluster. What clients
see of it is that the cluster's metadata has more of them than before: here it does.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from contextlib import suppress
from io import BytesIO
from typing import Any, Final, Self

from aiokafka.protocol import metadata

from service.broker import LOOPBACK

_METADATA: Final = 3
_CORRELATION_BYTES: Final = 4


class HidingProxy:
    """Listens on loopback and passes on to a broker, as an asynchronous context manager."""

    def __init__(self, shown: int) -> None:
        """Show so many partitions of each topic; the number may be changed at any time."""
        self.shown = shown
        self.port = 0
        self.upstream: tuple[str, int] = (LOOPBACK, 0)
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """Listen; set ``upstream`` before the first client comes."""
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Listen no longer; connections end with the broker's."""
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(*self.upstream)
        asked: deque[tuple[int, int]] = deque()  # kind and version of each request not answered

        async def requests() -> None:
            while True:
                frame = await _read(reader)
                asked.append(struct.unpack_from(">hh", frame))
                _write(up_writer, frame)

        async def answers() -> None:
            while True:
                frame = await _read(up_reader)
                kind, version = asked.popleft()
                _write(writer, self._hide(frame, version) if kind == _METADATA else frame)

        tasks = [asyncio.create_task(work()) for work in (requests, answers)]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for each in (writer, up_writer):
            each.close()
        for task in tasks:
            task.cancel()
            with suppress(OSError, EOFError, asyncio.CancelledError):
                await task

    def _hide(self, frame: bytes, version: int) -> bytes:
        """The same answer, with the first partitions only."""
        kind: Any = getattr(metadata, f"MetadataResponse_v{version}")
        answer = kind.decode(BytesIO(frame[_CORRELATION_BYTES:]))
        answer.topics = [
            (*topic, [one for one in partitions if one[1] < self.shown])
            for *topic, partitions in answer.topics
        ]
        return frame[:_CORRELATION_BYTES] + bytes(answer.encode())


async def _read(reader: asyncio.StreamReader) -> bytes:
    (size,) = struct.unpack(">i", await reader.readexactly(4))
    return await reader.readexactly(size)


def _write(writer: asyncio.StreamWriter, frame: bytes) -> None:
    writer.write(struct.pack(">i", len(frame)) + frame)
