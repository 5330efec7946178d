"""Writes the network of a release as an ONNX file with int8 matrices: ``python -m models.export``.

The file is made in place and not kept in git. How near its labels are to those of single precision
was measured when the model was released, by ``python -m models.agreement``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.console import Console

from models.behaviour.check import read_pairs
from service.onnx_backend import FILE, NOTE, Made
from service.release import (
    ONNX,
    WITH_EXPORT,
    ReleaseError,
    check,
    file_digest,
    lacks_weights,
    load_tokenizer,
    weight_files,
)
from service.segmentation import segment
from service.settings import RELEASES
from service.windows import Window, WindowLayout, pack

if TYPE_CHECKING:
    from onnx import ModelProto

_TEXTS = 40


def export(folder: Path) -> Path:
    """Write ``onnx/model.onnx`` into a release's folder, and beside it what it was made of.

    Raises:
        ReleaseError: the release is missing or damaged, or its encoder is of an unknown family.
    """
    digest = check(folder).digest
    model = graph(folder)
    out = folder / ONNX
    out.mkdir(exist_ok=True)
    # The note last: a file without its note is not used.
    (out / NOTE).unlink(missing_ok=True)
    partial = out / f"{FILE}.partial"
    partial.write_bytes(model.SerializeToString())
    partial.replace(out / FILE)
    note = Made(model_digest=digest, sha256=file_digest(out / FILE))
    (out / NOTE).write_text(json.dumps(note._asdict()) + "\n")
    return out / FILE


def graph(folder: Path, *, in_int8: bool = True) -> ModelProto:
    """The network of a release as an ONNX graph.

    Raises:
        ReleaseError: its encoder is of an unknown family, its weights were left out, or what makes
            graphs is not installed.
    """
    try:
        from safetensors.numpy import load_file  # noqa: PLC0415 - serving does without them

        from models.loud_channels import loud_channels  # noqa: PLC0415 - the same
        from models.onnx_graph import build  # noqa: PLC0415 - the same
    except ModuleNotFoundError as error:
        raise ReleaseError(f"no {error.name} to make ONNX files with: {WITH_EXPORT}") from error
    if lacks_weights(folder):
        raise ReleaseError(f"no weights in {folder}, only the ONNX file that was made of them")
    config = json.loads((folder / "config.json").read_bytes())
    weights = {
        name: value.astype(np.float32)
        for file in weight_files(folder)
        for name, value in load_file(folder / file).items()
    }
    try:
        exact = build(config, weights)
    except ValueError as error:
        raise ReleaseError(f"{folder}: {error}") from error
    if not in_int8:
        return exact
    layout = WindowLayout(**config["claimstream"]["layout"])
    return build(config, weights, loud_channels(exact, _ordinary_windows(folder, layout)))


def _ordinary_windows(folder: Path, layout: WindowLayout) -> list[Window]:
    """Windows of the first texts of our behaviour tests."""
    tokenizer = load_tokenizer(folder)
    windows = []
    for pair in read_pairs()[:_TEXTS]:
        text = pair.second.text
        segments = segment(text)
        tokens = tokenizer.encode_batch(
            [text[part.start : part.end] for part in segments], add_special_tokens=False
        )
        windows += pack(
            [found.ids for found in tokens], [part.starts_paragraph for part in segments], layout
        )
    return windows


def main(
    models: Annotated[
        list[Path] | None, typer.Argument(exists=True, file_okay=False, help="Releases.")
    ] = None,
) -> None:
    """Make the ONNX files of releases; without any named, of all in models/."""
    for folder in models or sorted(file.parent for file in RELEASES.glob("*/release.json")):
        try:
            file = export(folder)
        except ReleaseError as error:
            typer.echo(f"claimstream: {error}", err=True)
            raise typer.Exit(2) from None
        Console().print(f"{folder.name}: int8, {file.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    typer.run(main)
