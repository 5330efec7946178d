"""Serving without torch: real commands and a real worker, where importing it is an error."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from models.export import export
from service.release import ONNX
from service.settings import PREFIX, RELEASES
from tests.cluster import Cluster
from tests.workers import Worker, environment

ROOT = Path(__file__).parents[2]
TORCH = ("torch", "transformers")
EXPORT = ("onnx", "safetensors")
# Python runs a module of this name before anything else, in our children's children too.
GUARD = """
from importlib.machinery import PathFinder

find = PathFinder.find_spec
PathFinder.find_spec = staticmethod(
    lambda name, *where: None if name.partition(".")[0] in {missing} else find(name, *where)
)
"""


def hide(folder: Path, monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """Make these packages as good as not installed for every process that is started from now."""
    (folder / "sitecustomize.py").write_text(GUARD.format(missing=set(packages)))
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{ROOT}")
    monkeypatch.setenv(f"{PREFIX}HTTP__PORT", "0")


def run(*command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run Python with a command line."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT, input=stdin, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip


def claimstream(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command as a process of its own."""
    return run("-m", "service", *arguments, stdin=stdin)


@pytest.fixture(scope="module")
def exported() -> Path:
    """The small release, with its ONNX file."""
    folder = RELEASES / "small"
    if not (folder / ONNX).exists():
        export(folder)
    return folder


@pytest.fixture
def bare(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No torch, and nothing that makes ONNX files; the small model is served."""
    hide(tmp_path, monkeypatch, *TORCH, *EXPORT)
    monkeypatch.setenv(f"{PREFIX}MODEL__SIZE", "small")
    return exported


@pytest.mark.usefixtures("bare")
def test_the_guard_guards() -> None:
    """What is hidden cannot be imported."""
    for name in TORCH + EXPORT:
        assert f"No module named '{name}'" in run("-c", f"import {name}").stderr


@pytest.mark.usefixtures("bare")
def test_the_whole_way(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Topics, a worker, publishing, watching, dead letters and the page need no torch."""
    for name, value in environment(cluster.settings).items():
        monkeypatch.setenv(name, value)
    assert claimstream("topics", "create").returncode == 0
    with Worker(cluster.settings, tmp_path / "worker.log", module="tests.real_worker") as worker:
        worker.wait_until_ready()
        cluster.publish([(b"bad", b"no article")])
        published = claimstream("publish", "seeds/editorial.txt")
        assert published.returncode == 0, published.stderr
        watched = claimstream("watch", "--from-start", "--limit", "1", "--json")
        assert json.loads(watched.stdout)["model"]["backend"] == "onnx-int8"
        listed = claimstream("dlq", "list")
        assert "bad" in listed.stdout, listed.stderr
        assert worker.stop() == 0
    with (tmp_path / "view.log").open("wb") as log:
        viewer = subprocess.Popen(
            [sys.executable, "-m", "service", "view", "--port", "0"],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip
    assert viewer.stdout is not None
    with viewer.stdout as output:
        assert b"http://127.0.0.1" in output.readline(), (tmp_path / "view.log").read_text()
        viewer.send_signal(signal.SIGTERM)
        assert viewer.wait(60) == 0


@pytest.mark.usefixtures("bare")
def test_commands_without_a_broker() -> None:
    """Label, evaluate and doctor need no torch either."""
    labelled = claimstream("label", "--json", stdin="The mayor said it had rained.")
    assert json.loads(labelled.stdout)["sentences"][0]["label"] == "attributed_claim"
    gold = min((ROOT / "seeds/gold").glob("*.json"))
    assert "macro_f1" in json.loads(claimstream("evaluate", str(gold), "--json").stdout)
    examined = claimstream("doctor")
    assert "onnx-int8: loaded" in examined.stdout


@pytest.mark.usefixtures("bare")
def test_the_demo() -> None:
    """The main job, from a broker of its own to the last seed labelled."""
    shown = claimstream("demo", "--once")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "articles labelled:" in shown.stdout


@pytest.mark.slow
def test_onnx_files_are_made_without_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph is written from the released weights by numpy and onnx alone."""
    release = tmp_path / "small"
    shutil.copytree(RELEASES / "small", release, ignore=shutil.ignore_patterns(ONNX))
    hide(tmp_path, monkeypatch, *TORCH)
    made = run("-m", "models.export", str(release))
    assert (made.returncode, made.stderr) == (0, "")
    assert (release / ONNX / "model.onnx").exists()


def test_neither_is_there(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an ONNX file and without torch: one line with both remedies, told by doctor too."""
    release = tmp_path / "small"
    shutil.copytree(bare, release, ignore=shutil.ignore_patterns(ONNX))
    monkeypatch.setenv(f"{PREFIX}MODEL__PATH", str(release))
    make = f"pip install 'claimstream[export]' && python -m models.export {release}"
    remedies = (make, "pip install 'claimstream[torch]'")
    done = claimstream("label", stdin="It rained.")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert all(remedy in done.stderr for remedy in remedies)
    findings = json.loads(claimstream("doctor", "--json").stdout)["checks"]
    (backend,) = [finding for finding in findings if finding["check"] == "backend"]
    assert backend["status"] == "fail"
    assert all(remedy in backend["found"] for remedy in remedies)
    made = run("-m", "models.export", str(release))
    assert (made.returncode, made.stdout, made.stderr.count("\n")) == (2, "", 1)
    assert "claimstream[export]" in made.stderr


@pytest.mark.usefixtures("bare")
def test_comparing_with_plain_transformers_needs_it() -> None:
    """The benchmark says so in one line before it measures anything."""
    done = claimstream("bench", "--quick")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "pip install 'claimstream[torch]'" in done.stderr
