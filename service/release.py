"""A released model: a folder of files whose digests are checked before anything is loaded.

``release.json`` names the model and lists the sha256 of every other file that is loaded; the
digest over that list is the model's digest in every labelled article.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from service.contracts import Model
from service.settings import ModelSettings

MANIFEST = "release.json"


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


def check(folder: Path) -> Model:
    """Compare every file with the manifest.

    Raises:
        ReleaseError: the manifest or a file is missing, unreadable or not the one released.
    """
    manifest = read_manifest(folder)
    for name, wanted in manifest.files.items():
        if Path(name).name != name:
            raise ReleaseError(f"damaged model in {folder}: {name!r} is not a file's name")
        try:
            found = file_digest(folder / name)
        except OSError as error:
            raise ReleaseError(f"damaged model in {folder}: {name}: {error.strerror}") from error
        if found != wanted:
            raise ReleaseError(f"damaged model in {folder}: {name} has another digest")
    return Model(name=manifest.name, version=manifest.version, digest=manifest.digest)


def file_digest(path: Path) -> str:
    """Sha256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load(settings: ModelSettings) -> Any:
    """Load the released model that the settings name, checked, on so many threads.

    Returns:
        A :class:`service.labeller.NetworkLabeller`.

    Raises:
        ReleaseError: it is missing or damaged.
    """
    model = check(settings.folder).model_copy(update={"uncertain_below": settings.uncertain_below})
    # torch and transformers take seconds to import: a missing model is told before that.
    import torch  # noqa: PLC0415
    from safetensors.torch import load_file  # noqa: PLC0415
    from transformers import AutoConfig, AutoTokenizer  # noqa: PLC0415

    from service.labeller import NetworkLabeller  # noqa: PLC0415
    from service.network import Network  # noqa: PLC0415
    from service.windows import WindowLayout  # noqa: PLC0415

    torch.set_num_threads(settings.threads)
    config = AutoConfig.from_pretrained(settings.folder, local_files_only=True)
    network = Network(config)
    weights = {
        name: value.float()
        for file in read_manifest(settings.folder).files
        if file.endswith(".safetensors")
        for name, value in load_file(settings.folder / file).items()
    }
    network.load_state_dict(weights)
    return NetworkLabeller(
        network,
        AutoTokenizer.from_pretrained(settings.folder, local_files_only=True),
        WindowLayout(**config.claimstream["layout"]),
        model,
        config.claimstream["temperature"],
    )
