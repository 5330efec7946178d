"""A labeller that is the real one but for its network: what that says is noise, always the same."""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.contracts import Model
from service.labeller import WindowLabeller
from service.release import load_tokenizer
from service.windows import Window, WindowLayout

_RELEASE = Path(__file__).parent.parent.parent / "models/small"
_MODEL = Model(name="noise", version="0", digest="sha256:0")
# Small windows, so that short texts have several.
_LAYOUT = WindowLayout(32, 12, 101, 102, 2, 3, 4)


class NoiseBackend:
    """Scores that follow from a window's tokens, and mean nothing."""

    name = "noise"

    def score(self, window: Window) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits of the window's pieces (n, 4) and of its tokens (length, 4)."""
        ids = np.array(window.ids, dtype=np.int32)
        noise = np.random.default_rng(zlib.crc32(ids.tobytes()))
        classes = 3 * noise.standard_normal((len(window.pieces), 4), dtype=np.float32)
        return classes, 3 * noise.standard_normal((len(window.ids), 4), dtype=np.float32)


@cache
def noise_labeller() -> WindowLabeller:
    """The released tokenizer and real windows around the noise."""
    return WindowLabeller(NoiseBackend(), load_tokenizer(_RELEASE), _LAYOUT, _MODEL)
