"""A real Alertmanager for tests."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.alerts import DEPLOY

CONFIG: Final = DEPLOY / "alertmanager" / "alertmanager.yml"
_SERVER: Final = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
_START_S: Final = 20.0


@contextmanager
def running_alertmanager() -> Iterator[str]:
    """Run one with our configuration; it has no secrets and can tell nobody.

    Yields:
        Its address, as http://host:port. The test is skipped where it is not installed.
    """
    if _SERVER is None:
        pytest.skip("alertmanager is not installed")
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        command = [
            _SERVER,
            f"--config.file={CONFIG}",
            f"--storage.path={folder}/data",
            "--web.listen-address=127.0.0.1:0",
            "--cluster.listen-address=",
        ]
        with log.open("wb") as output, subprocess.Popen(command, stderr=output) as process:
            try:
                yield address_of(process, log)
            finally:
                process.kill()


def address_of(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where a server of Prometheus's family listens, as http://host:port, as its log tells it."""
    deadline = time.monotonic() + _START_S
    while not (found := re.search(r"address=(127\.0\.0\.1:[1-9]\d*)", log.read_text())):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    return f"http://{found[1]}"
