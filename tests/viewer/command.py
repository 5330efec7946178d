"""The command ``claimstream view`` as a process under a test's control."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.settings import Settings
from tests.workers import environment

ROOT = Path(__file__).parent.parent.parent


class Command:
    """A running ``claimstream view``."""

    def __init__(self, settings: Settings, *arguments: str) -> None:
        """Start it."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "service", "view", "--port", "0", *arguments],
            cwd=ROOT,
            env=os.environ | environment(settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def address(self) -> str:
        """The address that it prints."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        return found[0]

    def end(self, number: signal.Signals) -> tuple[int, float]:
        """Send a signal; the exit code, and how many seconds it took."""
        started = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(20), time.monotonic() - started


@contextmanager
def view(settings: Settings, *arguments: str) -> Iterator[Command]:
    """Run the command; it is killed if the test fails on the way."""
    command = Command(settings, *arguments)
    with command.process:
        try:
            yield command
        finally:
            if command.process.poll() is None:
                command.process.kill()
