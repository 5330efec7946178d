"""Who is let in, over real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from service import listening
from service.listening import Door, listen

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[], Awaitable[Streams]]

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def _served(use: Callable[[Dial], Awaitable[None]], most: int = 4) -> None:
    """Serve an application whose ``/`` answers and whose ``/wait`` never does, and use it."""

    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    async def wait(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    async def run() -> None:
        door = Door(most)
        app = web.Application(middlewares=[door.note_answering])
        app.router.add_get("/", hello)
        app.router.add_get("/wait", wait)
        opened: list[Streams] = []
        async with listen(app, "127.0.0.1", 0, door) as port:

            async def dial() -> Streams:
                opened.append(await asyncio.open_connection("127.0.0.1", port))
                return opened[-1]

            try:
                await use(dial)
            finally:
                for _, writer in opened:
                    writer.transport.abort()
                await asyncio.sleep(0.1)

    asyncio.run(run())


async def _is_closed(streams: Streams) -> bool:
    """Whether the server has closed; what it has sent before is passed over."""
    try:
        async with asyncio.timeout(0.3):
            while await streams[0].read(1024):
                pass
    except TimeoutError:
        return False
    except ConnectionResetError:
        pass
    return True


async def _ask(streams: Streams) -> bytes:
    streams[1].write(REQUEST)
    async with asyncio.timeout(30):
        return await streams[0].readuntil(b"hello")


def test_the_newest_is_let_in_and_the_oldest_goes() -> None:
    """One connection more than there may be is answered; the one that waited longest is cut off."""

    async def use(dial: Dial) -> None:
        silent = [await dial() for _ in range(4)]
        await asyncio.sleep(0.1)
        assert (await _ask(await dial())).startswith(b"HTTP/1.1 200")
        assert [await _is_closed(each) for each in silent] == [True, False, False, False]

    _served(use)


def test_whoever_is_being_answered_stays() -> None:
    """A long answer is not cut off while others wait for nothing; when all are long, the oldest."""

    async def use(dial: Dial) -> None:
        first = await dial()
        first[1].write(REQUEST.replace(b"/ ", b"/wait ", 1))
        await first[0].readuntil(b"\r\n\r\n")
        silent = [await dial() for _ in range(3)]
        await asyncio.sleep(0.1)
        others = []
        for _ in range(3):
            others.append(await dial())
            others[-1][1].write(REQUEST.replace(b"/ ", b"/wait ", 1))
            await others[-1][0].readuntil(b"\r\n\r\n")
        assert [await _is_closed(each) for each in silent] == [True, True, True]
        assert not await _is_closed(first)
        await _ask(await dial())
        assert await _is_closed(first)

    _served(use)


def test_an_unfinished_request_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that come one by one keep nobody: the time runs from when the connection was made."""
    monkeypatch.setattr(listening, "REQUEST_WITHIN_S", 1.0)

    async def use(dial: Dial) -> None:
        started = time.monotonic()
        reader, writer = await dial()
        closed = asyncio.create_task(reader.read())
        for byte in b"GET / HTTP/1.1\r\nX-Padding: " + b"a" * 200:
            writer.write(bytes([byte]))
            if closed.done():
                break
            await asyncio.sleep(0.05)
        assert closed.done()
        assert 0.8 < time.monotonic() - started < 8

    _served(use)


def test_an_idle_connection_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an answer there is as much time for the next request, and then no more."""
    monkeypatch.setattr(listening, "REQUEST_WITHIN_S", 1.0)

    async def use(dial: Dial) -> None:
        streams = await dial()
        await _ask(streams)
        await asyncio.sleep(0.5)
        await _ask(streams)
        assert not await _is_closed(streams)
        await asyncio.sleep(1.5)
        assert await _is_closed(streams)

    _served(use)


def test_a_burst_is_cut_down() -> None:
    """Of many that come at once only so many stay."""

    async def use(dial: Dial) -> None:
        burst = await asyncio.gather(*(dial() for _ in range(100)))
        await asyncio.sleep(0.2)
        await _ask(await dial())
        closed = await asyncio.gather(*map(_is_closed, burst))
        assert sum(closed) >= 96

    _served(use)
