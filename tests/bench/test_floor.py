"""The arithmetic of the floor, against figures worked out by hand."""

import pytest

from service.bench.floor import (
    Encoder,
    floor_s,
    read_config,
    read_encoder,
    sentence_lengths,
    window_lengths,
)
from service.bench.results import Numbers
from service.bench.texts import Text
from service.release import load_tokenizer
from service.settings import RELEASES
from service.windows import WindowLayout

PEAKS: dict[Numbers, float | None] = {"float32": 100e9, "bfloat16": 200e9, "int8": 400e9}
MINI = Encoder(layers=6, width=384, inner=1536)


def test_work_of_a_token() -> None:
    """MiniLM-L6 has 10.6 million weights in its linear layers, two operations for each."""
    assert read_encoder(read_config(RELEASES / "small")) == MINI
    assert MINI.linear_flops == 2 * 6 * (4 * 384 * 384 + 2 * 384 * 1536) == 21_233_664


def test_work_of_a_sequence() -> None:
    """Attention multiplies all pairs of tokens twice, in each layer."""
    assert MINI.attention_flops(36) == 6 * (2 * 36 * 36 * 384 + 2 * 36 * 36 * 384)
    whole = 36 * MINI.linear_flops + MINI.attention_flops(36)
    assert whole == pytest.approx(776e6, rel=0.001)


@pytest.mark.parametrize(
    ("numbers", "linear", "attention"),
    [("float32", 100e9, 100e9), ("bfloat16", 200e9, 200e9), ("int8", 400e9, 100e9)],
)
def test_floor_of_several_sequences(numbers: Numbers, linear: float, attention: float) -> None:
    """Work over peak, summed; beside int8 layers attention is in float32."""
    wanted = (
        30 * MINI.linear_flops / linear
        + (MINI.attention_flops(10) + MINI.attention_flops(20)) / attention
    )
    assert floor_s(MINI, [10, 20], PEAKS, numbers) == pytest.approx(wanted)


def test_no_floor_without_a_peak() -> None:
    """What could not be measured is not made up."""
    assert floor_s(MINI, [10], PEAKS | {"int8": None}, "int8") is None
    assert floor_s(MINI, [10], PEAKS | {"float32": None}, "int8") is None
    assert floor_s(MINI, [10], PEAKS | {"int8": None}, "float32") is not None


def test_lengths_of_both_layouts() -> None:
    """Single sentences have two tokens on top; windows two each, and a marker a sentence."""
    tokenizer = load_tokenizer(RELEASES / "small")
    layout = WindowLayout(**read_config(RELEASES / "small")["claimstream"]["layout"])
    text = Text("a", "The mayor said it rained. We should go.", 2)
    assert sentence_lengths([text, text], tokenizer) == [6 + 2, 4 + 2] * 2
    assert window_lengths([text], tokenizer, layout) == [2 + 1 + 6 + 1 + 4]


def test_a_peer_cuts_what_is_too_long() -> None:
    """No sequence is longer than what the peers' tokenizer leaves of it."""
    tokenizer = load_tokenizer(RELEASES / "small")
    assert sentence_lengths([Text("a", "rain " * 1000, 1)], tokenizer) == [512]
