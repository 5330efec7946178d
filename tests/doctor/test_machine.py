"""Checks of the machine: what each says of machines that are fit and unfit."""

from pathlib import Path

import pytest

from service.cores import Cores
from service.doctor.machine import check_cores, check_memory, check_processor, check_python
from service.memory import Memory

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("version", "status"),
    [((3, 10, 4), "fail"), ((3, 11, 0), "ok"), ((3, 13, 9), "ok"), ((3, 14, 0), "fail")],
)
def test_pythons(version: tuple[int, ...], status: str) -> None:
    """From 3.11 to 3.13; for others it says which to take."""
    finding = check_python(version)
    assert finding.status == status
    assert (finding.do is None) == (status == "ok")
    assert status == "ok" or "3.11 to 3.13" in str(finding.do)


def test_this_python_is_fit() -> None:
    """The tests run on one that claimstream is made for."""
    assert check_python().status == "ok"


@pytest.mark.parametrize(
    ("cpuinfo", "status", "words"),
    [
        (
            "model name\t: A Processor\nflags\t\t: fpu avx2 avx512_vnni amx_bf16 sse2\n",
            "ok",
            "A Processor: amx_bf16, avx512_vnni, avx2",
        ),
        ("model name\t: Old\nflags\t\t: fpu sse2\n", "warn", "Old: none"),
        ("Features\t: fp asimddp bf16 i8mm\n", "ok", "bf16, i8mm, asimddp"),
        ("", "warn", "none"),
    ],
)
def test_processors(tmp_path: Path, cpuinfo: str, status: str, words: str) -> None:
    """It names those instructions that matter, on x86 and ARM; a processor without any is slow."""
    (tmp_path / "cpuinfo").write_text(cpuinfo)
    finding = check_processor(tmp_path / "cpuinfo")
    assert finding.status == status
    assert words in finding.found


def test_an_unknown_processor_is_not_judged(tmp_path: Path) -> None:
    """Where the system does not say, nothing is claimed."""
    assert check_processor(tmp_path / "none").status == "not checked"


def test_more_threads_than_cores_is_told() -> None:
    """With the number that fits; a quota of the container is said."""
    assert check_cores(2, Cores(4, None)).status == "ok"
    finding = check_cores(4, Cores(8, 2.5))
    assert finding.status == "warn"
    assert "2 to be used, of 8 by a quota of 2.5; 4 compute threads" in finding.found
    assert finding.do == "set CLAIMSTREAM_MODEL__THREADS=2"
    assert check_cores(None, Cores(1, None)).status == "ok"


@pytest.mark.parametrize(
    ("total", "left", "status"), [(4096, 3000, "ok"), (4096, 500, "warn"), (512, 500, "fail")]
)
def test_memory_is_compared_with_what_the_model_takes(total: int, left: int, status: str) -> None:
    """Too little in all is a failure, too little left for another worker a warning."""
    finding = check_memory(800 * MIB, Memory(total * MIB, left * MIB, limited=True))
    assert finding.status == status
    assert "a worker takes about 800 MiB" in finding.found
    assert "of the container" in finding.found


def test_memory_without_a_model() -> None:
    """What there is is said, and nothing is compared."""
    finding = check_memory(None, Memory(512 * MIB, 100 * MIB, limited=False))
    assert (finding.status, finding.found) == ("ok", "100 MiB left of 512 MiB of the machine")
