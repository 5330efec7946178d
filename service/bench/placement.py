"""Keeps processes to processor cores, so that what is measured and what measures do not mix."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Placement(NamedTuple):
    """The core of each worker, and those of the broker and the load; None, none: not pinned."""

    workers: list[int | None]
    load: frozenset[int]

    @property
    def worker_cores(self) -> int:
        """How many cores the workers have between them."""
        return len(set(self.workers)) if self.load else len(self.workers)

    @property
    def is_shared(self) -> bool:
        """Whether broker and load run on the workers' cores."""
        return not self.load.isdisjoint(self.workers)

    def __str__(self) -> str:
        """Say it in words."""
        if not self.load:
            return "not pinned: fewer than 2 cores, or no affinity on this system"
        cores = ", ".join(str(core) for core in sorted({c for c in self.workers if c is not None}))
        if self.is_shared:
            return f"{len(self.workers)} workers on cores {cores}, which broker and load share"
        return f"workers on core {cores}, broker and load on core {min(self.load)}"


def place(workers: int, cores: Collection[int]) -> Placement:
    """Divide the cores: one for each worker, and one more for broker and load if there is one.

    Args:
        workers: how many there are. As many as cores, or more: they have all cores in turn, and
            broker and load share them.
        cores: those that may be used; with fewer than 2 nothing is pinned.
    """
    ordered = sorted(cores)
    if len(ordered) < 2:  # noqa: PLR2004 - nothing to divide
        return Placement([None] * workers, frozenset())
    if workers < len(ordered):
        return Placement([*ordered[:workers]], frozenset(ordered[-1:]))
    return Placement([ordered[n % len(ordered)] for n in range(workers)], frozenset(ordered))


def allowed_cores() -> set[int]:
    """The cores that this process may be kept to; none where the system knows no affinity."""
    return set(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else set()


def pin(process_id: int, cores: Collection[int | None]) -> None:
    """Keep all threads of a process to some cores, and all that they will start; none: leave it.

    A process that has just been started has one thread, whose core is inherited by what it becomes.
    """
    wanted = {core for core in cores if core is not None}
    if not wanted:
        return
    tasks = Path(f"/proc/{process_id}/task")
    for task in [int(path.name) for path in tasks.iterdir()] if tasks.is_dir() else [process_id]:
        os.sched_setaffinity(task, wanted)


@contextmanager
def pinned(cores: Collection[int]) -> Iterator[None]:
    """Keep this thread, and all that it starts meanwhile, to some cores; none: leave it."""
    if not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
