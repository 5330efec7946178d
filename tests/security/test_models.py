"""Model files are data: nothing that comes from one, or from anywhere, is ever run."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.settings import RELEASES

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "service").rglob("*.py")) + sorted((ROOT / "models").rglob("*.py"))

# Modules that run what they read, or whose only use would be that.
_RUNNING_MODULES = {"cPickle", "cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
# Calls that run what they are given, and what makes the harmless ones of them harmless.
_RUNNING_CALLS = {"eval", "exec", "compile", "__import__"}
_HARMLESS = {
    "torch.load": ("weights_only", True),
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
}
_SUFFIXES = {".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib", ".npy", ".npz", ".ckpt", ".h5"}


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _keyword(call: ast.Call, name: str) -> object:
    values = [word.value for word in call.keywords if word.arg == name]
    return values[0].value if values and isinstance(values[0], ast.Constant) else None


def dangers(source: str) -> Iterator[str]:
    """What in a program's text could run what it reads."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imported = [node.module or ""]
        else:
            imported = []
        yield from (m for m in imported if m.partition(".")[0] in _RUNNING_MODULES)
        if not isinstance(node, ast.Call):
            continue
        name = _name(node.func)
        if name in _RUNNING_CALLS or name.startswith("torch.hub"):
            yield name
        if name in _HARMLESS and _keyword(node, _HARMLESS[name][0]) is not _HARMLESS[name][1]:
            yield name
        if name in {"yaml.load", "yaml.unsafe_load", "yaml.full_load"}:
            yield name
        if _keyword(node, "trust_remote_code") is True:
            yield f"{name} with trust_remote_code"


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "torch.load(file)",
        "torch.load(file, weights_only=False)",
        "np.load(file)",
        "eval(text)",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
        "yaml.load(text)",
    ],
)
def test_dangers_are_found(source: str) -> None:
    """The search finds each of what it searches for."""
    assert list(dangers(source))


def test_nothing_read_is_run() -> None:
    """No pickle in any form; training's checkpoints are read as tensors and nothing else."""
    found = {file: list(dangers(file.read_text(encoding="utf-8"))) for file in SOURCES}
    assert len(found) > 100
    assert {str(file): faults for file, faults in found.items() if faults} == {}


def test_released_models_are_data() -> None:
    """What is released is safetensors, ONNX and JSON; nothing there is a program."""
    files = [file for file in RELEASES.rglob("*") if file.is_file()]
    released = [file for file in files if file.parent.parent == RELEASES]
    assert any(file.suffix == ".safetensors" for file in released)
    assert [file for file in files if file.suffix in _SUFFIXES] == []


_LABEL_UNDER_WATCH = """
import sys
from service.contracts import Article
from service.pipeline import label_article
from service.release import load
from service.settings import ModelSettings
import transformers  # a hook makes imports slow

unpickled = []

def hear(event, given):
    if event == "pickle.find_class":
        unpickled.append(given)

sys.addaudithook(hear)
for backend in {backends}:
    labeller = load(ModelSettings(size="small", backend=backend))
    label_article(Article(id="1", body="The mayor said it had rained."), labeller)
print("unpickled", unpickled)
import pickle
pickle.loads(pickle.dumps(Article))
print("heard", len(unpickled))
"""


@pytest.mark.slow
def test_labelling_unpickles_nothing() -> None:
    """While a model is loaded and labels, Python itself reports that nothing is unpickled."""
    backends = ["torch"]
    if (RELEASES / "small/onnx/model.onnx").exists():
        backends.append("onnx")
    done = subprocess.run(
        [sys.executable, "-c", _LABEL_UNDER_WATCH.format(backends=backends)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout.splitlines()[-2:] == ["unpickled []", "heard 1"]
