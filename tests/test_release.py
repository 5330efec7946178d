"""A released model is checked file by file before it is loaded."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from service.release import MANIFEST, Manifest, ReleaseError, check, file_digest


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


def test_no_folder(tmp_path: Path) -> None:
    """A folder that is not there is told as such."""
    shutil.rmtree(tmp_path)
    with pytest.raises(ReleaseError, match="no model in"):
        check(tmp_path)
