"""A released model: a folder of files whose digests are checked before anything is loaded.

``release.json`` names the model and lists the sha256 of every other file that is loaded; the
digest over that list is the model's digest in every labelled article.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from tokenizers import Tokenizer

from service.contracts import Model
from service.labeller import Backend, WindowLabeller
from service.settings import PREFIX, ModelSettings
from service.windows import WindowLayout

MANIFEST = "release.json"
SCORES, INT8 = "metrics.json", "int8"
ONNX = "onnx"
MAKE = "python -m models.export"
# What brings torch along, and what makes ONNX files.
WITH_TORCH, WITH_EXPORT = "pip install 'claimstream[torch]'", "pip install 'claimstream[export]'"
# With a larger share of labels that differ from single precision, int8 is not taken unasked.
MOST_DIFFERING = 0.005


class ReleaseError(Exception):
    """The model is missing or damaged; the message says what in one line."""


class Manifest(BaseModel):
    """What ``release.json`` says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    files: dict[str, str]

    @property
    def digest(self) -> str:
        """One digest over all files."""
        listed = json.dumps(self.files, sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(listed.encode()).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """Read ``release.json``.

    Raises:
        ReleaseError: it is missing, unreadable or not a manifest.
    """
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except OSError as error:
        raise ReleaseError(f"no model in {folder}: {MANIFEST}: {error.strerror}") from error
    except ValidationError as error:
        raise ReleaseError(f"damaged model in {folder}: {MANIFEST} is not a manifest") from error


def check(folder: Path, *, weights: bool = True) -> Model:
    """Compare the files with the manifest.

    The weights may be missing, all of them, beside the ONNX file that was made of them: what only
    serves need not carry them. That file's own digest is compared when it is loaded.

    Args:
        folder: the release.
        weights: those too; False where they are not going to be loaded, for they are most of what
            there is to read.

    Raises:
        ReleaseError: the manifest or a file is missing, unreadable or not the one released.
    """
    manifest = read_manifest(folder)
    left_out = weight_files(folder) if not weights or lacks_weights(folder) else []
    for name, wanted in manifest.files.items():
        if Path(name).name != name:
            raise ReleaseError(f"damaged model in {folder}: {name!r} is not a file's name")
        if name in left_out:
            continue
        try:
            found = file_digest(folder / name)
        except OSError as error:
            raise ReleaseError(f"damaged model in {folder}: {name}: {error.strerror}") from error
        if found != wanted:
            raise ReleaseError(f"damaged model in {folder}: {name} has another digest")
    return Model(name=manifest.name, version=manifest.version, digest=manifest.digest)


def label_mix(folder: Path) -> dict[str, float] | None:
    """Share of each label, furniture included, among the model's answers on the dev articles.

    The scores of the release give them: recall times support is how many answers were right, and
    precision which share of the answers that is.

    Returns:
        None if the release was not scored, or was never right about one of the labels.

    Raises:
        ReleaseError: the scores are there but cannot be read.
    """
    try:
        answers = {
            label: score["recall"] * score["support"] / score["precision"]
            for label, score in _scores(folder)["labels"].items()
        }
    except (FileNotFoundError, ZeroDivisionError):
        return None
    except (KeyError, TypeError, AttributeError) as error:
        raise ReleaseError(f"damaged model in {folder}: {SCORES}: {error!r}") from error
    total = sum(answers.values())
    return {label: count / total for label, count in answers.items()}


def int8_differing(folder: Path) -> float | None:
    """Share of the dev sentences whose label in int8 differs from that in single precision.

    Returns:
        None if it was not measured (``python -m models.agreement`` does).

    Raises:
        ReleaseError: the scores are there but cannot be read.
    """
    try:
        scores = _scores(folder)
        return float(scores[INT8]["differing"]) if INT8 in scores else None
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError) as error:
        raise ReleaseError(f"damaged model in {folder}: {SCORES}: {error!r}") from error


def _scores(folder: Path) -> dict[str, Any]:
    """What was measured of the release when it was made.

    Raises:
        FileNotFoundError: nothing was.
        ReleaseError: it cannot be read.
    """
    try:
        scores = json.loads((folder / SCORES).read_bytes())
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise ReleaseError(f"damaged model in {folder}: {SCORES}: {error!r}") from error
    if not isinstance(scores, dict):
        raise ReleaseError(f"damaged model in {folder}: {SCORES} is not an object")
    return scores


def file_digest(path: Path) -> str:
    """Sha256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def weight_files(folder: Path) -> list[str]:
    """Names of the release's files of weights."""
    return [file for file in read_manifest(folder).files if file.endswith(".safetensors")]


def lacks_weights(folder: Path) -> bool:
    """Whether the weights were left out, all of them, beside the ONNX file that was made of them.

    Raises:
        ReleaseError: the manifest is missing or unreadable.
    """
    weights = weight_files(folder)
    return (folder / ONNX).exists() and not any((folder / name).exists() for name in weights)


def load(settings: ModelSettings) -> WindowLabeller:
    """Load the released model that the settings name, checked, on so many threads.

    Raises:
        ReleaseError: it is missing or damaged, or there is nothing to run it with as is wanted.
    """
    folder = settings.folder
    in_onnx = runs_in_onnx(settings)
    checked = check(folder, weights=not in_onnx)
    model = checked.model_copy(update={"uncertain_below": settings.uncertain_below})
    config = json.loads((folder / "config.json").read_bytes())["claimstream"]
    return WindowLabeller(
        _backend(settings, folder, model, in_onnx=in_onnx),
        load_tokenizer(folder),
        WindowLayout(**config["layout"]),
        model,
        config["temperature"],
    )


def _backend(settings: ModelSettings, folder: Path, model: Model, *, in_onnx: bool) -> Backend:
    """What runs the network. Each imports its own library only."""
    if in_onnx:
        from service.onnx_backend import FILE, OnnxBackend, read_note  # noqa: PLC0415

        try:
            made = read_note(folder / ONNX)
        except (OSError, ValueError) as error:
            raise ReleaseError(f"no ONNX file of {folder}: make it: {MAKE} {folder}") from error
        if made.model_digest != model.digest:
            raise ReleaseError(f"the ONNX file of {folder} is of another model: {MAKE} {folder}")
        if file_digest(folder / ONNX / FILE) != made.sha256:
            raise ReleaseError(f"the ONNX file of {folder} is damaged: {MAKE} {folder}")
        return OnnxBackend(folder / ONNX / FILE, settings.threads)
    if lacks_weights(folder):
        raise ReleaseError(
            f"no weights in {folder}, only its ONNX file: torch cannot run it, onnx can"
        )
    # torch and transformers take seconds to import: a missing model is told before that.
    try:
        from service.torch_backend import load_torch  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ReleaseError(_without_torch(settings, folder, error.name)) from error
    return load_torch(folder, weight_files(folder), settings.threads)


def _without_torch(settings: ModelSettings, folder: Path, missing: str | None) -> str:
    """What is to be done where torch should run a release and is not installed."""
    if settings.backend == "torch":
        return f"no {missing} for the backend torch: {WITH_TORCH}"
    if (folder / ONNX).exists():
        return (
            f"the ONNX file of {folder} is not taken unasked, for its labels differ too often from "
            f"torch's or were not compared, and there is no {missing}: {WITH_TORCH}, or set "
            f"{PREFIX}MODEL__BACKEND=onnx"
        )
    return (
        f"nothing to run {folder} with: make its ONNX file ({WITH_EXPORT} && {MAKE} {folder}), "
        f"or {WITH_TORCH}"
    )


def runs_in_onnx(settings: ModelSettings) -> bool:
    """Whether ONNX Runtime is what the settings ask for, or leave to us and we take.

    Raises:
        ReleaseError: the release's scores are there but cannot be read.
    """
    return settings.backend == "onnx" or (
        settings.backend == "auto" and has_exact_onnx(settings.folder)
    )


def has_exact_onnx(folder: Path) -> bool:
    """Whether an ONNX file was made of a release whose labels in int8 are those of the reference.

    Raises:
        ReleaseError: the release's scores are there but cannot be read.
    """
    differing = int8_differing(folder) if (folder / ONNX).exists() else None
    return differing is not None and differing <= MOST_DIFFERING


def load_tokenizer(folder: Path) -> Tokenizer:
    """The release's tokenizer, which never cuts or pads: windows see to the length."""
    # Its own threads, one for each core of the machine, would take them from other workers.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
