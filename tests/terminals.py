"""Runs a command with a terminal as its standard error, to see what only terminals get."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

_CODES = re.compile(r"\x1b\[[\d;?]*[a-zA-Z]")


class Ran(NamedTuple):
    """Exit code, standard output, and what the terminal was sent, without control sequences."""

    code: int
    output: str
    shown: str


def run_on_terminal(
    arguments: Sequence[str], environment: Mapping[str, str], timeout_s: float = 240
) -> Ran:
    """Run a command of ours with a terminal of 120 columns as standard error."""
    terminal, end = pty.openpty()
    seen = bytearray()

    def read() -> None:
        # A terminal whose other end is closed answers with an error.
        with suppress(OSError):
            while chunk := os.read(terminal, 65536):
                seen.extend(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "service", *arguments],
            env={**os.environ, **environment, "TERM": "xterm-256color", "COLUMNS": "120"},
            stdout=subprocess.PIPE,
            stderr=end,
            timeout=timeout_s,
            check=False,
            text=True,
        )
    finally:
        os.close(end)
        reader.join()
        os.close(terminal)
    return Ran(done.returncode, done.stdout, _CODES.sub("", seen.decode()))
