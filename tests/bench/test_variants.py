"""Each way to label, loaded in this process: it labels every sentence, and with known labels."""

from collections.abc import Sequence

import pytest

from service.bench.results import Numbers
from service.bench.texts import with_words
from service.bench.variants import AUTO, PEERS, REFERENCE, Variant, build
from service.network import CLASSES
from service.segmentation import segment
from service.settings import ModelSettings
from tests.bench.articles import TEXTS

SMALL = ModelSettings(size="small")
KEYS = (AUTO, "torch", REFERENCE, *PEERS)


@pytest.fixture(scope="module")
def variants() -> dict[str, Variant]:
    """All variants of the small model that can be built without an exported file."""
    return {key: build(key, SMALL) for key in KEYS}


@pytest.mark.parametrize("key", KEYS)
def test_every_sentence_of_every_text_gets_a_label(variants: dict[str, Variant], key: str) -> None:
    """As many labels for each text as the splitter finds sentences, also beyond one batch."""
    texts = ["", *(text.text for text in TEXTS), with_words(TEXTS, 500)]
    found = variants[key].label(texts)
    assert [len(labels) for labels in found] == [len(segment(text)) for text in texts]
    assert sum(map(len, found)) > 32
    assert {label for labels in found for label in labels} <= set(CLASSES)


def test_what_each_is_called(variants: dict[str, Variant]) -> None:
    """Peers are in float32 and named (a), (b), (c); ours are named by their backend."""
    assert [variants[key].name[:3] for key in PEERS] == ["(a)", "(b)", "(c)"]
    assert {variants[key].numbers for key in PEERS} == {"float32"}
    assert variants[REFERENCE].name == "torch-float32"
    backends: dict[str, Numbers] = {"torch-float32": "float32", "torch-bfloat16": "bfloat16"}
    assert variants["torch"].numbers == backends[variants["torch"].name]


def test_the_peers_are_one_network(variants: dict[str, Variant]) -> None:
    """One by one, batched, or padded by hand: the same network, so nearly always the same label."""
    a, b, c = (_labels(variants[key], [text.text for text in TEXTS]) for key in PEERS)
    assert sum(x == y == z for x, y, z in zip(a, b, c, strict=True)) >= len(a) - 1


def test_ours_are_the_released_model(variants: dict[str, Variant]) -> None:
    """Labels come in the order of the text, furniture among them, from the trained heads."""
    text = "The mayor said it had rained. This plan is a disgrace and it must be scrapped."
    for key in (AUTO, "torch", REFERENCE):
        assert variants[key].label([text]) == [["attributed_claim", "opinion"]]


def test_a_sentence_without_end_is_cut_by_the_peers(variants: dict[str, Variant]) -> None:
    """More word pieces than the encoder can take are no error."""
    long = "The mayor said rain " + "and more rain " * 1000
    for key in PEERS:
        assert len(variants[key].label([long])[0]) == 1


def _labels(variant: Variant, texts: Sequence[str]) -> list[str]:
    return [label for labels in variant.label(texts) for label in labels]
