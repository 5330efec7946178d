"""A Docker engine: the one that answers, or one of our own."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

_START_S: Final = 60.0
_STOP_S: Final = 60.0


class Engine:
    """The engine at an address, as the command ``docker`` talks to it."""

    def __init__(self, host: str | None) -> None:
        """Take its address; the one that ``docker`` takes by itself if not given."""
        own = {} if host is None else {"DOCKER_HOST": host}
        # The classic builder is in every engine, the newer one in a plug-in.
        self._environment = os.environ | own | {"DOCKER_BUILDKIT": "0"}

    def try_run(
        self, *arguments: str, stdin: str = "", timeout_s: float = 600.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of ``docker``, whatever becomes of it."""
        return subprocess.run(
            ["docker", *arguments],  # noqa: S607 - where the user has it
            env=self._environment, input=stdin, capture_output=True, text=True,
            check=False, timeout=timeout_s,
        )  # fmt: skip

    def run(self, *arguments: str, timeout_s: float = 600.0) -> str:
        """Run a command of ``docker`` that must succeed, and return what it prints."""
        done = self.try_run(*arguments, timeout_s=timeout_s)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout.strip()

    def stream(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command of ``docker`` whose standard input or output is data."""
        return subprocess.Popen(
            ["docker", *arguments],  # noqa: S607 - the same
            env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def answers(self) -> bool:
        """Whether there is an engine."""
        return self.try_run("version").returncode == 0


@contextmanager
def running_engine(folder: Path) -> Iterator[Engine]:
    """The engine that answers, or else one that ends with the context and leaves nothing.

    Skips the test where there is none and none can be started.

    Args:
        folder: for the images and containers of an engine of our own.
    """
    if shutil.which("docker") is None:
        pytest.skip("the command docker is not installed")
    if (there := Engine(None)).answers():
        yield there
        return
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        pytest.skip(
            "no Docker engine answers, and only root, with dockerd installed, can start one"
        )
    socket = f"unix://{folder / 'socket'}"
    log = folder / "dockerd.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *["dockerd", "--host", socket, "--pidfile", str(folder / "pid")],
                *["--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")],
                # The network is the machine's: nothing of it is changed.
                *["--bridge", "none", "--iptables=false", "--ip6tables=false"],
            ],
            stdout=output,
            stderr=output,
        )
    try:
        own = Engine(socket)
        deadline = time.monotonic() + _START_S
        while not own.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
                pytest.skip(f"no Docker engine can be started here: {said[-1]}")
            time.sleep(0.2)
        yield own
    finally:
        process.terminate()
        process.wait(_STOP_S)
        shutil.rmtree(folder / "data", ignore_errors=True)
