"""Two ends of a connection as a test's server needs them: in clear, or over TLS.

TLS is done by hand, because asyncio's own server closes without the alert that says why a handshake
failed; Kafka's brokers, and OpenSSL's own server, send it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import TypeVar

_CHUNK = 2**16

T = TypeVar("T")


class Channel:
    """A connection in clear."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take asyncio's two ends."""
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        """What has come; nothing at the end."""
        return await self._reader.read(_CHUNK)

    async def write(self, data: bytes) -> None:
        """Send."""
        self._writer.write(data)
        await self._writer.drain()

    def close(self) -> None:
        """Send what is still to be sent, then close."""
        self._writer.close()


class TlsChannel(Channel):
    """The server's end of a connection over TLS."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext
    ) -> None:
        """Take asyncio's two ends, and the server's certificate."""
        super().__init__(reader, writer)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    async def shake_hands(self) -> None:
        """Do the handshake.

        Raises:
            ssl.SSLError: the client refuses us, or we it, and it has been told why.
        """
        await self._do(self._tls.do_handshake)

    async def read(self) -> bytes:
        """What has come; nothing at the end."""
        try:
            return await self._do(lambda: self._tls.read(_CHUNK))
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""

    async def write(self, data: bytes) -> None:
        """Send."""
        await self._do(lambda: self._tls.write(data))

    async def _do(self, step: Callable[[], T]) -> T:
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await super().read()
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            finally:
                await self._flush()

    async def _flush(self) -> None:
        if data := self._outgoing.read():
            await super().write(data)


class Frames:
    """Reads Kafka's frames, each with its size before it, from a channel."""

    def __init__(self, channel: Channel) -> None:
        """Take what is read from."""
        self._channel = channel
        self._held = b""

    async def next(self) -> bytes:
        """The next frame, without its size.

        Raises:
            EOFError: the channel ends before one is complete.
        """
        size = int.from_bytes(await self._take(4), "big")
        return await self._take(size)

    async def _take(self, count: int) -> bytes:
        while len(self._held) < count:
            data = await self._channel.read()
            if not data:
                raise EOFError
            self._held += data
        taken, self._held = self._held[:count], self._held[count:]
        return taken


async def send_frame(channel: Channel, frame: bytes) -> None:
    """Send a frame with its size before it."""
    await channel.write(len(frame).to_bytes(4, "big") + frame)
