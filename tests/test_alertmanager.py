"""Who is told: every alert goes to its receiver, and what follows from another is kept back."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.alertmanagers import CONFIG, running_alertmanager
from tests.alerts import alerts

ALERTS = alerts()
WAIT_S = 10.0

amtool = pytest.mark.skipif(shutil.which("amtool") is None, reason="amtool is not installed")


def _amtool(*arguments: str | Path) -> str:
    command = [str(shutil.which("amtool")), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _labels(alert: str, **more: str) -> dict[str, str]:
    return {"alertname": alert, "job": "claimstream", **ALERTS[alert]["labels"], **more}


@amtool
def test_amtool_takes_the_configuration() -> None:
    """Amtool finds nothing wrong with it."""
    _amtool("check-config", CONFIG)


@amtool
@pytest.mark.parametrize("alert", ALERTS)
def test_alerts_go_to_their_receiver(alert: str) -> None:
    """A page goes to the pager, a ticket to the channel, with or without a namespace."""
    for more in ({}, {"namespace": "claimstream"}):
        labels = [f"{name}={value}" for name, value in _labels(alert, **more).items()]
        told = _amtool("config", "routes", "test", f"--config.file={CONFIG}", *labels)
        assert told.split() == [ALERTS[alert]["labels"]["severity"]]


def test_secrets_come_from_files() -> None:
    """No key, password or address of a receiver stands in the file."""
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    for receiver in config["receivers"]:
        for kind, entries in receiver.items():
            if kind != "name":
                for entry in entries:
                    assert any(name.endswith("_file") for name in entry)
                    assert not {"routing_key", "service_key", "api_url", "url"} & entry.keys()


@pytest.fixture(scope="module")
def alertmanager() -> Iterator[str]:
    """Where a real Alertmanager with the configuration takes and shows alerts."""
    with running_alertmanager() as address:
        yield f"{address}/api/v2/alerts"


def _post(address: str, *alerts: dict[str, str], ends: str | None = None) -> None:
    """Tell Alertmanager of alerts, as Prometheus does."""
    more = {"startsAt": "2000-01-01T00:00:00Z", "endsAt": ends} if ends else {}
    body = json.dumps([{"labels": labels, **more} for labels in alerts]).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=30).close()


def _state(address: str, labels: dict[str, str]) -> str:
    with urllib.request.urlopen(address, timeout=30) as answer:
        shown: list[dict[str, Any]] = json.load(answer)
    (alert,) = [each for each in shown if each["labels"] == labels]
    return "kept back" if alert["status"]["inhibitedBy"] else "told"


def _wait_for(address: str, labels: dict[str, str], state: str) -> None:
    """Wait until an alert is in a state: Alertmanager takes what it is told a moment later."""
    deadline = time.monotonic() + WAIT_S
    while (found := _state(address, labels)) != state:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("cause", "effect", "state"),
    [
        ("ClaimstreamDown", "ClaimstreamWorkerDown", "kept back"),
        ("ClaimstreamDown", "ClaimstreamNotConsuming", "kept back"),
        ("ClaimstreamDown", "ClaimstreamFreshnessBurnFast", "kept back"),
        ("ClaimstreamDown", "ClaimstreamConfidenceDropped", "kept back"),
        ("ClaimstreamNotConsuming", "ClaimstreamCrashLoop", "kept back"),
        ("ClaimstreamNotConsuming", "ClaimstreamFreshnessBurnSlow", "kept back"),
        ("ClaimstreamNotConsuming", "ClaimstreamDeadLetterFlood", "told"),
        ("ClaimstreamStalled", "ClaimstreamFreshnessBurn", "kept back"),
        ("ClaimstreamStalled", "ClaimstreamDeadLetterFlood", "told"),
        ("ClaimstreamBreakerOpen", "ClaimstreamStalled", "kept back"),
        ("ClaimstreamBreakerOpen", "ClaimstreamFreshnessBurnFast", "kept back"),
        ("ClaimstreamBreakerOpen", "ClaimstreamCrashLoop", "told"),
        ("ClaimstreamCrashLoop", "ClaimstreamWorkerDown", "kept back"),
        ("ClaimstreamFreshnessBurnFast", "ClaimstreamFreshnessBurn", "kept back"),
        ("ClaimstreamDeadLetterFlood", "ClaimstreamDeadLetters", "kept back"),
    ],
)
def test_what_follows_is_kept_back(
    alertmanager: str, cause: str, effect: str, state: str, request: pytest.FixtureRequest
) -> None:
    """An alert that follows from another of the same namespace is not told besides it."""
    name = request.node.name
    first, second = _labels(cause, namespace=name), _labels(effect, namespace=name)
    elsewhere = _labels(effect, namespace=f"{name}-elsewhere")
    _post(alertmanager, first, second, elsewhere)
    _wait_for(alertmanager, second, state)
    assert _state(alertmanager, first) == "told"
    assert _state(alertmanager, elsewhere) == "told"


def test_an_alert_does_not_keep_itself_back(alertmanager: str) -> None:
    """That no worker is found at all is told, and keeps back what any namespace still shows."""
    nowhere = {**_labels("ClaimstreamDown"), "instance": "nowhere"}
    left = _labels("ClaimstreamStalled", namespace="left over")
    _post(alertmanager, nowhere, left)
    _wait_for(alertmanager, left, "kept back")
    assert _state(alertmanager, nowhere) == "told"
    # It would keep back what other tests post.
    _post(alertmanager, nowhere, ends="2001-01-01T00:00:00Z")
    _wait_for(alertmanager, left, "told")
