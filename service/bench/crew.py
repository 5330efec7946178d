"""The worker processes of a measurement of the stream."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from service.bench.errors import BenchError
from service.bench.placement import Placement, pin
from service.broker import free_port
from service.processes import QUICK, worker_process
from service.settings import Settings

_START_S: Final = 180.0
_STOP_S: Final = 30.0
_POLL_S: Final = 0.2


class BenchWorker(NamedTuple):
    """A worker: its process, where it tells of its health, and what it logs."""

    process: subprocess.Popen[bytes]
    address: str
    log: Path

    def check(self) -> None:
        """Make sure that it runs.

        Raises:
            BenchError: it has ended.
        """
        if self.process.poll() is not None:
            lines = self.log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
            raise BenchError(
                f"a worker ended with exit code {self.process.returncode}: {lines[-1]}"
            )

    def partitions(self) -> int:
        """How many partitions it has; 0 while it is not ready."""
        try:
            with urllib.request.urlopen(f"{self.address}/readyz", timeout=5) as answer:  # noqa: S310 - our own worker's
                return int(json.loads(answer.read())["partitions"])
        except (OSError, urllib.error.HTTPError):
            return 0


@contextmanager
def bench_workers(
    settings: Settings, placement: Placement, scratch: Path
) -> Iterator[list[BenchWorker]]:
    """Run as many workers as there are places, each on its core, until the context ends.

    Args:
        settings: what they are to run with; the HTTP ports are found.
        placement: the core of each.
        scratch: a folder for their logs.
    """
    with ExitStack() as stack:
        workers = []
        for number, core in enumerate(placement.workers):
            port = free_port()
            log = scratch / f"worker-{number}.log"
            output = stack.enter_context(log.open("wb"))
            process = stack.enter_context(
                worker_process(_changes(settings, port), output, stop_timeout_s=_STOP_S)
            )
            pin(process.pid, [core])
            workers.append(BenchWorker(process, f"http://{settings.http.host}:{port}", log))
        yield workers


def wait_until_shared(workers: list[BenchWorker], partitions: int) -> None:
    """Wait until the workers have all partitions between them, and each has some.

    Raises:
        BenchError: one ended, or it took too long.
    """
    deadline = time.monotonic() + _START_S
    while True:
        for worker in workers:
            worker.check()
        shares = [worker.partitions() for worker in workers]
        if sum(shares) == partitions and all(shares):
            return
        if time.monotonic() > deadline:
            raise BenchError(f"the workers were not ready within {_START_S:g} s")
        time.sleep(_POLL_S)


def _changes(settings: Settings, port: int) -> dict[str, dict[str, Any]]:
    """What the worker's settings have to say, by group and name."""
    kafka = {"bootstrap_servers": settings.kafka.bootstrap_servers, "group": settings.kafka.group}
    return {
        "kafka": kafka | QUICK,
        "topics": settings.topics.model_dump(),
        # The folder and not the size: the environment may name another folder.
        "model": {"path": settings.model.folder, "threads": 1},
        "http": {"host": settings.http.host, "port": port},
    }
