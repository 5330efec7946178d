"""Worker processes forked from one that has loaded what they need.

To start Python and load Faust, aiokafka and pydantic takes 2 to 3 seconds of processor time, which
the tests do some 300 times. So each process of the tests keeps one that has done so (Python's own
fork server) and has it forked. What comes of it is a process like any other: it can be stopped,
killed and waited for, it has its own environment, log and process group, and it dies with those who
wanted it. That a worker starts from nothing is tested with the real ones (`tests.real_worker`).
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing import forkserver
from pathlib import Path

import coverage

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(["tests.preloaded"])
_PR_SET_PDEATHSIG = 1
# By which coverage finds out in a new process that it is wanted there.
_MEASURING = "COVERAGE_PROCESS_CONFIG"


class ForkedProcess:
    """A module run in a forked process; as much of ``subprocess.Popen`` as tests use."""

    def __init__(self, module: str, log: Path, environment: Mapping[str, str]) -> None:
        """Run it.

        Args:
            module: whose ``__main__`` it is.
            log: where its output and its errors go.
            environment: the whole of it.
        """
        _load()
        self._process = _FORKING.Process(
            target=_become, args=(module, log, Path.cwd(), dict(environment)), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code, or less than 0 for the signal that ended it; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: it still runs after so many seconds.
        """
        self._process.join(timeout)
        if (code := self.returncode) is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired(str(self._process), timeout)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Tell it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)


def _load() -> None:
    """See to it that there is the process that has loaded what workers need.

    It measures no coverage: each of those forked from it does, from its first line on.
    """
    measuring = os.environ.pop(_MEASURING, None)
    try:
        forkserver.ensure_running()
    finally:
        if measuring is not None:
            os.environ[_MEASURING] = measuring


def _become(module: str, log: Path, folder: Path, environment: dict[str, str]) -> None:
    """Turn the forked process into one that was started so."""
    # The fork server ends when nobody has this open any more: it is not to wait for those it made.
    os.close(forkserver._forkserver._forkserver_alive_fd)  # type: ignore[attr-defined]  # noqa: SLF001 - there is no other way
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - only there

        # Of the fork server, which ends with those who use it.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setpgid(0, 0)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for standard in (1, 2):
        os.dup2(output, standard)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    measured = coverage.process_startup()
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        if measured is not None:
            # A process of multiprocessing's ends without what is registered for the end.
            measured.stop()
            measured.save()
