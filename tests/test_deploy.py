"""What is shipped for running it: closed to the world, versions pinned, metrics that exist."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from service.metrics import build_metrics

ROOT = Path(__file__).parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_services_are_pinned_bounded_and_on_loopback(name: str) -> None:
    """Every service has a version, a limit of memory, and ports on loopback only."""
    service = COMPOSE["services"][name]
    assert re.fullmatch(r"[\w./-]+:v?\d+(\.\d+)+", service["image"])
    assert service["mem_limit"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_dashboards_ask_for_metrics_that_exist() -> None:
    """Every metric of ours that a panel asks for is one that the worker has."""
    known = {
        sample.name for family in build_metrics().registry.collect() for sample in family.samples
    }
    histograms = {
        f"{family.name}_bucket"
        for family in build_metrics().registry.collect()
        if family.type == "histogram"
    }
    labelled = {"claimstream_consumer_lag_records"}  # has no samples before there are partitions
    for file in ROOT.glob("deploy/grafana/dashboards/*.json"):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel["targets"]:
                asked = set(re.findall(r"claimstream_\w+", target["expr"]))
                assert asked <= known | histograms | labelled, panel["title"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_takes_its_configuration() -> None:
    """Promtool finds nothing wrong with the scrape configuration."""
    config = ROOT / "deploy/prometheus/prometheus.yml"
    command = [str(shutil.which("promtool")), "check", "config", str(config)]
    subprocess.run(command, check=True, capture_output=True)
