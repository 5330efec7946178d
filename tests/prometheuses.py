"""A real Prometheus for tests, with the shipped rules in a hurry."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import yaml

from tests.alertmanagers import address_of
from tests.alerts import RULES

SERVER: Final = shutil.which("prometheus")
_START_S: Final = 60.0

_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION: Final = re.compile(r"(\d+)(ms|[smhdw])")
_WINDOW: Final = re.compile(r"\[(\w+)\]")
_OFFSET: Final = re.compile(r"offset (\w+)")


class Hurry(NamedTuple):
    """How rules are shortened: each time by a factor, but windows to no less than four scrapes.

    The rest of a rule (bounds, counts) stays as it is. A scrape may take no longer than the time to
    the next, so on a machine that has other things to do one a second is too often.
    """

    factor: float
    scrape_s: float = 1.0

    @property
    def least_window_s(self) -> float:
        """The shortest window, in seconds; a rate needs two samples."""
        return 4 * self.scrape_s

    @property
    def interval(self) -> str:
        """Of scrapes and evaluations, as Prometheus writes it."""
        return f"{math.ceil(1000 * self.scrape_s)}ms"


def seconds(duration: str) -> float:
    """The seconds of a duration as Prometheus writes them, such as 5m or 1h30m."""
    return sum(int(count) * _SECONDS[unit] for count, unit in _DURATION.findall(duration))


def shortened(groups: list[dict[str, Any]], hurry: Hurry) -> list[dict[str, Any]]:
    """Groups of rules with every window, offset and ``for`` shortened, evaluated all the time."""

    def window(found: re.Match[str]) -> str:
        return f"[{_short(found[1], hurry.factor, hurry.least_window_s)}]"

    def offset(found: re.Match[str]) -> str:
        return f"offset {_short(found[1], hurry.factor)}"

    made = []
    for group in groups:
        rules = []
        for rule in group["rules"]:
            changed = {"expr": _OFFSET.sub(offset, _WINDOW.sub(window, rule["expr"]))}
            if "for" in rule:
                changed["for"] = _short(rule["for"], hurry.factor)
            rules.append(rule | changed)
        made.append({"name": group["name"], "interval": hurry.interval, "rules": rules})
    return made


def _short(duration: str, factor: float, least_s: float = 0.0) -> str:
    return f"{math.ceil(1000 * max(least_s, seconds(duration) / factor))}ms"


class Prometheus:
    """One that runs, at ``address``."""

    def __init__(self, address: str) -> None:
        """Take its address."""
        self.address = address

    def wait_until_ready(self) -> None:
        """Wait until it answers queries; before that it says 503."""
        deadline = time.monotonic() + _START_S
        while True:
            try:
                urllib.request.urlopen(f"{self.address}/-/ready", timeout=10).close()
            except urllib.error.HTTPError as error:
                error.close()
                assert time.monotonic() < deadline
                time.sleep(0.1)
            else:
                return

    def ask(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """What an expression gives now: labels and value of each series."""
        query = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"{self.address}/api/v1/query?{query}", timeout=30) as answer:
            result = json.load(answer)["data"]["result"]
        return [(each["metric"], float(each["value"][1])) for each in result]

    def values_of(self, label: str, selector: str) -> list[str]:
        """The values of a label among the series that a selector finds."""
        query = urllib.parse.urlencode({"match[]": selector})
        address = f"{self.address}/api/v1/label/{label}/values?{query}"
        with urllib.request.urlopen(address, timeout=30) as answer:
            found: list[str] = json.load(answer)["data"]
        return found


@contextmanager
def running_prometheus(
    targets: Sequence[str], hurry: Hurry, alertmanager: str | None = None
) -> Iterator[Prometheus]:
    """Run one that scrapes workers and has the shipped rules.

    Args:
        targets: the workers' addresses, as host:port.
        hurry: how the rules are shortened.
        alertmanager: who is told of alerts, as http://host:port.

    Yields:
        It, when it answers. The test is skipped where it is not installed.
    """
    if SERVER is None:
        pytest.skip("prometheus is not installed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        groups = [
            group
            for file in RULES
            for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
        ]
        rules = {"groups": shortened(groups, hurry)}
        (folder / "rules.yml").write_text(json.dumps(rules), encoding="utf-8")
        config: dict[str, Any] = {
            "global": {
                "scrape_interval": hurry.interval,
                "scrape_timeout": hurry.interval,
                "evaluation_interval": hurry.interval,
            },
            "rule_files": ["rules.yml"],
            "scrape_configs": [
                {"job_name": "claimstream", "static_configs": [{"targets": list(targets)}]}
            ],
        }
        if alertmanager is not None:
            told = {"static_configs": [{"targets": [alertmanager.removeprefix("http://")]}]}
            config["alerting"] = {"alertmanagers": [told]}
        (folder / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
        command = [
            SERVER,
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            "--web.listen-address=127.0.0.1:0",
        ]
        log = folder / "log"
        with log.open("wb") as output, subprocess.Popen(command, stderr=output) as process:
            try:
                prometheus = Prometheus(address_of(process, log))
                prometheus.wait_until_ready()
                yield prometheus
            finally:
                process.kill()
