"""Makes the network of a release into an ONNX file with int8 matrices: ``python -m models.export``.

Dynamic quantisation, one scale for each column of a matrix, on the plain graph: fused first, it
would be slower (measured; models/EXPERIMENTS.md). The file is made in place and not kept in git.
"""

from __future__ import annotations

import json
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import torch
import typer
from onnxruntime.quantization import QuantType, quantize_dynamic
from rich.console import Console
from torch import Tensor, nn
from torch.export import Dim

from models.behaviour.check import read_pairs
from service.labeller import Backend, WindowLabeller
from service.network import Network
from service.onnx_backend import FILE, NOTE, Made, OnnxBackend, read_note
from service.pipeline import label_of
from service.release import ReleaseError, check, file_digest, load_tokenizer, weight_files
from service.segmentation import segment
from service.settings import RELEASES
from service.torch_backend import TorchBackend, load_network
from service.windows import WindowLayout


class _Served(nn.Module):
    """The network for one window, its pieces' tokens averaged by a matrix."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: Tensor, pool: Tensor, markers: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of pieces and tokens.

        Args:
            ids: token ids (1, length).
            pool: for each piece the share of each token in its mean (n, length).
            markers: position of each piece's marker (n,).
        """
        hidden = self.network.encoder(
            input_ids=ids, attention_mask=torch.ones_like(ids)
        ).last_hidden_state[0]
        sentences = torch.cat([pool @ hidden, hidden[markers]], dim=1)
        return self.network.class_head(sentences), self.network.span_head(hidden)


def export(folder: Path) -> Path:
    """Write ``onnx/model.onnx`` into a release's folder, and beside it what it was made of.

    Raises:
        ReleaseError: the release is missing or damaged.
    """
    digest = check(folder).digest
    network = load_network(folder, weight_files(folder)).eval()
    tokens, pieces = Dim("tokens", min=3, max=512), Dim("pieces", min=1, max=256)
    example = (torch.ones(1, 64, dtype=torch.long), torch.ones(4, 64), torch.arange(4))
    out = folder / "onnx"
    out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as scratch:
        plain, quantised = Path(scratch) / "plain.onnx", Path(scratch) / FILE
        with _quiet():
            program = torch.onnx.export(
                _Served(network),
                example,
                dynamo=True,
                verbose=False,
                input_names=["ids", "pool", "markers"],
                output_names=["classes", "span_ends"],
                dynamic_shapes=({1: tokens}, {0: pieces, 1: tokens}, {0: pieces}),
            )
            assert program is not None  # noqa: S101 - with dynamo it never is
            program.save(plain)
            quantize_dynamic(
                plain,
                quantised,
                per_channel=True,
                op_types_to_quantize=["MatMul"],
                weight_type=QuantType.QInt8,
                extra_options={"MatMulConstBOnly": True},
            )
        reference = TorchBackend(network)
        note = Made(
            model_digest=digest,
            sha256=file_digest(quantised),
            differing=differing(folder, reference, OnnxBackend(quantised, threads=1)),
        )
        # The note last: a file without its note is not used.
        (out / NOTE).unlink(missing_ok=True)
        quantised.replace(out / FILE)
        (out / NOTE).write_text(json.dumps(note._asdict()) + "\n")
    return out / FILE


def differing(folder: Path, reference: Backend, other: Backend) -> float:
    """Share of the sentences of our behaviour tests that two backends label differently."""
    texts = [pair.second.text for pair in read_pairs()]
    config = json.loads((folder / "config.json").read_bytes())["claimstream"]
    reference_labels, other_labels = (
        [label_of(found) for text in texts for found in labeller.predict(text, segment(text))]
        for labeller in (
            WindowLabeller(
                backend, load_tokenizer(folder), WindowLayout(**config["layout"]), check(folder)
            )
            for backend in (reference, other)
        )
    )
    differ = [a != b for a, b in zip(reference_labels, other_labels, strict=True)]
    return sum(differ) / len(differ)


@contextmanager
def _quiet() -> Iterator[None]:
    """No advice of the exporter's and the quantiser's on standard error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def main(
    models: Annotated[
        list[Path] | None, typer.Argument(exists=True, file_okay=False, help="Releases.")
    ] = None,
) -> None:
    """Make the ONNX files of releases; without any named, of all in models/."""
    for folder in models or sorted(file.parent for file in RELEASES.glob("*/release.json")):
        try:
            made = read_note(export(folder).parent)
            Console().print(f"{folder}: {made.differing:.2%} of labels differ from torch's")
        except ReleaseError as error:
            Console(stderr=True).print(f"claimstream: {error}", highlight=False)
            raise typer.Exit(2) from None


if __name__ == "__main__":
    typer.run(main)
