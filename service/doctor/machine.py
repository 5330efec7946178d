"""Checks of the machine: Python, processor, cores, memory."""

from __future__ import annotations

import platform
import re
import sys
from pathlib import Path
from typing import Final

from service.cores import Cores, find_cores
from service.doctor.findings import Finding, ok, unchecked, warn
from service.doctor.findings import fail as failed
from service.memory import Memory, find_memory

# As pyproject.toml says: from the first, below the second.
PYTHONS: Final = (3, 11), (3, 14)
# Instructions that make a difference to how fast the network runs, in the words of Linux.
_FEATURES: Final = (
    *("amx_bf16", "amx_int8", "avx512_bf16", "avx512_vnni", "avx_vnni", "avx512f", "avx2"),
    *("bf16", "i8mm", "asimddp"),
)
_MIB: Final = 1024 * 1024


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Whether this Python is one that claimstream is made for."""
    least, below = PYTHONS
    said = f"{platform.python_implementation()} {'.'.join(map(str, version))}"
    if least <= version[:2] < below:
        return ok("Python", said)
    newest = f"{below[0]}.{below[1] - 1}"
    return failed(
        "Python", said, f"use Python {least[0]}.{least[1]} to {newest}: make PYTHON=python{newest}"
    )


def check_processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> Finding:
    """Which instructions for networks the processor has."""
    try:
        text = cpuinfo.read_text(encoding="ascii", errors="replace")
    except OSError:
        return unchecked("processor", f"{platform.machine()}; {cpuinfo} cannot be read here")
    lines: dict[str, str] = dict(re.findall(r"^([\w ]+?)\s*: (.*)$", text, re.MULTILINE))
    flags = (lines.get("flags") or lines.get("Features") or "").split()
    name = lines.get("model name") or platform.machine()
    there = [feature for feature in _FEATURES if feature in flags]
    said = f"{name}: {', '.join(there) or 'none of the instructions that make networks fast'}"
    if there:
        return ok("processor", said)
    return warn("processor", said, "expect it to be slow; a processor with AVX2 or newer helps")


def check_cores(threads: int | None, cores: Cores | None = None) -> Finding:
    """Whether as many cores may be used as the worker has compute threads (None: not known)."""
    cores = cores or find_cores()
    quota = "" if cores.quota is None else f", of {cores.allowed} by a quota of {cores.quota:g}"
    said = f"{cores.usable} to be used{quota}"
    if threads is None:
        return ok("cores", said)
    said += f"; {threads} compute thread{'' if threads == 1 else 's'}"
    if threads > cores.usable:
        return warn("cores", said, f"set CLAIMSTREAM_MODEL__THREADS={cores.usable}")
    return ok("cores", said)


def check_memory(needed: int | None, memory: Memory | None = None) -> Finding:
    """Whether the model fits into memory.

    Args:
        needed: bytes that a worker takes with it, about; None where there is no model.
        memory: what may be used; looked up if not given.
    """
    memory = memory or find_memory()
    if memory is None:
        return unchecked("memory", "this system does not say")
    where = "of the container" if memory.limited else "of the machine"
    said = f"{_mib(memory.left)} left of {_mib(memory.total)} {where}"
    if needed is None:
        return ok("memory", said)
    said += f"; a worker takes about {_mib(needed)}"
    if memory.total < needed:
        return failed("memory", said, "give it more memory, or set CLAIMSTREAM_MODEL__SIZE=small")
    if memory.left < needed:
        return warn("memory", said, "end something else before another worker is started")
    return ok("memory", said)


def _mib(size: int) -> str:
    return f"{size / _MIB:,.0f} MiB"
