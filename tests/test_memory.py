"""How much memory may be used, told from folders that look like a container's."""

import sys
from pathlib import Path

import psutil
import pytest

from service.memory import Memory, find_memory

MIB = 1024 * 1024
MEMINFO = f"MemTotal:  {8 * 1024} kB\nMemFree:  1 kB\nMemAvailable:  {6 * 1024} kB\n"
V1 = "sys/fs/cgroup/memory/memory"


@pytest.mark.parametrize(
    ("files", "memory"),
    [
        ({}, Memory(8 * MIB, 6 * MIB, limited=False)),
        ({"sys/fs/cgroup/memory.max": "max\n"}, Memory(8 * MIB, 6 * MIB, limited=False)),
        ({"sys/fs/cgroup/memory.max": f"{16 * MIB}\n"}, Memory(8 * MIB, 6 * MIB, limited=False)),
        (
            {
                "sys/fs/cgroup/memory.max": f"{4 * MIB}\n",
                "sys/fs/cgroup/memory.current": f"{MIB}\n",
            },
            Memory(4 * MIB, 3 * MIB, limited=True),
        ),
        (
            {
                f"{V1}.limit_in_bytes": f"{7 * MIB}\n",
                f"{V1}.usage_in_bytes": "0\n",
            },
            Memory(7 * MIB, 6 * MIB, limited=True),
        ),
    ],
)
def test_a_containers_limit_counts(tmp_path: Path, files: dict[str, str], memory: Memory) -> None:
    """Of both versions of control groups; what is left is never more than the machine has left."""
    for name, content in {"proc/meminfo": MEMINFO, **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    assert find_memory(tmp_path) == memory


def test_elsewhere_it_is_not_known(tmp_path: Path) -> None:
    """Without /proc there is no answer."""
    assert find_memory(tmp_path) is None


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_this_machine_is_found() -> None:
    """No more than another library finds, and something is left."""
    memory = find_memory()
    assert memory
    assert 0 < memory.left <= memory.total <= psutil.virtual_memory().total
