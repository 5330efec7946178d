"""Runs the network in torch: the reference, and what training measures with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from transformers import AutoConfig

from service.network import Network
from service.windows import Window, owners


class TorchBackend:
    """Scores windows with torch, in single precision or, as the processor allows, bfloat16."""

    def __init__(self, network: Network, dtype: torch.dtype = torch.float32) -> None:
        """Take a network; it is set to evaluation, its encoder to the number type."""
        self._network = network.eval()
        self._network.encoder.to(dtype)
        self.name = f"torch-{str(dtype).removeprefix('torch.')}"

    def score(self, window: Window) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits of the window's pieces (n, 4) and of its tokens (length, 4)."""
        # Inference mode belongs to the thread, so it is entered here and not at the edge.
        with torch.inference_mode():
            classes, span_ends = self._network(
                torch.tensor([window.ids]),
                torch.ones(1, len(window.ids), dtype=torch.long),
                torch.from_numpy(owners(window)).unsqueeze(0),
                torch.tensor([piece.first for piece in window.pieces]),
            )
        return classes.numpy(), span_ends[0].numpy()


def load_network(folder: Path, weights: Sequence[str]) -> Network:
    """A release's network in single precision, from its safetensors files."""
    network = Network(AutoConfig.from_pretrained(folder, local_files_only=True))
    state = {
        name: value.float() for file in weights for name, value in load_file(folder / file).items()
    }
    network.load_state_dict(state)
    return network


def load_torch(folder: Path, weights: Sequence[str], threads: int) -> TorchBackend:
    """Load a release for labelling; ``threads`` are torch's for the whole process."""
    torch.set_num_threads(threads)
    dtype = torch.bfloat16 if computes_in_bfloat16() else torch.float32
    return TorchBackend(load_network(folder, weights), dtype)


def computes_in_bfloat16() -> bool:
    """Whether the processor multiplies matrices of bfloat16 (avx512_bf16 or amx_bf16)."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
