"""The graph in ONNX computes what the network in torch computes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.models.mpnet.modeling_mpnet import MPNetEncoder

from models.export import graph
from models.onnx_graph import relative_buckets
from service.onnx_backend import OnnxBackend
from service.release import weight_files
from service.torch_backend import TorchBackend, load_network
from service.windows import Piece, Window

MODELS = Path(__file__).parent.parent / "models"


def _window(rng: np.random.Generator, length: int, pieces: int) -> Window:
    """Random tokens in pieces as they lie in a window: after the first token, without gaps."""
    ends = np.sort(rng.choice(np.arange(3, length - 1), size=pieces - 1, replace=False))
    firsts = [1, *ends.tolist()]
    lasts = [*ends.tolist(), length - 1]
    return Window(
        rng.integers(5, 30_000, size=length).tolist(),
        [
            Piece(n, 0, *ends, is_context=False)
            for n, ends in enumerate(zip(firsts, lasts, strict=True))
        ],
    )


@pytest.mark.parametrize("size", ["small", "base"])
def test_in_single_precision_it_is_the_network(size: str) -> None:
    """Logits of sentences and tokens are torch's to four decimals, for windows of any length."""
    folder = MODELS / size
    reference = TorchBackend(load_network(folder, weight_files(folder)))
    ours = OnnxBackend(graph(folder, in_int8=False).SerializeToString(), threads=1)
    rng = np.random.default_rng(7)
    for length, pieces in ((4, 1), (17, 3), (130, 9), (256, 12)):
        window = _window(rng, length, pieces)
        for mine, theirs in zip(ours.score(window), reference.score(window), strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-4)


def test_a_loud_token_leaves_the_others_alone() -> None:
    """In int8 each token has its own scale: logits stay near single precision in every sentence."""
    exact, rounded = (
        OnnxBackend(graph(MODELS / "small", in_int8=in_int8).SerializeToString(), threads=1)
        for in_int8 in (False, True)
    )
    window = _window(np.random.default_rng(8), 256, 10)
    gaps = np.abs(exact.score(window)[0] - rounded.score(window)[0])
    assert 0 < gaps.mean() < 0.1


@given(length=st.integers(1, 300), buckets=st.sampled_from([16, 32]))
@settings(max_examples=20, deadline=None)
def test_relative_positions_are_those_of_the_encoder(length: int, buckets: int) -> None:
    """Each pair of positions falls into the bucket that transformers' mpnet puts it in."""
    positions = torch.arange(length)
    theirs = MPNetEncoder.relative_position_bucket(
        positions[None, :] - positions[:, None], num_buckets=buckets
    )
    np.testing.assert_array_equal(relative_buckets(length, buckets), theirs.numpy())
