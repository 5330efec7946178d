"""The ways to label that are compared, and how each is built in a process of its own.

Each way splits the texts into sentences as the service does and labels all of them. Ours also finds
source and cue of each claim and puts the labelled article together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Final, NamedTuple

from service.bench.errors import BenchError
from service.bench.floor import read_config
from service.bench.results import Numbers
from service.contracts import Article
from service.labeller import WindowLabeller
from service.pipeline import label_article
from service.release import WITH_TORCH, check, load, load_tokenizer, weight_files
from service.segmentation import segment
from service.settings import ModelSettings
from service.windows import WindowLayout

# Texts to the labels of each one's sentences.
Label = Callable[[Sequence[str]], list[list[str]]]

AUTO, REFERENCE = "auto", "reference"
BACKENDS: Final = ("torch", "onnx")
ONE_BY_ONE, IN_BATCHES, PADDED = "one by one", "in batches", "padded"
PEERS: Final = {
    ONE_BY_ONE: "(a) pipeline, one by one",
    IN_BATCHES: "(b) pipeline, batches of 32",
    PADDED: "(c) padded batches of 32",
}


class Variant(NamedTuple):
    """A built way to label: its name for people, the numbers it multiplies, and itself."""

    name: str
    numbers: Numbers
    label: Label


def check_torch() -> None:
    """Make sure that the peers and the network in float32 can be run.

    Raises:
        BenchError: what runs them is not installed.
    """
    if missing := [name for name in ("torch", "transformers") if find_spec(name) is None]:
        raise BenchError(f"no {missing[0]}, which ours is compared with: {WITH_TORCH}")


def build(key: str, settings: ModelSettings) -> Variant:
    """Load what a variant needs, and nothing of what others need.

    Args:
        key: ``auto`` or a backend's name, as the settings have them; ``reference`` for the network
            in float32; or one of the peers.
        settings: which released model.

    Raises:
        service.release.ReleaseError: the model is missing or damaged, or has no ONNX file.
    """
    if key in PEERS:
        return Variant(PEERS[key], "float32", _peer(key, settings))
    labeller = _reference(settings) if key == REFERENCE else _served(key, settings)
    name = labeller.model.backend
    return Variant(name, _numbers(name), lambda texts: [_ours(labeller, text) for text in texts])


def _served(key: str, settings: ModelSettings) -> WindowLabeller:
    """Our labeller as a worker has it, with this backend."""
    return load(ModelSettings.model_validate(settings.model_dump() | {"backend": key}))


def _reference(settings: ModelSettings) -> WindowLabeller:
    """Our labeller with its network in float32, whatever the processor could do faster."""
    import torch  # noqa: PLC0415 - only here: ONNX Runtime is measured without torch

    from service.torch_backend import TorchBackend, load_network  # noqa: PLC0415

    torch.set_num_threads(1)
    folder = settings.folder
    config = read_config(folder)["claimstream"]
    return WindowLabeller(
        TorchBackend(load_network(folder, weight_files(folder))),
        load_tokenizer(folder),
        WindowLayout(**config["layout"]),
        check(folder),
        config["temperature"],
    )


def _ours(labeller: WindowLabeller, text: str) -> list[str]:
    """Label an article, and give its sentences' labels in the order of the text."""
    labelled = label_article(Article(id="bench", body=text), labeller)
    labels = [(sentence.start, str(sentence.label)) for sentence in labelled.sentences]
    labels += [(extent.start, "furniture") for extent in labelled.furniture]
    return [label for _, label in sorted(labels)]


def _peer(key: str, settings: ModelSettings) -> Label:
    from service.bench import peers  # noqa: PLC0415 - the same

    make = {
        ONE_BY_ONE: peers.one_by_one,
        IN_BATCHES: peers.in_batches,
        PADDED: peers.padded,
    }
    classify = make[key](peers.load_peer(settings.folder))

    def label(texts: Sequence[str]) -> list[list[str]]:
        sentences = [[text[s.start : s.end] for s in segment(text)] for text in texts]
        # In the order of arrival, across articles: batches are as full as they can be.
        labels = iter(classify([sentence for inside in sentences for sentence in inside]))
        return [[next(labels) for _ in inside] for inside in sentences]

    return label


def _numbers(backend: str) -> Numbers:
    """The numbers that a backend's name ends with.

    Raises:
        ValueError: it names none that we know.
    """
    kinds: tuple[Numbers, ...] = ("float32", "bfloat16", "int8")
    for numbers in kinds:
        if backend.endswith(f"-{numbers}"):
            return numbers
    raise ValueError(f"what does the backend {backend!r} multiply?")
