"""Keeps processes to processor cores, so that what is measured and what measures do not mix."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Placement(NamedTuple):
    """The core of each worker, and the one of the broker and the load; None where not pinned."""

    workers: list[int | None]
    load: int | None

    @property
    def worker_cores(self) -> int:
        """How many cores the workers have between them."""
        return len(set(self.workers)) if self.load is not None else len(self.workers)

    def __str__(self) -> str:
        """Say it in words."""
        if self.load is None:
            return "not pinned: fewer than 2 cores, or no affinity on this system"
        cores = ", ".join(str(core) for core in sorted({c for c in self.workers if c is not None}))
        return f"workers on core {cores}, broker and load on core {self.load}"


def place(workers: int, cores: Collection[int]) -> Placement:
    """Divide the cores: the last for broker and load, the others for the workers in turn.

    Args:
        workers: how many there are; with too few cores they share.
        cores: those that may be used; with fewer than 2 nothing is pinned.
    """
    *first, last = sorted(cores) or [0]
    if not first:
        return Placement([None] * workers, None)
    return Placement([first[number % len(first)] for number in range(workers)], last)


def allowed_cores() -> set[int]:
    """The cores that this process may be kept to; none where the system knows no affinity."""
    return set(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else set()


def pin(process_id: int, core: int | None) -> None:
    """Keep all threads of a process to one core, and all that they will start; None leaves it.

    A process that has just been started has one thread, whose core is inherited by what it becomes.
    """
    if core is None:
        return
    tasks = Path(f"/proc/{process_id}/task")
    for task in [int(path.name) for path in tasks.iterdir()] if tasks.is_dir() else [process_id]:
        os.sched_setaffinity(task, {core})


@contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Keep this thread, and all that it starts meanwhile, to one core; None leaves it."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
