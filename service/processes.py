"""Worker processes: starting and ending one, and a parent that runs several as one.

One compute thread to a worker and one worker to a core: threads that share the work on one window
wait for each other. The processes share the partitions through their consumer group, as workers
on different machines do; the parent reads nothing from the cluster.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO, Any, Final

import structlog

from service.children import start_child
from service.cores import usable_cores
from service.logs import configure_logs
from service.settings import PREFIX, HttpSettings, Settings

log = structlog.get_logger(__name__)

WORKER: Final = (sys.executable, "-m", "service", "worker")
# Settings for where nobody wants to wait. The embedded broker takes a new member in after half the
# session's timeout, and looks for new records only as often as a fetch may wait.
QUICK: Final = {
    "session_timeout_s": 4,
    "heartbeat_interval_s": 1,
    "rebalance_timeout_s": 6,
    "fetch_wait_s": 0.05,
}
DONE, BROKEN = 0, 1

_POLL_S: Final = 0.1
# A worker cuts itself off after its own time for stopping; what is left after that hangs.
_ROOM_S: Final = 10.0
_LAST_PORT: Final = 65535


class ProcessesError(ValueError):
    """So many processes cannot be run; the message says why."""


def count_processes(wanted: str) -> int:
    """How many processes: a number, or as many as there are usable cores for ``auto``.

    Raises:
        ProcessesError: it is neither, or less than 1.
    """
    if wanted == "auto":
        return usable_cores()
    if wanted.isascii() and wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    raise ProcessesError(f"--processes {wanted}: a number from 1 on, or auto")


def environment(changes: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Settings by group and name as environment variables, for a worker to read."""
    return {
        f"{PREFIX}{group}__{name}".upper(): str(value)
        for group, values in changes.items()
        for name, value in values.items()
    }


@contextmanager
def worker_process(
    changes: Mapping[str, Mapping[str, Any]],
    output: IO[bytes] | int,
    *,
    stop_timeout_s: float,
    command: Sequence[str] = WORKER,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker; it is told to end, and waited for, when the context ends.

    Args:
        changes: settings by group and name, on top of this process's environment.
        output: where its standard output and error go.
        stop_timeout_s: how long it may take to end before it is killed, in seconds.
        command: what to run.
    """
    process = start_child(command, output, os.environ | environment(changes))
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(stop_timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run_processes(settings: Settings, count: int, command: Sequence[str] = WORKER) -> int:
    """Run several workers until this process gets SIGTERM or SIGINT, or one of them ends.

    Call in the main thread. Each has one compute thread and an HTTP port of its own: the one of
    the settings, the next, and so on. A worker that ends without having been told to takes the
    others with it, in order: whoever supervises this process restarts all.

    Args:
        settings: everything that can be set.
        count: how many workers.
        command: what to run.

    Returns:
        0 if all were told to end and did so; else the exit code of the first that did not,
        1 where that was killed.

    Raises:
        ProcessesError: there are not so many ports.
    """
    ports = http_ports(settings.http, count)
    configure_logs(settings.log)
    told: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: told.append(number))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        with ExitStack() as stack:
            workers = [
                stack.enter_context(_one(settings, port, command))
                for port in ports
                if not told  # told to end while starting: start no more
            ]
            return _live(workers, told, settings.worker.stop_timeout_s + _ROOM_S)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def http_ports(http: HttpSettings, count: int) -> list[int]:
    """The port of each process: consecutive ones, or 0 for all where each is to take a free one.

    Raises:
        ProcessesError: there are not so many above the first.
    """
    if http.port == 0:
        return [0] * count
    if http.port + count - 1 > _LAST_PORT:
        raise ProcessesError(f"no {count} ports from {http.port} on: the last is {_LAST_PORT}")
    return list(range(http.port, http.port + count))


@contextmanager
def _one(
    settings: Settings, port: int, command: Sequence[str]
) -> Iterator[subprocess.Popen[bytes]]:
    changes: dict[str, dict[str, Any]] = {
        "kafka": {"bootstrap_servers": settings.kafka.bootstrap_servers},
        "http": {"port": port},
        "model": {"threads": 1},
    }
    # Nobody waits for what is still there when the context ends: it has had its time.
    with worker_process(changes, sys.stderr.fileno(), stop_timeout_s=0, command=command) as worker:
        address = f"http://{settings.http.host}:{port}/metrics" if port else "a free port"
        log.info("worker process started", pid=worker.pid, metrics=address)
        yield worker


def _live(
    workers: Sequence[subprocess.Popen[bytes]], told: list[int], stop_timeout_s: float
) -> int:
    """Watch the workers until all have ended, or have had their time for it; the exit code."""
    forwarded, code = 0, DONE
    deadline: float | None = None
    ended: set[int] = set()
    while len(ended) < len(workers) and (deadline is None or time.monotonic() < deadline):
        for worker in workers:
            if worker.pid in ended or worker.poll() is None:
                continue
            ended.add(worker.pid)
            fault = _fault(worker.returncode, is_told=deadline is not None)
            if fault != DONE:
                log.error("a worker process ended", pid=worker.pid, exit_code=worker.returncode)
                code = code or fault
        # A second signal cuts workers off, so each is forwarded: once to end, again to hurry.
        if (code and not forwarded) or len(told) > forwarded:
            forwarded += 1
            deadline = deadline or time.monotonic() + stop_timeout_s
            log.info("telling the worker processes to end", running=len(workers) - len(ended))
            for worker in workers:
                # As SIGTERM in any case: a worker that is still being loaded dies of it silently.
                worker.terminate()
        time.sleep(_POLL_S)
    if len(ended) < len(workers):
        log.error("worker processes did not end in time", running=len(workers) - len(ended))
        return code or BROKEN
    return code


def _fault(returncode: int, *, is_told: bool) -> int:
    """The exit code that a worker's end asks for."""
    if is_told and returncode in {DONE, -signal.SIGTERM}:
        return DONE  # by the signal itself if it had not yet begun anything
    return returncode if returncode > 0 else BROKEN
