"""What a measurement was made on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from service.bench.results import Machine
from service.cores import usable_cores

_PACKAGES: Final = ("torch", "transformers", "onnxruntime", "tokenizers", "claimstream")
# What makes a difference to how fast matrices are multiplied.
_FEATURES: Final = (
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx_vnni",
    "avx512_bf16",
    "amx_bf16",
    "amx_int8",
    "asimddp",
    "bf16",
    "i8mm",
)
# From so many other processes on, the figures are those of a machine shared with somebody else.
BUSY_FROM: Final = 0.5


def describe_machine(root: Path = Path("/")) -> Machine:
    """Say what this machine is and what runs on it; ``root`` is where ``proc`` is."""
    try:
        lines = (root / "proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    told = {
        name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    flags = set(told.get("flags", told.get("Features", "")).split())
    return Machine(
        processor=told.get("model name") or platform.processor() or platform.machine(),
        features=tuple(feature for feature in _FEATURES if feature in flags),
        cores=os.cpu_count() or 1,
        usable_cores=usable_cores(),
        memory_gib=round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        system=platform.platform(),
        python=platform.python_version(),
        packages=dict(_installed()),
        load_before=round(os.getloadavg()[0], 2),
    )


def _installed() -> Iterator[tuple[str, str]]:
    """Name and version of the packages that are there; who only serves has no torch."""
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            yield name, version(name)


def notes_on(machine: Machine) -> list[str]:
    """What is to be known before the figures are believed."""
    if machine.load_before >= BUSY_FROM:
        load = f"load {machine.load_before:g}"
        return [f"the machine was busy when this began ({load}): the figures are too low"]
    return []
