"""What is shipped for running it: closed to the world, versions pinned, metrics that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
# They do their work and end.
JOBS = {"topics", "seeds"}
OURS = {"topics", "seeds", "worker", "viewer"}
# The command comes with the development packages; elsewhere it is docker's plug-in.
DOCKER_COMPOSE = shutil.which("docker-compose", path=Path(sys.executable).parent)


@pytest.mark.parametrize("name", SERVICES)
def test_services_are_pinned_bounded_and_on_loopback(name: str) -> None:
    """Every service has a version, limits of memory and processor, and ports on loopback only."""
    service = SERVICES[name]
    assert re.fullmatch(r"[\w./-]+:v?\d+(\.\d+)+", service["image"])
    assert service["mem_limit"]
    assert 0 < service["cpus"] <= 1
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_services_are_watched_and_restarted(name: str) -> None:
    """What stays up has a health check and is restarted; a job is tried again some times."""
    service = SERVICES[name]
    if name in JOBS:
        assert service["healthcheck"] == {"disable": True}
        assert service["restart"].startswith("on-failure:")
    else:
        assert service["healthcheck"]["test"][0] == "CMD"
        assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_services_wait_for_what_they_need(name: str) -> None:
    """Not only for its start: until it is healthy, or has done its work."""
    for other, needs in SERVICES[name].get("depends_on", {}).items():
        done = "service_completed_successfully" if other in JOBS else "service_healthy"
        assert needs == {"condition": done}


def test_there_is_no_secret() -> None:
    """Nothing that is set is a password, a key or a token, and nobody can log in to Grafana."""
    for service in SERVICES.values():
        for name in service.get("environment", {}):
            assert not re.search("PASSWORD|TOKEN|SECRET|API_KEY", name)
    grafana = SERVICES["grafana"]["environment"]
    assert grafana["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert grafana["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert grafana["GF_AUTH_BASIC_ENABLED"] == "false"


@pytest.mark.parametrize("name", sorted(OURS))
def test_ours_are_closed(name: str) -> None:
    """Our containers write to /tmp only, have no rights, and run the image that serves."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - in the container
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["build"]["target"] == "serve"


def test_seeds_are_published_where_asked_for_only() -> None:
    """The publisher is under a profile and reads the seeds' folder."""
    assert SERVICES["seeds"]["profiles"] == ["seeds"]
    assert all("profiles" not in service for name, service in SERVICES.items() if name != "seeds")
    assert SERVICES["seeds"]["volumes"] == ["./seeds:/seeds:ro"]


def test_workers_can_be_more_than_one_and_finish() -> None:
    """A worker has no name or port that there is once only, and time to end by itself."""
    worker = SERVICES["worker"]
    assert not {"container_name", "ports"} & worker.keys()
    grace = float(worker["stop_grace_period"].removesuffix("s"))
    assert grace > Settings().worker.stop_timeout_s


@pytest.mark.skipif(DOCKER_COMPOSE is None, reason="docker-compose is not installed")
def test_compose_takes_the_file() -> None:
    """Docker Compose itself finds nothing wrong, and names the settings as we do."""
    command = [str(DOCKER_COMPOSE), "--profile", "seeds", "-f", str(ROOT / "docker-compose.yml")]
    checked = subprocess.run([*command, "config"], check=True, capture_output=True, text=True)
    assert checked.stderr == ""
    services = yaml.safe_load(checked.stdout)["services"]
    assert services.keys() == SERVICES.keys()
    assert f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS" in services["worker"]["environment"]


def test_the_image_is_the_version() -> None:
    """Compose and both images name the version of the package."""
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert {SERVICES[name]["image"] for name in OURS} == {f"claimstream:{version[1]}"}
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    told = re.findall(r'image\.version="(.+?)"', dockerfile)
    assert set(told) == {version[1]}
    assert re.search(r"^ARG BASE=python:3\.\d+\.\d+-slim-bookworm$", dockerfile, re.MULTILINE)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_takes_its_configuration() -> None:
    """Promtool finds nothing wrong with the scrape configuration."""
    config = ROOT / "deploy/prometheus/prometheus.yml"
    command = [str(shutil.which("promtool")), "check", "config", str(config)]
    subprocess.run(command, check=True, capture_output=True)
