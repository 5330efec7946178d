"""A TCP proxy in front of a broker, which can be told to cut, hold, drop, delay and refuse.

It knows as much of Kafka's protocol as it takes to tell who talks (the client id) and what is a
request to store records. So faults meet the workers only, one of them or all, while the clients of
the test go through the same port unharmed: the broker advertises the proxy, and nobody gets past.
"""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, Literal, Self

from aiokafka.protocol.produce import ProduceRequest

from service.broker import LOOPBACK

# Clients that call themselves so are never harmed.
STEADY: Final = "steady"

Kind = Literal[
    "delay",  # each request and answer waits for ``amount`` seconds
    "throttle",  # no more than ``amount`` bytes a second each way
    "hold",  # nothing moves; later all does
    "drop",  # what is sent is thrown away; the connection is cut when that ends
    "refuse connections",
    "lose answers",  # records are stored, the answer is thrown away and the connection cut
    "tear",  # half of a request to store records is sent, then the connection is cut
    "refuse records",  # requests to store records are answered with the error code ``amount``
]

_PRODUCE: Final = 0
_FETCH: Final = 1
_LEAVE: Final = 13
# Those whose answer is a wait and an error, and nothing more.
_LEAVE_VERSIONS: Final = {1, 2}
# The versions since which an answer has these fields.
_WITH_TIME, _WITH_START = 2, 5
_POLL_S: Final = 0.02
_CONNECT_S: Final = 10.0
_REQUESTS: Final = {request.API_VERSION: request for request in ProduceRequest._CLASSES}  # noqa: SLF001 - it has no other list of its versions


@dataclass(frozen=True, eq=False)
class Trouble:
    """What is done to some clients for a while; ``client`` None means to all but the steady."""

    kind: Kind
    client: str | None = None
    amount: float = 0.0

    def meets(self, client: str) -> bool:
        """Say whether a client has this trouble."""
        return client != STEADY and self.client in {None, client}


class Proxy:
    """Listens on loopback and passes on to a broker, as an asynchronous context manager."""

    def __init__(self, port: int = 0) -> None:
        """Take the port to listen on; 0 takes a free one."""
        self.port = port
        # Whether those that leave their group are answered here, see `_dismiss`.
        self.dismisses = False
        self.upstream: tuple[str, int] = (LOOPBACK, 0)
        names = ("cut", "refused", "answers lost", "torn", "dismissed", "fetches")
        self.counts = dict.fromkeys(names, 0)
        self.connections: Counter[str] = Counter()  # ever made, by client id
        self._troubles: list[Trouble] = []
        self._links: set[_Link] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """Listen; set ``upstream`` before the first client comes."""
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Cut all connections and listen no longer."""
        assert self._server is not None
        # Those that were just let in become links within a few turns of the event loop. A server
        # that is closed meanwhile would forget them, and leave them open.
        for listener in self._server.sockets:
            asyncio.get_running_loop().remove_reader(listener.fileno())
        for _ in range(10):
            await asyncio.sleep(0)
        self._server.close()
        links = list(self._links)
        for link in links:
            link.cut()
        await asyncio.gather(*(link.ended.wait() for link in links))
        await self._server.wait_closed()

    @property
    def clients(self) -> set[str]:
        """The ids of the clients that are connected."""
        return {link.client for link in self._links} - {""}

    def cut(self, client: str | None = None) -> int:
        """Reset the connections of a client, or of all but the steady, and count them."""
        meant = Trouble("drop", client)
        cut = [link for link in self._links if meant.meets(link.client)]
        for link in cut:
            link.cut()
        self.counts["cut"] += len(cut)
        return len(cut)

    @contextmanager
    def trouble(self, kind: Kind, client: str | None = None, amount: float = 0.0) -> Iterator[None]:
        """Make trouble while the context lasts."""
        made = Trouble(kind, client, amount)
        self._troubles.append(made)
        try:
            yield
        finally:
            self._troubles.remove(made)
            if kind == "drop":
                self.cut(client)

    def find(self, kind: Kind, client: str) -> Trouble | None:
        """The trouble of a kind that a client has now."""
        return next((one for one in self._troubles if one.kind == kind and one.meets(client)), None)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(self, reader, writer)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)
            link.ended.set()


class _CutError(Exception):
    """The connection ends here."""


class _Link:
    """A client's connection and its counterpart to the broker."""

    def __init__(
        self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._proxy = proxy
        self._reader, self._writer = reader, writer
        self._up_writer: asyncio.StreamWriter | None = None
        # For each request sent: our own answer, or None where the broker's is passed on.
        self._expected: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._arrived: asyncio.Queue[bytes] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._loses_answer = False
        self.client = ""
        self.ended = asyncio.Event()

    async def run(self) -> None:
        """Pass on until one side ends or the connection is cut."""
        with suppress(OSError, EOFError, _CutError, TimeoutError):
            first = await _read(self._reader)
            self.client = _client_id(first)
            self._proxy.connections[self.client] += 1
            if self._has("refuse connections"):
                raise _CutError
            async with asyncio.timeout(_CONNECT_S):
                up_reader, self._up_writer = await asyncio.open_connection(*self._proxy.upstream)
            self._tasks = [
                asyncio.create_task(self._requests(first, self._up_writer)),
                asyncio.create_task(self._arrivals(up_reader)),
                asyncio.create_task(self._answers()),
            ]
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        self.cut()
        for task in self._tasks:
            with suppress(OSError, EOFError, _CutError, asyncio.CancelledError):
                await task

    def cut(self) -> None:
        """Reset both connections."""
        for task in self._tasks:
            task.cancel()
        for writer in (self._writer, self._up_writer):
            if writer is not None:
                writer.transport.abort()

    async def _requests(self, frame: bytes, up: asyncio.StreamWriter) -> None:
        while True:
            await self._suffer(frame)
            if not self._has("drop"):
                await self._pass_on(frame, up)
            frame = await _read(self._reader)

    async def _pass_on(self, frame: bytes, up: asyncio.StreamWriter) -> None:
        kind = struct.unpack_from(">h", frame)[0]
        self._proxy.counts["fetches"] += kind == _FETCH
        is_produce = kind == _PRODUCE
        if is_produce and (refusal := self._proxy.find("refuse records", self.client)):
            self._proxy.counts["refused"] += 1
            self._expected.put_nowait(_refuse(frame, round(refusal.amount)))
            return
        if is_produce and self._has("tear"):
            self._proxy.counts["torn"] += 1
            up.write((struct.pack(">i", len(frame)) + frame)[: len(frame) // 2])
            await up.drain()
            raise _CutError
        if is_produce and self._has("lose answers"):
            self._loses_answer = True
        if self._proxy.dismisses and (own := _dismiss(frame)) is not None:
            self._proxy.counts["dismissed"] += 1
            self._expected.put_nowait(own)
            return
        self._expected.put_nowait(None)
        await _write(up, frame)

    async def _arrivals(self, up: asyncio.StreamReader) -> None:
        """Read what the broker sends; its end is noticed even when nothing is due."""
        while True:
            self._arrived.put_nowait(await _read(up))

    async def _answers(self) -> None:
        while True:
            own = await self._expected.get()
            if own is not None:
                await _write(self._writer, own)
                continue
            frame = await self._arrived.get()
            if self._loses_answer:
                self._proxy.counts["answers lost"] += 1
                raise _CutError
            await self._suffer(frame)
            if not self._has("drop"):
                await _write(self._writer, frame)

    async def _suffer(self, frame: bytes) -> None:
        """Wait as long as this frame must."""
        if delay := self._proxy.find("delay", self.client):
            await asyncio.sleep(delay.amount)
        if throttle := self._proxy.find("throttle", self.client):
            await asyncio.sleep(len(frame) / throttle.amount)
        while self._has("hold"):  # noqa: ASYNC110 - any number of troubles may hold it
            await asyncio.sleep(_POLL_S)

    def _has(self, kind: Kind) -> bool:
        return self._proxy.find(kind, self.client) is not None


def _refuse(frame: bytes, code: int) -> bytes:
    """Answer a request to store records: each partition with this error."""
    version, correlation = struct.unpack_from(">hi", frame, 2)
    kind: Any = _REQUESTS[version]
    request = kind.decode(BytesIO(frame[_header_size(frame) :]))
    # Offset, time and log start unknown; which of them there are depends on the version.
    unknown = [-1] * (1 + (version >= _WITH_TIME) + (version >= _WITH_START))
    topics = [
        (topic, [(partition, code, *unknown) for partition, _ in partitions])
        for topic, partitions in request.topics
    ]
    answer = kind.RESPONSE_TYPE(topics, *([] if version == 0 else [0]))
    return struct.pack(">i", correlation) + bytes(answer.encode())


def _dismiss(frame: bytes) -> bytes | None:
    """Answer a request to leave a group, or None to any other.

    The embedded broker (tansu) goes on naming a leader that leaves while its group forms, as when
    two members leave at once: no member gets a partition any more, whatever is restarted. What it
    is not told, it finds out when the session is over. Kafka has no such fault.
    """
    key, version, correlation = struct.unpack_from(">hhi", frame)
    if key != _LEAVE or version not in _LEAVE_VERSIONS:
        return None
    return struct.pack(">iih", correlation, 0, 0)


def _client_id(frame: bytes) -> str:
    """Who sent a request, as every version of a request's header says."""
    (size,) = struct.unpack_from(">h", frame, 8)
    return frame[10 : 10 + size].decode() if size > 0 else ""


def _header_size(frame: bytes) -> int:
    return 10 + max(0, int(struct.unpack_from(">h", frame, 8)[0]))


async def _read(reader: asyncio.StreamReader) -> bytes:
    (size,) = struct.unpack(">i", await reader.readexactly(4))
    return await reader.readexactly(size)


async def _write(writer: asyncio.StreamWriter, frame: bytes) -> None:
    writer.write(struct.pack(">i", len(frame)) + frame)
    await writer.drain()
