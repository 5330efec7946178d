"""Runs the network in ONNX Runtime, its matrices in int8: several times as fast as torch.

The file is made from a release by ``python -m models.export`` and lies in its folder ``onnx``.
Neither torch nor transformers is imported here: the process starts in a fraction of the time.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from service.windows import Window, owners

FILE, NOTE = "model.onnx", "made.json"


class Made(NamedTuple):
    """What the note beside the file says: the digest of the release it was made of, and its own."""

    model_digest: str
    sha256: str


def read_note(folder: Path) -> Made:
    """Read the note of an exported network.

    Raises:
        OSError: there is none.
        ValueError: it is damaged.
    """
    try:
        return Made(**json.loads((folder / NOTE).read_bytes()))
    except TypeError as error:
        raise ValueError(f"{NOTE}: {error}") from error


class OnnxBackend:
    """Scores windows with ONNX Runtime.

    One window a call: nothing is padded, and the sums are the same whatever else is labelled.
    """

    name = "onnx-int8"

    def __init__(self, model: Path | bytes, threads: int) -> None:
        """Load an exported network, or its bytes; ``threads`` compute one window."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Idle threads that spin take the processor from those that work.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def score(self, window: Window) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits of the window's pieces (n, 4) and of its tokens (length, 4)."""
        classes, span_ends = self._session.run(["classes", "span_ends"], inputs(window))
        return classes, span_ends


def inputs(window: Window) -> dict[str, NDArray[np.generic]]:
    """A window as the graph takes it."""
    count = len(window.pieces)
    pool = (owners(window) == np.arange(count)[:, np.newaxis]).astype(np.float32)
    pool /= pool.sum(axis=1, keepdims=True)
    return {
        "ids": np.array(window.ids, dtype=np.int64),
        "pool": pool,
        "markers": np.array([piece.first for piece in window.pieces], dtype=np.int64),
    }
