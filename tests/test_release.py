"""A released model is checked file by file before it is loaded."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from service.release import (
    MANIFEST,
    SCORES,
    Manifest,
    ReleaseError,
    check,
    file_digest,
    label_mix,
)

MODELS = Path(__file__).parent.parent / "models"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small release of two files."""
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    files = {f.name: file_digest(f) for f in tmp_path.iterdir()}
    manifest = Manifest(name="m", version="1", files=files)
    (tmp_path / MANIFEST).write_text(manifest.model_dump_json())
    return tmp_path


def test_a_whole_release_has_name_version_and_digest(folder: Path) -> None:
    """The digest is over the digests of all files."""
    model = check(folder)
    assert (model.name, model.version) == ("m", "1")
    assert model.digest.startswith("sha256:")
    assert len(model.digest) == len("sha256:") + 64


def _drop_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()


def _spoil_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text("{")


def _drop_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def _flip_a_bit(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"weightr")


def _point_outside(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"]["../x"] = "0"
    (folder / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "damage", [_drop_manifest, _spoil_manifest, _drop_weights, _flip_a_bit, _point_outside]
)
def test_missing_or_damaged_releases_are_refused(
    folder: Path, damage: Callable[[Path], None]
) -> None:
    """Whatever is missing or changed is told in one line."""
    damage(folder)
    with pytest.raises(ReleaseError) as caught:
        check(folder)
    assert "\n" not in str(caught.value)


def test_weights_may_be_left_out_beside_their_graph(folder: Path) -> None:
    """All of them, and nothing else; a release that has some weights must have all."""
    (folder / "onnx").mkdir()
    whole = check(folder)
    (folder / "model.safetensors").rename(folder / "moved")
    assert check(folder) == whole
    (folder / "config.json").unlink()
    with pytest.raises(ReleaseError, match=r"config\.json"):
        check(folder)


def test_weights_that_are_not_loaded_are_not_read(folder: Path) -> None:
    """Where their graph serves, they are left as they are; everything else is checked."""
    whole = check(folder)
    _flip_a_bit(folder)
    assert check(folder, weights=False) == whole
    (folder / "config.json").write_text("{ }")
    with pytest.raises(ReleaseError, match=r"config\.json has another digest"):
        check(folder, weights=False)


def test_no_folder(tmp_path: Path) -> None:
    """A folder that is not there is told as such."""
    shutil.rmtree(tmp_path)
    with pytest.raises(ReleaseError, match="no model in"):
        check(tmp_path)


def _score(precision: float, recall: float, support: int) -> dict[str, float]:
    return {"precision": precision, "recall": recall, "support": support}


def test_the_mix_at_release(tmp_path: Path) -> None:
    """The share of each label among the answers follows from the scores of the release."""
    # Of 10 facts 8 were found, and 2 opinions taken for facts besides.
    labels = {"fact": _score(0.8, 0.8, 10), "opinion": _score(0.9, 0.9, 20)}
    (tmp_path / SCORES).write_text(json.dumps({"labels": labels}))
    assert label_mix(tmp_path) == pytest.approx({"fact": 1 / 3, "opinion": 2 / 3})


@pytest.mark.parametrize("size", ["base", "small"])
def test_released_models_have_a_mix(size: str) -> None:
    """Both shipped models tell a mix of all four classes, and none is all there is."""
    mix = label_mix(MODELS / size)
    assert mix is not None
    assert mix.keys() == {"fact", "attributed_claim", "opinion", "furniture"}
    assert sum(mix.values()) == pytest.approx(1)
    assert all(0 < share < 0.5 for share in mix.values())


def test_the_mix_is_the_one_that_was_counted() -> None:
    """Where the scores hold every answer, counting them gives the same mix."""
    confusion = json.loads((MODELS / "base" / SCORES).read_text())["confusion"]
    counts = {label: sum(row[label] for row in confusion.values()) for label in confusion}
    total = sum(counts.values())
    wanted = {label: count / total for label, count in counts.items()}
    assert label_mix(MODELS / "base") == pytest.approx(wanted)


def test_a_model_without_scores_has_no_mix(tmp_path: Path) -> None:
    """A model of one's own need not be scored; one that is never right has no mix to tell."""
    assert label_mix(tmp_path) is None
    (tmp_path / SCORES).write_text(json.dumps({"labels": {"fact": _score(0, 0, 5)}}))
    assert label_mix(tmp_path) is None


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"labels": [1]}', '{"labels": {"fact": 1}}'])
def test_damaged_scores_are_told(tmp_path: Path, text: str) -> None:
    """Scores that are no scores are told in one line."""
    (tmp_path / SCORES).write_text(text)
    with pytest.raises(ReleaseError, match=SCORES) as caught:
        label_mix(tmp_path)
    assert "\n" not in str(caught.value)
