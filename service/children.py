"""Starts child processes that never outlive this one, whatever ends it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO, Final

# Runs in a fresh interpreter, so that nothing has to run between fork and exec in this process,
# which may have threads. On Linux the kernel kills the child when the thread that started it
# ends; elsewhere this small process stays between the two and watches its parent.
_LAUNCHER: Final = """
import os, sys
parent, command = int(sys.argv[1]), sys.argv[2:]
if sys.platform == "linux":
    import ctypes, signal
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == parent:
        os.execv(command[0], command)
else:
    import signal, subprocess, time
    child = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while child.poll() is None and os.getppid() == parent:
        time.sleep(0.2)
    child.kill()
    sys.exit(child.wait())
"""


def start_child(
    command: Sequence[str],
    output: IO[bytes] | int = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
    *,
    pipes: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a process that is killed when this one ends, were it by a kill -9.

    It gets a process group of its own: Ctrl-C in the terminal reaches this process only, which
    then ends its children in order. Call in a thread that lives as long as the child is wanted,
    for on Linux that thread's end is what the kernel goes by.

    Args:
        command: an absolute path and its arguments.
        output: where standard output and error go.
        environment: its environment; this process's if not given.
        pipes: talk to it over its standard input and output; only its errors go to ``output``.

    Raises:
        OSError: it cannot be started.
    """
    return subprocess.Popen(  # noqa: S603 - our own launcher; the command is the caller's care
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *command],
        stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
        stdout=subprocess.PIPE if pipes else output,
        stderr=output if pipes else subprocess.STDOUT,
        env=environment,
        process_group=0,
    )
