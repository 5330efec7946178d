"""The rules in a hurry, that tests with a real Prometheus use."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.alerts import groups
from tests.prometheuses import Hurry, seconds, shortened


def _shortened(hurry: Hurry) -> list[dict[str, Any]]:
    return shortened([group._asdict() for group in groups()], hurry)


@pytest.mark.parametrize(("duration", "wanted"), [("1h30m", 5400), ("90s", 90), ("7d", 604800)])
def test_durations(duration: str, wanted: float) -> None:
    """Durations are read as Prometheus writes them."""
    assert seconds(duration) == wanted


def test_times_are_shortened_and_nothing_else() -> None:
    """Windows, offsets and what lasts are shortened, windows to a least; bounds stay."""
    rule = {"alert": "A", "expr": "increase(a_total[1h] offset 1d) > 14.4 * b[5m]", "for": "2m"}
    (group,) = shortened([{"name": "g", "rules": [rule]}], Hurry(60, scrape_s=2.5))
    (found,) = group["rules"]
    assert found["expr"] == "increase(a_total[60000ms] offset 1440000ms) > 14.4 * b[10000ms]"
    assert found["for"] == "2000ms"
    assert found["alert"] == "A"
    assert group["interval"] == "2500ms"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize("factor", [30, 20_000])
def test_promtool_takes_them(factor: float, tmp_path: Path) -> None:
    """The shipped rules stay rules."""
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": _shortened(Hurry(factor))}))
    command = [str(shutil.which("promtool")), "check", "rules", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
