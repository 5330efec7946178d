"""Nobody is told that claimstream runs: ONNX Runtime's telemetry is off."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
VARIABLE = "ORT_DISABLE_TELEMETRY"
LABEL = (
    "from service.release import load\n"
    "from service.settings import ModelSettings\n"
    "print(load(ModelSettings(size='small', backend='onnx')).model.backend)\n"
)
GRAPH = "from models.loud_channels import ort; print(ort.get_available_providers())"


@pytest.mark.parametrize("program", [LABEL, GRAPH], ids=["serving", "exporting"])
def test_onnx_runtime_keeps_nothing_to_be_sent(tmp_path: Path, program: str) -> None:
    """Where telemetry is on, it gives itself an identity and a queue in the home folder."""
    own = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE} | own
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.rglob("*")) == []
