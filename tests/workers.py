"""Real worker processes under a test's control."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

from prometheus_client.parser import text_string_to_metric_families

from service.children import start_child
from service.settings import PREFIX, Settings
from tests.forked import ForkedProcess

_ADDRESS = re.compile(rb'"address": "(http://[^"]+)"')
# Upper bounds: a loaded machine takes a minute to start a process.
_START_S = 120.0
_STOP_S = 120.0
# Started as a worker is that nobody tests.
_FROM_NOTHING = {
    "tests.real_worker",
    "tests.reliability.ticking_worker",
    "tests.cheap_processes",
    "tests.real_processes",
}


def environment(settings: Settings) -> dict[str, str]:
    """Put the settings that differ from the defaults into environment variables."""
    changed = settings.model_dump(mode="json", exclude_defaults=True)
    return {
        f"{PREFIX}{group}__{name}".upper(): str(value)
        for group, values in changed.items()
        for name, value in values.items()
    }


class Worker:
    """One worker process; it is killed when the context ends, if it still runs."""

    def __init__(
        self, settings: Settings, log: Path, *, module: str = "tests.cheap_worker", **extra: str
    ) -> None:
        """Take its settings, with any others as ``GROUP__NAME="value"``."""
        own = {f"{PREFIX}{name}": value for name, value in extra.items()}
        self._environment = os.environ | {f"{PREFIX}HTTP__PORT": "0"} | environment(settings) | own
        self._log = log
        self._module = module
        self._process: subprocess.Popen[bytes] | ForkedProcess | None = None

    def __enter__(self) -> Self:
        """Start the process, one with a cheap labeller from what is loaded already."""
        if self._module not in _FROM_NOTHING:
            self._process = ForkedProcess(self._module, self._log, self._environment)
            return self
        with self._log.open("wb") as output:
            self._process = start_child(
                [sys.executable, "-m", self._module], output, self._environment
            )
        return self

    def __exit__(self, *exception: object) -> None:
        """Kill the process if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def process(self) -> subprocess.Popen[bytes] | ForkedProcess:
        """The process."""
        assert self._process is not None
        return self._process

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text(encoding="utf-8")

    def wait_for(self, path: str, status: int, timeout_s: float = _START_S) -> dict[str, Any]:
        """Wait until a path answers with a status, and return its JSON."""
        deadline = time.monotonic() + timeout_s
        found, body = 0, ""
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log
            try:
                found, body = self.get(path)
            except OSError:
                found = 0
            if found == status:
                details: dict[str, Any] = json.loads(body)
                return details
            time.sleep(0.05)
        raise AssertionError(f"{path} still {found} {body}\n{self.log}")

    def wait_until_ready(self) -> Self:
        """Wait until it has its partitions."""
        self.wait_for("/readyz", 200)
        return self

    @property
    def address(self) -> str:
        """Where it serves metrics and health, as http://host:port.

        Raises:
            OSError: it does not listen (yet).
        """
        address = _ADDRESS.search(self._log.read_bytes())
        if address is None:
            raise ConnectionError("not listening yet")
        return address[1].decode()

    def get(self, path: str) -> tuple[int, str]:
        """Ask for a path.

        Raises:
            OSError: it does not listen (yet).
        """
        try:
            with urllib.request.urlopen(self.address + path, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metric(self, name: str, /, **labels: str) -> float:
        """The sum of a metric's samples that carry these labels."""
        families = text_string_to_metric_families(self.get("/metrics")[1])
        return sum(
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait for the end and return the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self, timeout_s: float = _STOP_S) -> int:
        """Wait for the end and return the exit code."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout_s} s\n{self.log}") from None
