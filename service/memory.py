"""How much memory this process may use, and how much of it is left."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

# Where a container finds its limit and what it has used: control groups version 2, then version 1.
_LIMITS: Final = (
    ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory.current"),
    (
        "sys/fs/cgroup/memory/memory.limit_in_bytes",
        "sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)
_KIB: Final = 1024


class Memory(NamedTuple):
    """Bytes that may be used in all, and that are left now; ``limited`` by a container."""

    total: int
    left: int
    limited: bool


def find_memory(root: Path = Path("/")) -> Memory | None:
    """Find what this process may use: the machine's memory, or less in a container.

    Args:
        root: where ``proc`` and ``sys`` are; another folder in tests.

    Returns:
        None where the system does not say (it is not Linux).
    """
    sizes = dict(re.findall(r"^(\w+):\s+(\d+) kB$", _read(root / "proc/meminfo"), re.MULTILINE))
    try:
        total, left = (int(sizes[name]) * _KIB for name in ("MemTotal", "MemAvailable"))
    except KeyError:
        return None
    for limit, used in _LIMITS:
        most = _read(root / limit).strip()
        if most.isdigit() and int(most) < total:
            now = _read(root / used).strip()
            own = int(most) - int(now) if now.isdigit() else left
            return Memory(int(most), max(0, min(left, own)), limited=True)
    return Memory(total, left, limited=False)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
