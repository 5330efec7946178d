"""The beginning of the command: also as the first process of a container it can be ended."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parent.parent
ENTRY = (sys.executable, "-c", "from service.entry import main; main()")
CAUGHT = re.compile(r"^SigCgt:\s(\w+)$", re.MULTILINE)
_FIRST = ("unshare", "--pid", "--fork")


def _may_be_first() -> bool:
    """Whether a process may be started here as the first of a namespace of its own."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_FIRST, "true"], capture_output=True, check=False).returncode == 0


def test_it_is_the_command() -> None:
    """What is installed as claimstream is the command line."""
    done = subprocess.run([*ENTRY, "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "Labels every sentence of news articles" in done.stdout


def test_the_first_process_heeds_sigterm() -> None:
    """A command without a handler of its own ends too, though the kernel protects process 1."""
    if not _may_be_first():
        pytest.skip("no process may be the first of a namespace here")
    # It waits for its standard input.
    with subprocess.Popen([*_FIRST, *ENTRY, "label"], cwd=ROOT, stdin=subprocess.PIPE) as outer:
        try:
            first = _wait_for_handler(psutil.Process(outer.pid))
            first.send_signal(signal.SIGTERM)
            assert outer.wait(60) == 128 + signal.SIGTERM
        finally:
            for process in psutil.Process(outer.pid).children() if outer.poll() is None else []:
                process.kill()


def _wait_for_handler(outer: psutil.Process) -> psutil.Process:
    """Wait until the process inside has a handler for SIGTERM."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for process in outer.children():
            caught = CAUGHT.findall(Path(f"/proc/{process.pid}/status").read_text())
            if int(caught[0], 16) & 1 << signal.SIGTERM - 1:
                return process
        time.sleep(0.01)
    raise AssertionError("no handler")
