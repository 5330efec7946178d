"""A variant's process: started, asked, ended, and what is said when it fails."""

import os
import time
from pathlib import Path

import pytest

from service.bench.contenders import PEAKS, Contender
from service.bench.errors import BenchError
from service.bench.variants import AUTO, BACKENDS
from service.settings import ModelSettings
from tests.bench.articles import TEXTS

SMALL = ModelSettings(size="small", threads=3)

pytestmark = pytest.mark.timeout(900)


def test_it_labels_and_ends(tmp_path: Path) -> None:
    """It says what it is, labels all sentences, tells its memory, and is gone afterwards."""
    texts = [text.text for text in TEXTS]
    with Contender(AUTO, SMALL, tmp_path) as contender:
        assert contender.size == "small"
        assert contender.name.split("-")[0] in BACKENDS
        assert contender.startup_s > 0
        for _ in range(2):
            labelled = contender.label(texts)
            assert [len(labels) for labels in labelled.labels] == [2, 3]
            assert labelled.seconds > 0
        if Path("/proc/self/statm").exists():
            assert labelled.resident_mb is not None
            assert 10 < labelled.resident_mb < 10_000
        pid = contender.pid
        threads = Path(f"/proc/{pid}/environ")
        if threads.exists():
            assert b"OMP_NUM_THREADS=1" in threads.read_bytes()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_peaks_are_measured_there_too(tmp_path: Path) -> None:
    """The processor's peaks come from a process of their own, through the same pipe."""
    with Contender(PEAKS, SMALL, tmp_path) as contender:
        peaks = contender.peaks(0.1)
    assert set(peaks) == {"float32", "bfloat16", "int8"}
    assert peaks["float32"]


def test_one_that_cannot_start_says_why(tmp_path: Path) -> None:
    """What ended it is in one line, and nothing is left."""
    settings = ModelSettings(path=tmp_path / "none")
    with (
        pytest.raises(BenchError, match=r"auto ended with exit code 1: .*no model in") as caught,
        Contender(AUTO, settings, tmp_path),
    ):
        pass
    assert "\n" not in str(caught.value)


def test_one_that_is_killed_is_told(tmp_path: Path) -> None:
    """A process that is gone in the middle is an error, not a hang."""
    with Contender(PEAKS, SMALL, tmp_path) as contender:
        os.kill(contender.pid, 9)
        started = time.monotonic()
        with pytest.raises(BenchError, match=r"peaks ended with exit code -9"):
            contender.peaks(0.1)
        assert time.monotonic() - started < 60
