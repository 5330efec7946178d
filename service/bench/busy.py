"""How much of the processor the parts of a measurement took."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self

from service.bench.results import Busy

# In /proc/<pid>/stat, counted from the state, which is the first field after the name.
_USER, _SYSTEM = 11, 12
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Parts(NamedTuple):
    """Processes by what they do; the load is this one. ``broker`` is 0 where it is not ours."""

    workers: Sequence[int]
    broker: int


class Stretch:
    """Processor time of the parts while a context lasts, added up over several."""

    def __init__(self, parts: Parts) -> None:
        """Begin with nothing."""
        self._parts = parts
        self._seconds = 0.0
        self._took: dict[str, float | None] = {"workers": 0.0, "broker": 0.0, "load": 0.0}
        self._start: tuple[float, dict[str, float | None]] = 0.0, {}

    def __enter__(self) -> Self:
        """Begin to count."""
        self._start = time.monotonic(), self._now()
        return self

    def __exit__(self, *exception: object) -> None:
        """Add what was taken since."""
        since, before = self._start
        self._seconds += time.monotonic() - since
        for part, now in self._now().items():
            was, taken = before[part], self._took[part]
            if now is None or was is None or taken is None:
                self._took[part] = None
            else:
                self._took[part] = taken + now - was

    @property
    def busy(self) -> Busy:
        """Cores that each part kept busy, on average."""
        return Busy(
            **{
                part: None if taken is None or not self._seconds else taken / self._seconds
                for part, taken in self._took.items()
            }
        )

    def _now(self) -> dict[str, float | None]:
        workers = [processor_s(pid) for pid in self._parts.workers]
        known = [seconds for seconds in workers if seconds is not None]
        return {
            "workers": sum(known) if len(known) == len(workers) else None,
            "broker": processor_s(self._parts.broker) if self._parts.broker else None,
            "load": processor_s(os.getpid()),
        }


def processor_s(pid: int) -> float | None:
    """Seconds of processor time that a process has taken, all its threads together.

    Returns:
        None where the system does not tell, or the process has ended.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return (int(fields[_USER]) + int(fields[_SYSTEM])) / _TICKS


def resident_mb(pid: int) -> float | None:
    """Memory of a process in use right now, in MB; None where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
