"""What is shipped for running it: closed to the world, versions pinned, metrics that exist."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_services_are_pinned_bounded_and_on_loopback(name: str) -> None:
    """Every service has a version, a limit of memory, and ports on loopback only."""
    service = COMPOSE["services"][name]
    assert re.fullmatch(r"[\w./-]+:v?\d+(\.\d+)+", service["image"])
    assert service["mem_limit"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_takes_its_configuration() -> None:
    """Promtool finds nothing wrong with the scrape configuration."""
    config = ROOT / "deploy/prometheus/prometheus.yml"
    command = [str(shutil.which("promtool")), "check", "config", str(config)]
    subprocess.run(command, check=True, capture_output=True)
