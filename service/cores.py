"""How many processor cores this process may use.

A container's limit of processor time is not seen by counting cores: libraries that do start more
threads than may run. So three things are asked: the cores that the scheduler allows, the quota of
cgroup v2 (``cpu.max``) and that of cgroup v1 (``cpu.cfs_quota_us``), each also of the groups above.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

_MOUNT = "sys/fs/cgroup"


class Cores(NamedTuple):
    """What limits this process: cores it may run on, and processor time in cores, if limited."""

    allowed: int
    quota: float | None

    @property
    def usable(self) -> int:
        """Whole cores that can be kept busy, at least 1.

        A fraction is not counted: a further busy thread would be stopped for part of each period.
        """
        if self.quota is None:
            return self.allowed
        return max(1, min(self.allowed, int(self.quota)))


def usable_cores() -> int:
    """Whole cores that this process can keep busy, at least 1."""
    return find_cores().usable


def find_cores(root: Path = Path("/"), allowed: int | None = None) -> Cores:
    """Find what limits this process.

    Args:
        root: where ``proc`` and ``sys`` are; another folder in tests.
        allowed: how many cores the scheduler allows; asked for if not given.
    """
    quotas = [*_quotas_v2(root), *_quotas_v1(root)]
    return Cores(allowed or _allowed(), min(quotas, default=None))


def _allowed() -> int:
    """Cores that the scheduler may put this process on; cpusets of containers are in it."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas_v2(root: Path) -> Iterator[float]:
    """Quotas of cgroup v2, in cores: one file ``<quota or max> <period>`` for each group."""
    for controllers, group in _groups(root):
        if controllers:
            continue
        for folder in (_MOUNT, f"{_MOUNT}/unified"):
            for place in _upwards(root / folder, group):
                quota, _, period = _read(place / "cpu.max").partition(" ")
                yield from _cores(quota, period)


def _quotas_v1(root: Path) -> Iterator[float]:
    """Quotas of cgroup v1, in cores: two files for each group, a quota of -1 is none."""
    for controllers, group in _groups(root):
        if "cpu" not in controllers.split(","):
            continue
        for folder in {controllers, "cpu"}:
            for place in _upwards(root / _MOUNT / folder, group):
                quota, period = (
                    _read(place / f"cpu.cfs_{name}_us") for name in ("quota", "period")
                )
                yield from _cores(quota, period)


def _groups(root: Path) -> Iterator[tuple[str, PurePosixPath]]:
    """Controllers and path of each cgroup that this process is in; v2 names no controllers."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        yield controllers, PurePosixPath(group)


def _upwards(mount: Path, group: PurePosixPath) -> Iterator[Path]:
    """Folders of a group and of all above it.

    In a container the path may be the host's, of which only the end, or nothing, is mounted: what
    is not there is passed over when it is read.
    """
    names = [name for name in group.parts if name not in {"/", ".."}]
    for length in range(len(names), -1, -1):
        yield mount.joinpath(*names[:length])


def _cores(quota: str, period: str) -> Iterator[float]:
    """Quota over period, where both are positive numbers."""
    if quota.isdigit() and period.isdigit() and int(quota) > 0 and int(period) > 0:
        yield int(quota) / int(period)


def _read(path: Path) -> str:
    """A file's text without white space around it; empty where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
