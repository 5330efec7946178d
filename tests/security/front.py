"""What stands in front of a broker: TLS, and SASL as Kafka speaks it. Then it passes bytes on.

The embedded broker has neither. The front takes each connection with the certificate and the users
that are set at that moment, and remembers what it was told.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

from service.broker import LOOPBACK
from tests.security.channels import Channel, Frames, TlsChannel, send_frame
from tests.security.sasl import MECHANISMS, RefusedLoginError, Users, exchange

_HANDSHAKE, _API_VERSIONS, _AUTHENTICATE = 17, 18, 36
_OURS = struct.pack(">hhhhhh", _HANDSHAKE, 1, 1, _AUTHENTICATE, 0, 0)
_OUR_COUNT = 2
_SIZE = 4
_NAME = re.compile(rb"test-[0-9a-f]{12}(?:\.[a-z]+)?")
_UNSUPPORTED, _FAILED = 33, 58


class Front:
    """Listens on loopback in a thread of its own while the context lasts."""

    def __init__(self, port: int, broker_port: int) -> None:
        """Take its own port and the broker's."""
        self._port = port
        self._broker_port = broker_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._listening: set[asyncio.Task[None]] = set()
        self._connections: set[asyncio.Task[None]] = set()
        self.context: ssl.SSLContext | None = None
        self.users: Users | None = None
        # Bytes as they came in, from connections that the front takes without TLS.
        self.in_clear = b""
        # Who logged in, by which mechanism; and how many were refused.
        self.logins: list[tuple[str, str]] = []
        self.refused = 0
        # What was asked of the broker in clear: which request, and the strings that are in it.
        self.asked: list[tuple[int, set[str]]] = []

    @property
    def address(self) -> str:
        """Where it listens, as host:port."""
        return f"{LOOPBACK}:{self._port}"

    def __enter__(self) -> Self:
        """Start to listen."""
        listener = socket.create_server((LOOPBACK, self._port), backlog=100)
        listener.settimeout(0)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(listener), self._loop).result(10)
        return self

    def __exit__(self, *exception: object) -> None:
        """Cut off all connections."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @contextmanager
    def set(self, context: ssl.SSLContext | None, users: Users | None = None) -> Iterator[Self]:
        """Take new connections like this while the context lasts."""
        before = self.context, self.users
        self.context, self.users = context, users
        self.in_clear, self.logins, self.refused, self.asked = b"", [], 0, []
        try:
            yield self
        finally:
            self.context, self.users = before

    def cut_off(self) -> None:
        """End all connections that there are."""

        def cancel() -> None:
            for task in self._connections:
                task.cancel()

        self._loop.call_soon_threadsafe(cancel)

    async def _start(self, listener: socket.socket) -> None:
        self._keep(self._accept(listener), self._listening)

    async def _stop(self) -> None:
        tasks = self._listening | self._connections
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    def _keep(self, coroutine: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]]) -> None:
        task = self._loop.create_task(coroutine)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _accept(self, listener: socket.socket) -> None:
        with listener:
            while True:
                connection, _ = await self._loop.sock_accept(listener)
                self._keep(self._serve(connection), self._connections)

    async def _serve(self, connection: socket.socket) -> None:
        context, users = self.context, self.users
        # A client may refuse us, or go at any moment.
        with suppress(OSError, EOFError):
            ends = await asyncio.open_connection(sock=connection)
            client = Channel(*ends) if context is None else TlsChannel(*ends, context)
            try:
                if isinstance(client, TlsChannel):
                    await client.shake_hands()
                broker = Channel(*await asyncio.open_connection(LOOPBACK, self._broker_port))
                try:
                    await self._talk(client, broker, users, in_clear=context is None)
                finally:
                    broker.close()
            finally:
                client.close()

    async def _talk(
        self, client: Channel, broker: Channel, users: Users | None, *, in_clear: bool
    ) -> None:
        if users is not None and not await self._log_in(client, broker, users):
            return
        ways = {
            asyncio.create_task(self._pass(client, broker, note=in_clear)),
            asyncio.create_task(self._pass(broker, client, note=False)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)

    async def _pass(self, source: Channel, target: Channel, *, note: bool) -> None:
        rest = b""
        with suppress(OSError):
            while data := await source.read():
                if note:
                    self.in_clear += data
                    rest = self._note(rest + data)
                await target.write(data)

    def _note(self, data: bytes) -> bytes:
        """Take note of the requests that are complete; what is left of the last."""
        while len(data) >= _SIZE and len(data) >= (end := _SIZE + int.from_bytes(data[:4], "big")):
            frame, data = data[_SIZE:end], data[end:]
            key = int.from_bytes(frame[:2], "big")
            # A name has its length before it; in the new form of requests, that and one.
            names = {
                found[0].decode()
                for found in _NAME.finditer(frame)
                if frame[found.start() - 1] - len(found[0]) in (0, 1)
            }
            self.asked.append((key, names))
        return data

    async def _log_in(self, client: Channel, broker: Channel, users: Users) -> bool:
        """Say whether the client has authenticated; nothing else is passed on before."""
        # A client that keeps to the protocol sends nothing more before it is answered.
        frames, answers = Frames(client), Frames(broker)
        talk, mechanism = None, ""
        while True:
            frame = await frames.next()
            key, _, correlation, named = struct.unpack_from(">hhih", frame)
            body = frame[10 + max(0, named) :]
            if key == _API_VERSIONS:
                await send_frame(broker, frame)
                answer = await answers.next()
                count = struct.unpack_from(">i", answer, 6)[0] + _OUR_COUNT
                await send_frame(
                    client, answer[:6] + struct.pack(">i", count) + answer[10:] + _OURS
                )
            elif key == _HANDSHAKE:
                mechanism = body[2:].decode()
                is_known = mechanism in MECHANISMS
                code = 0 if is_known else _UNSUPPORTED
                head = struct.pack(">ihi", correlation, code, len(MECHANISMS))
                await send_frame(client, head + b"".join(map(_string, MECHANISMS)))
                if is_known:
                    talk = exchange(mechanism, users)
                    next(talk)
            elif key == _AUTHENTICATE and talk is not None:
                code, reason, said = 0, b"\xff\xff", b""
                is_done = False
                try:
                    said = talk.send(body[4:])
                except RefusedLoginError as error:
                    code, reason = _FAILED, _string(str(error))
                    self.refused += 1
                except StopIteration as done:
                    who, said = done.value
                    self.logins.append((who, mechanism))
                    is_done = True
                head = struct.pack(">ih", correlation, code) + reason
                await send_frame(client, head + struct.pack(">i", len(said)) + said)
                if code or is_done:
                    return is_done
            else:
                return False  # as Kafka does with whoever asks before he has logged in


def _string(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()
