"""The image that serves: what is in it, what it may do, and that it does its work."""

from __future__ import annotations

import json
import re
import signal
import tarfile
import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from service.broker import free_port
from service.files import list_files, read_records
from service.settings import PREFIX
from tests.cluster import Cluster
from tests.docker.containers import CLOSED, Container, container
from tests.docker.engine import Engine
from tests.docker.images import ROOT
from tests.workers import environment

pytestmark = [pytest.mark.docker, pytest.mark.timeout(3600)]

MOST_BYTES = 400_000_000
_CAUGHT = re.compile(r"^SigCgt:\s(\w+)$", re.MULTILINE)
# What nobody needs who serves, and what somebody who got in could use.
UNWANTED = re.compile(
    r"site-packages/(torch|transformers|onnx|safetensors|pip)$|\.safetensors$|/models/training/"
    r"|bin/(cc|gcc|ld|as|make|sh|dash|bash|perl|apt|dpkg|tar|curl|wget)$"
)


@pytest.fixture(scope="module")
def names(engine: Engine, image: str) -> list[str]:
    """The files of the image, by their paths."""
    made = engine.run("create", image)
    export = engine.stream("export", made)
    assert export.stdout is not None
    with tarfile.open(fileobj=export.stdout, mode="r|") as files:
        found = [file.name for file in files]
    export.communicate()
    engine.run("rm", made)
    return found


def test_it_is_small(engine: Engine, image: str) -> None:
    """At most 400 MB, with both models inside."""
    size = int(engine.run("image", "inspect", "--format", "{{.Size}}", image))
    print(f"\n{image}: {size / 1e6:.0f} MB")  # noqa: T201 - with -s
    assert size <= MOST_BYTES


def test_it_holds_what_serves_and_nothing_else(names: list[str]) -> None:
    """Both graphs; no torch, no weights, no compiler, no package manager, not even a shell."""
    assert [name for name in names if UNWANTED.search(name)] == []
    for size in ("base", "small"):
        assert any(name.endswith(f"models/{size}/onnx/model.onnx") for name in names)


def test_it_says_what_it_is(engine: Engine, image: str) -> None:
    """Labels, a user without rights, a health check, the version of the package."""
    config = json.loads(engine.run("image", "inspect", "--format", "{{json .Config}}", image))
    labels = config["Labels"]
    assert labels["org.opencontainers.image.title"] == "claimstream"
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert labels["org.opencontainers.image.version"] == version[1]
    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]["Test"][:2] == ["CMD", "python"]
    assert config["Entrypoint"] == ["claimstream"]


def test_it_labels_all_seeds(engine: Engine, image: str, cluster: Cluster) -> None:  # noqa: ARG001 - built
    """With nothing to write to, no rights and 512 MB: healthy, every seed labelled, ends with 0."""
    records = [record for path in list_files([ROOT / "seeds"]) for record in read_records(path)]
    with _worker(engine, cluster) as worker:
        cluster.publish([(record.origin.encode(), record.value) for record in records])
        outcomes = cluster.outcomes(len(records), timeout_s=300)
        assert (len(outcomes.claims), outcomes.dead_letters) == (len(records), [])
        backends = {json.loads(out.value or b"")["model"]["backend"] for out in outcomes.claims}
        assert backends == {"onnx-int8"}
        worker.wait_for(".State.Health.Status", "healthy", timeout_s=60)
        assert worker.stop(grace_s=10) < 10
        assert worker.inspect(".State.ExitCode") == 0, worker.logs()
        assert worker.inspect(".State.OOMKilled") is False
    assert sum(cluster.committed().values()) == len(records)


def test_it_can_be_stopped_while_it_starts(engine: Engine, image: str, cluster: Cluster) -> None:  # noqa: ARG001 - built
    """The first process of a container has no handlers but its own: ours come before the rest."""
    with _worker(engine, cluster) as worker:
        status = Path(f"/proc/{worker.inspect('.State.Pid')}/status")
        while not int(_CAUGHT.findall(status.read_text())[0], 16) & 1 << signal.SIGTERM - 1:
            time.sleep(0.01)
        assert worker.stop(grace_s=10) < 8
        # Nothing was begun; 143 is the end by the signal itself.
        assert worker.inspect(".State.ExitCode") in {0, 143}, worker.logs()


@pytest.mark.parametrize("size", ["base", "small"])
def test_both_models_label_without_a_network(engine: Engine, image: str, size: str) -> None:
    """What is asked for on the command line is labelled, and nothing is written anywhere."""
    done = engine.try_run(
        *["run", "--rm", "--interactive", "--network", "none", *CLOSED],
        *["--env", f"{PREFIX}MODEL__SIZE={size}", image, "label", "--json"],
        stdin="The mayor said it had rained.",
    )
    assert (done.returncode, done.stderr) == (0, "")
    (sentence,) = json.loads(done.stdout)["sentences"]
    assert (sentence["label"], sentence["source"]["text"]) == ("attributed_claim", "The mayor")


def test_a_damaged_graph_is_not_served(engine: Engine, image: str, tmp_path: Path) -> None:
    """Without the weights the graph's own digest is what the start compares."""
    where = engine.run(
        *["run", "--rm", "--entrypoint", "python", image, "-c"],
        "from service.settings import RELEASES; print(RELEASES)",
    )
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    graph = f"{tmp_path / 'model.onnx'}:{where}/small/onnx/model.onnx:ro"
    done = engine.try_run(
        *["run", "--rm", "--interactive", "--network", "none", *CLOSED, "--volume", graph],
        *["--env", f"{PREFIX}MODEL__SIZE=small", image, "label"],
        stdin="It rained.",
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "is damaged" in done.stderr


def _worker(engine: Engine, cluster: Cluster) -> AbstractContextManager[Container]:
    own = {f"{PREFIX}HTTP__PORT": str(free_port()), f"{PREFIX}HTTP__HOST": "127.0.0.1"}
    return container(engine, environment(cluster.settings) | own)
