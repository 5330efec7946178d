"""Forked processes are as good as started ones: their ends, their signals, their parent's end."""

import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.forked import ForkedProcess

ROOT = Path(__file__).parent.parent
PARENT = """
import os, signal, sys
from pathlib import Path
from tests.forked import ForkedProcess

waiting = ForkedProcess("tests.forked_example", Path(sys.argv[1]), os.environ | {"WAITS": "1"})
Path(sys.argv[2]).write_text(str(waiting.pid))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_ends_by_itself(tmp_path: Path) -> None:
    """With its exit code, what it printed in its log, and no other environment than its own."""
    process = ForkedProcess("tests.forked_example", tmp_path / "log", {"CODE": "3"})
    assert process.wait(60) == 3
    assert process.poll() == 3
    assert (tmp_path / "log").read_text() == "['CODE']\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_is_ended(tmp_path: Path, number: signal.Signals) -> None:
    """By a signal, which its exit code tells."""
    process = ForkedProcess("tests.forked_example", tmp_path / "log", {"WAITS": "1"})
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.1)
    process.send_signal(number)
    assert process.wait(60) == -number


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends it")
def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    """Were it by a kill -9."""
    parent = subprocess.run(
        [sys.executable, "-c", PARENT, str(tmp_path / "log"), str(tmp_path / "pid")],
        cwd=ROOT,
        check=False,
    )
    assert parent.returncode == -signal.SIGKILL
    pid = int((tmp_path / "pid").read_text())
    left: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        left = psutil.wait_procs([psutil.Process(pid)], timeout=30)[1]
    for each in left:
        each.kill()
    assert not left
