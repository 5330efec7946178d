"""A fault campaign of a few minutes in the run of every day; the long one is `make chaos`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.reliability.chaos import disorder, order, run
from tests.reliability.report import broken_promises

# Each kind of fault about once.
SECONDS, RECORDS, FAULTS = 60.0, 3000, 31
ROUNDS = 2
# A machine with other things to do restarts workers slowly; promises are judged, never speeds.
TIMEOUT_S = 900


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")


@pytest.mark.timeout(TIMEOUT_S)
def test_faults_of_all_kinds(tmp_path: Path) -> None:
    """Whatever dies, stalls or is cut: nothing lost, reordered, phantom, mis-keyed or different."""
    result = run(disorder(1, SECONDS, RECORDS, FAULTS), tmp_path / "history", _tell)
    assert broken_promises(result) == []
    assert result.verdict.records >= RECORDS


@pytest.mark.timeout(TIMEOUT_S)
def test_orderly_events_only(tmp_path: Path) -> None:
    """Workers told to stop, more of them and fewer: nothing comes twice."""
    result = run(order(1, ROUNDS), tmp_path / "history", _tell)
    assert broken_promises(result) == []
    assert result.verdict.duplicates == 0
