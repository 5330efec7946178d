"""The network in ONNX Runtime: made from a release, checked, and near enough to the reference."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from models.export import export, graph
from service.evaluation import pair
from service.gold import read
from service.onnx_backend import FILE, NOTE
from service.pipeline import label_of
from service.release import INT8, MOST_DIFFERING, SCORES, ReleaseError, int8_differing, load
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
    """On the seeds at most one label in 200 differs from torch's, and no probability by much."""
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
    assert differing <= MOST_DIFFERING * len(torch)
    gaps = [abs(a.probabilities[0] - b.probabilities[0]) for a, b in zip(torch, onnx, strict=True)]
    assert sum(gaps) / len(gaps) < 0.01


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


@pytest.mark.parametrize(
    ("measured", "backend"),
    [({"differing": 0.004}, "onnx"), ({"differing": 0.006}, "torch"), (None, "torch")],
)
def test_auto_takes_it_only_where_the_labels_are_the_same(
    exported: Path, tmp_path: Path, measured: dict[str, float] | None, backend: str
) -> None:
    """Int8 whose labels differ too often from the reference, or were not compared, is not used."""
    folder = tmp_path / "small"
    shutil.copytree(exported, folder)
    scores = json.loads((folder / SCORES).read_text())
    scores.pop(INT8, None)
    (folder / SCORES).write_text(json.dumps(scores | ({INT8: measured} if measured else {})))
    assert load(ModelSettings(path=folder)).model.backend.startswith(backend)


@pytest.mark.parametrize("size", ["base", "small"])
def test_the_released_models_passed(size: str) -> None:
    """Both sizes were measured on the dev articles and are near enough to be served in int8."""
    differing = int8_differing(ROOT / "models" / size)
    assert differing is not None
    assert differing <= MOST_DIFFERING


def test_an_unknown_encoder_is_refused(tmp_path: Path) -> None:
    """A release around another kind of encoder is told in one line."""
    folder = tmp_path / "small"
    shutil.copytree(ROOT / "models/small", folder, ignore=shutil.ignore_patterns("onnx"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "roberta"}))
    with pytest.raises(ReleaseError, match="no graph for encoders of type roberta"):
        graph(folder)


def test_a_backend_that_was_not_made_is_refused(tmp_path: Path) -> None:
    """Who asks for ONNX without the file is told how to make it; auto goes on with torch."""
    folder = tmp_path / "small"
    shutil.copytree(ROOT / "models/small", folder, ignore=shutil.ignore_patterns("onnx"))
    with pytest.raises(ReleaseError, match=r"models\.export"):
        load(ModelSettings(path=folder, backend="onnx"))
    assert load(ModelSettings(path=folder)).model.backend.startswith("torch-")
