"""The network in ONNX Runtime: made from a release, checked, and near enough to the reference."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from models.export import export
from service.evaluation import pair
from service.gold import read
from service.onnx_backend import FILE, NOTE
from service.pipeline import label_of
from service.release import ReleaseError, load
from service.settings import ModelSettings

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small release with its ONNX file."""
    folder = tmp_path_factory.mktemp("models") / "small"
    shutil.copytree(ROOT / "models/small", folder, ignore=shutil.ignore_patterns("onnx"))
    export(folder)
    return folder


def test_labels_are_those_of_the_reference(exported: Path) -> None:
    """On the seeds hardly a label differs from torch, and no probability by much."""
    articles = [a for file in sorted(ROOT.glob("seeds/gold/*.json")) for a in read(file)]
    torch, onnx = (
        [
            row.found
            for article in articles
            for row in pair(article, load(ModelSettings(path=exported, backend=backend)))
        ]
        for backend in ("torch", "onnx")
    )
    differing = sum(label_of(a) != label_of(b) for a, b in zip(torch, onnx, strict=True))
    assert differing <= 0.03 * len(torch)
    gaps = [abs(a.probabilities[0] - b.probabilities[0]) for a, b in zip(torch, onnx, strict=True)]
    assert sum(gaps) / len(gaps) < 0.03


def test_torch_and_transformers_are_not_imported(exported: Path) -> None:
    """A process that labels with ONNX never loads them, for they take seconds and memory."""
    program = (
        "import sys; from pathlib import Path\n"
        "from service.contracts import Article\n"
        "from service.pipeline import label_article\n"
        "from service.release import load\n"
        "from service.settings import ModelSettings\n"
        "labeller = load(ModelSettings(path=Path(sys.argv[1]), backend='onnx'))\n"
        "out = label_article(Article(id='a', body='Nobody should be surprised.'), labeller)\n"
        "print(out.model.backend, out.sentences[0].label, *sys.modules)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, exported],
        capture_output=True, text=True, check=True, cwd=ROOT, timeout=120,
    )  # fmt: skip
    backend, label, *modules = result.stdout.split()
    assert (backend, label) == ("onnx-int8", "opinion")
    assert not {"torch", "transformers"} & set(modules)


def _drop_the_note(folder: Path) -> None:
    (folder / NOTE).unlink()


def _spoil_the_note(folder: Path) -> None:
    (folder / NOTE).write_text("{}")


def _name_another_model(folder: Path) -> None:
    note = json.loads((folder / NOTE).read_text())
    (folder / NOTE).write_text(json.dumps(note | {"model_digest": "sha256:0"}))


def _flip_a_bit(folder: Path) -> None:
    data = bytearray((folder / FILE).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / FILE).write_bytes(data)


@pytest.mark.parametrize(
    "damage", [_drop_the_note, _spoil_the_note, _name_another_model, _flip_a_bit]
)
def test_a_file_that_is_not_the_releases_is_refused(
    exported: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """What is damaged, incomplete or of another release is told in one line with the remedy."""
    folder = tmp_path / "small"
    shutil.copytree(exported, folder)
    damage(folder / "onnx")
    with pytest.raises(ReleaseError, match=r"models\.export") as caught:
        load(ModelSettings(path=folder, backend="onnx"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("differing", "backend"), [(0.004, "onnx"), (0.006, "torch")])
def test_auto_takes_it_only_where_the_labels_are_the_same(
    exported: Path, tmp_path: Path, differing: float, backend: str
) -> None:
    """An export whose labels differ too often from the reference is not used unasked."""
    folder = tmp_path / "small"
    shutil.copytree(exported, folder)
    note = json.loads((folder / "onnx" / NOTE).read_text())
    assert 0 <= note["differing"] < 0.03
    (folder / "onnx" / NOTE).write_text(json.dumps(note | {"differing": differing}))
    assert load(ModelSettings(path=folder)).model.backend.startswith(backend)


def test_a_backend_that_was_not_made_is_refused(tmp_path: Path) -> None:
    """Who asks for ONNX without the file is told how to make it; auto goes on with torch."""
    folder = tmp_path / "small"
    shutil.copytree(ROOT / "models/small", folder, ignore=shutil.ignore_patterns("onnx"))
    with pytest.raises(ReleaseError, match=r"models\.export"):
        load(ModelSettings(path=folder, backend="onnx"))
    assert load(ModelSettings(path=folder)).model.backend.startswith("torch-")
