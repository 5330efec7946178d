"""The overlays for Kubernetes: built as kubectl builds them, strictly valid, and at one."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from service.settings import PREFIX, Settings
from tests.alerts import DEPLOY, alerts
from tests.custom_resources import REQUIRED, SHAPES, faults
from tests.test_metrics_table import MOST_SERIES

FOLDER = DEPLOY / "kubernetes"
OVERLAYS = ("dev", "prod")
# Newest first; the strict schemas come with the package.
VERSIONS = ("1.37", "1.34", "1.31")

pytestmark = pytest.mark.skipif(
    not (shutil.which("kubectl") or shutil.which("kustomize")),
    reason="neither kubectl nor kustomize is installed",
)
overlays = pytest.mark.parametrize("overlay", OVERLAYS)

Resource = dict[str, Any]


@cache
def _built(overlay: str) -> list[Resource]:
    """The resources of an overlay, as they are applied."""
    return _kustomized(FOLDER / "overlays" / overlay)


def _kustomized(folder: Path) -> list[Resource]:
    tool = shutil.which("kustomize")
    command = [tool, "build"] if tool else [str(shutil.which("kubectl")), "kustomize"]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return list(yaml.safe_load_all(done.stdout))


def _one(overlay: str, kind: str) -> Resource:
    (found,) = [resource for resource in _built(overlay) if resource["kind"] == kind]
    return found


def _pod(overlay: str) -> Resource:
    pod: Resource = _one(overlay, "Deployment")["spec"]["template"]["spec"]
    return pod


def _containers(overlay: str) -> Iterator[Resource]:
    pod = _pod(overlay)
    yield from pod["containers"]
    yield from pod.get("initContainers", [])


@overlays
@pytest.mark.parametrize("version", VERSIONS)
def test_core_kinds_are_strictly_valid(overlay: str, version: str) -> None:
    """Everything of Kubernetes itself has known fields only, of the right kinds."""
    checked = 0
    for resource in _built(overlay):
        if (resource["apiVersion"], resource["kind"]) not in SHAPES:
            kubernetes_validate.validate(resource, version, strict=True)
            checked += 1
    assert checked == 7


@overlays
def test_custom_kinds_have_documented_fields_only(overlay: str) -> None:
    """What operators add to Kubernetes has the fields that their documentation gives."""
    kinds = set()
    for resource in _built(overlay):
        shape = SHAPES.get((resource["apiVersion"], resource["kind"]))
        if shape is not None:
            kinds.add(resource["kind"])
            assert faults(resource["spec"], shape) == []
            assert REQUIRED[resource["kind"]] <= resource["spec"].keys()
            assert resource.keys() == {"apiVersion", "kind", "metadata", "spec"}
    own = {"Kafka", "KafkaNodePool"} if overlay == "dev" else {"TriggerAuthentication"}
    assert kinds == {"ServiceMonitor", "PrometheusRule", "ScaledObject"} | own


def test_a_wrong_field_is_found() -> None:
    """The check of custom resources tells a misspelt field, a list for a mapping."""
    shape = SHAPES["keda.sh/v1alpha1", "ScaledObject"]
    assert faults({"maxReplicas": 4}, shape) == ["spec.maxReplicas is not known"]
    assert faults({"fallback": []}, shape) == ["spec.fallback is no mapping"]
    assert faults({"triggers": {"type": "kafka"}}, shape) == ["spec.triggers is no list"]
    assert faults({"triggers": [{"type": ["kafka"]}]}, shape) == [
        "spec.triggers[0].type is no scalar"
    ]


@overlays
def test_settings_are_ones_that_exist(
    overlay: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The ConfigMap's settings, with the secrets beside them, are what the worker takes."""
    data = _one(overlay, "ConfigMap")["data"]
    (tmp_path / f"{PREFIX}KAFKA__SASL_USERNAME").write_text("desk")
    (tmp_path / f"{PREFIX}KAFKA__SASL_PASSWORD").write_text("secret")
    monkeypatch.setenv(f"{PREFIX}SECRETS_DIR", str(tmp_path))
    for name, value in data.items():
        monkeypatch.setenv(name, value)
    settings = Settings().model_dump(mode="json")
    for name, value in data.items():
        group, field = name.removeprefix(PREFIX).lower().split("__")
        assert str(settings[group][field]) == value


@overlays
def test_scaling_follows_the_settings(overlay: str) -> None:
    """KEDA asks for the lag of the worker's own group and topic, up to one worker a partition."""
    data = _one(overlay, "ConfigMap")["data"]
    spec = _one(overlay, "ScaledObject")["spec"]
    (trigger,) = spec["triggers"]
    assert trigger["metadata"]["bootstrapServers"] == data[f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS"]
    assert trigger["metadata"]["consumerGroup"] == data[f"{PREFIX}KAFKA__GROUP"]
    assert trigger["metadata"]["topic"] == data[f"{PREFIX}TOPICS__ARTICLES"]
    assert spec["maxReplicaCount"] == int(data[f"{PREFIX}TOPICS__PARTITIONS"])
    assert spec["scaleTargetRef"]["name"] == _one(overlay, "Deployment")["metadata"]["name"]
    assert "replicas" not in _one(overlay, "Deployment")["spec"]
    assert all(isinstance(value, str) for value in trigger["metadata"].values())


@overlays
def test_the_worker_may_finish_what_it_has_in_hand(overlay: str) -> None:
    """A pod is given longer to end than the worker gives itself."""
    given = _pod(overlay)["terminationGracePeriodSeconds"]
    assert given > Settings().worker.stop_timeout_s
    assert f"{PREFIX}WORKER__STOP_TIMEOUT_S" not in _one(overlay, "ConfigMap")["data"]


@overlays
def test_probes(overlay: str) -> None:
    """Started and alive are asked of /healthz, ready of /readyz, on the port that is served."""
    worker = _pod(overlay)["containers"][0]
    (port,) = worker["ports"]
    assert port["containerPort"] == int(_one(overlay, "ConfigMap")["data"][f"{PREFIX}HTTP__PORT"])
    # A start waits for the broker, and is not to be restarted for that.
    paths = {"startupProbe": "/healthz", "readinessProbe": "/readyz", "livenessProbe": "/healthz"}
    for probe, path in paths.items():
        assert worker[probe]["httpGet"] == {"path": path, "port": port["name"]}
    start = worker["startupProbe"]
    # A crowded node takes a minute to start a process.
    assert start["periodSeconds"] * start["failureThreshold"] > 60


@overlays
def test_pods_are_restricted(overlay: str) -> None:
    """Pods keep to the Pod Security Standard "restricted", on a read-only root with a /tmp."""
    pod = _pod(overlay)
    project = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text(encoding="utf-8"))
    version = project["project"]["version"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001  # that of the Dockerfile
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    assert {key for volume in pod["volumes"] for key in volume} == {"name", "emptyDir", "secret"}
    for container in _containers(overlay):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "/tmp" in [mount["mountPath"] for mount in container["volumeMounts"]]  # noqa: S108
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
        assert container["image"].endswith(f"claimstream:{version}")
    assert "USER 10001" in (DEPLOY / "Dockerfile").read_text(encoding="utf-8")


@overlays
def test_secrets_are_files(overlay: str) -> None:
    """Credentials are mounted where the settings look for them, and stand in no resource."""
    pod, worker = _pod(overlay), _pod(overlay)["containers"][0]
    mounts = {mount["name"]: mount["mountPath"] for mount in worker["volumeMounts"]}
    secrets = {volume["name"] for volume in pod["volumes"] if "secret" in volume}
    environment = {each["name"]: each.get("value") for each in worker["env"]}
    assert environment[f"{PREFIX}SECRETS_DIR"] == mounts["secrets"]
    assert secrets <= mounts.keys()
    assert "secretKeyRef" not in json.dumps(pod)
    assert not [each for each in _built(overlay) if each["kind"] == "Secret"]
    if overlay == "prod":
        ca = _one(overlay, "ConfigMap")["data"][f"{PREFIX}KAFKA__CA_FILE"]
        assert ca.rsplit("/", 1)[0] == mounts["ca"]
        keys = {
            ref["key"] for ref in _one(overlay, "TriggerAuthentication")["spec"]["secretTargetRef"]
        }
        assert keys == {
            f"{PREFIX}KAFKA__SASL_USERNAME",
            f"{PREFIX}KAFKA__SASL_PASSWORD",
            ca.rsplit("/", 1)[1],
        }
        assert "optional" not in json.dumps(pod["volumes"])


@overlays
def test_the_network_is_closed(overlay: str) -> None:
    """In comes Prometheus alone; out go names and the broker's port alone."""
    spec = _one(overlay, "NetworkPolicy")["spec"]
    assert sorted(spec["policyTypes"]) == ["Egress", "Ingress"]
    (scraping,) = spec["ingress"]
    assert [port["port"] for port in scraping["ports"]] == ["metrics"]
    names, broker = spec["egress"]
    assert {port["port"] for port in names["ports"]} == {53}
    server = _one(overlay, "ConfigMap")["data"][f"{PREFIX}KAFKA__BOOTSTRAP_SERVERS"]
    assert [port["port"] for port in broker["ports"]] == [int(server.rsplit(":", 1)[1])]
    assert all(rule["from" if rule is scraping else "to"] for rule in (scraping, names, broker))


@overlays
def test_tracing_can_be_added(overlay: str, tmp_path: Path) -> None:
    """With the component an overlay's workers are told of a collector, and may reach it alone."""
    copy = shutil.copytree(FOLDER, tmp_path / "kubernetes")
    traced = copy / "overlays" / "traced"
    traced.mkdir()
    (traced / "kustomization.yaml").write_text(
        f"resources: [../{overlay}]\ncomponents: [../../components/tracing]\n"
    )
    built = {each["kind"]: each for each in _kustomized(traced)}
    data = built["ConfigMap"]["data"]
    new = data.items() - _one(overlay, "ConfigMap")["data"].items()
    settings = Settings.model_validate(
        {"tracing": {name.rpartition("__")[2].lower(): value for name, value in new}}
    ).tracing
    assert {name.startswith(f"{PREFIX}TRACING__") for name, _ in new} == {True}
    assert settings.endpoint is not None
    *before, collector = built["NetworkPolicy"]["spec"]["egress"]
    assert before == _one(overlay, "NetworkPolicy")["spec"]["egress"]
    assert [port["port"] for port in collector["ports"]] == [settings.endpoint.port]
    (place,) = collector["to"]
    namespace = place["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    assert str(settings.endpoint.host).split(".")[1] == namespace


@overlays
def test_selectors_select_the_worker(overlay: str) -> None:
    """Service, monitor, budget, policy and spread all mean the pods that the Deployment makes."""
    labels = _one(overlay, "Deployment")["spec"]["template"]["metadata"]["labels"].items()
    service = _one(overlay, "Service")
    selectors = [
        _one(overlay, "Deployment")["spec"]["selector"]["matchLabels"],
        _one(overlay, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        _one(overlay, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        service["spec"]["selector"],
        *(c["labelSelector"]["matchLabels"] for c in _pod(overlay)["topologySpreadConstraints"]),
    ]
    assert all(selector and selector.items() <= labels for selector in selectors)
    monitor = _one(overlay, "ServiceMonitor")["spec"]
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    # The name by which the rules know the workers.
    assert service["metadata"]["labels"][monitor["jobLabel"]] == "claimstream"
    assert monitor["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]
    assert monitor["sampleLimit"] > MOST_SERIES + 2 * Settings().topics.partitions
    assert _one(overlay, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


@overlays
def test_the_rules_are_those_of_prometheus(overlay: str) -> None:
    """The PrometheusRule is current, and has the very groups of the rule files."""
    resource = FOLDER / "base" / "prometheusrule.yaml"
    made: str = runpy.run_path(str(FOLDER / "prometheus_rule.py"))["prometheus_rule"]()
    assert made == resource.read_text(encoding="utf-8")
    groups = _one(overlay, "PrometheusRule")["spec"]["groups"]
    files = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
    read = [yaml.safe_load(file.read_text(encoding="utf-8"))["groups"] for file in files]
    assert groups == [group for file in read for group in file]
    names = [rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule]
    assert names == list(alerts())
