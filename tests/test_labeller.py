"""The labeller around a network with random weights: offsets hold whatever it says."""

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import BertConfig

from service.contracts import Article, Model
from service.labeller import WindowLabeller
from service.network import Network
from service.pipeline import label_article
from service.release import load_tokenizer
from service.segmentation import segment
from service.torch_backend import TorchBackend
from service.windows import WindowLayout

RELEASE = Path(__file__).parent.parent / "models/small"
MODEL = Model(name="random", version="0", digest="sha256:0")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=400) | st.lists(
    st.sampled_from(
        ["“No,” she said. ", "Ħa İstanbul ﬁne. ", "👩‍👩‍👧 \u202b", "e\u0301a. ", "\n", "x" * 90]
    )
).map("".join)


@pytest.fixture(scope="module", params=[0, 12], ids=["no context", "context"])
def labeller(request: pytest.FixtureRequest) -> WindowLabeller:
    """A tiny random network behind the released tokenizer, windows of 32 tokens."""
    torch.manual_seed(3)
    config = BertConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    layout = WindowLayout(32, request.param, 101, 102, 2, 3, 4)
    return WindowLabeller(TorchBackend(Network(config)), load_tokenizer(RELEASE), layout, MODEL)


@given(TEXT)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_predictions_fit_the_text(labeller: WindowLabeller, text: str) -> None:
    """One prediction a segment; probabilities sum to 1; spans lie inside, not empty."""
    segments = segment(text)
    predictions = labeller.predict(text, segments)
    assert len(predictions) == len(segments)
    for part, prediction in zip(segments, predictions, strict=True):
        assert sum(prediction.probabilities) == pytest.approx(1)
        for span in (prediction.source, prediction.cue):
            if span is not None:
                assert part.start <= span[0] < span[1] <= part.end


def test_what_else_is_labelled_does_not_matter(labeller: WindowLabeller) -> None:
    """Between other articles the same article gives the same bytes."""
    article = Article(id="a", body="“No,” she said. It rained all day. " * 20)
    first = label_article(article, labeller).to_json()
    label_article(Article(id="b", body="Other words. " * 7), labeller)
    assert label_article(article, labeller).to_json() == first


def test_articles_of_any_length_are_labelled_whole(labeller: WindowLabeller) -> None:
    """Neither many sentences nor one that is longer than many windows is cut."""
    body = "It rained. " * 500 + "Word " * 5000
    labelled = label_article(Article(id="a", body=body), labeller)
    ends = [part.end for part in (*labelled.sentences, *labelled.furniture)]
    assert max(ends) == len(body.rstrip())
    assert len(ends) == 501


def test_what_it_uses_is_counted(labeller: WindowLabeller) -> None:
    """Tokens and the room of their windows add up, whatever is labelled; none is overfull."""
    before = labeller.usage
    labeller.predict("", [])
    assert labeller.usage == before
    text = "It rained. " * 40
    labeller.predict(text, segment(text))
    tokens = labeller.usage.tokens - before.tokens
    room = labeller.usage.room - before.room
    assert room % 32 == 0
    # Three tokens and a marker each, besides the frame and the context of the windows.
    assert 40 * 4 < tokens <= room
    labeller.predict(text, segment(text))
    assert labeller.usage.tokens == before.tokens + 2 * tokens


def test_cue_and_source_never_overlap(labeller: WindowLabeller) -> None:
    """A word is either the source's or the cue's."""
    text = "The minister said on Monday that it rained. " * 30
    for prediction in labeller.predict(text, segment(text)):
        if prediction.source and prediction.cue:
            assert (
                prediction.source[1] <= prediction.cue[0]
                or prediction.cue[1] <= prediction.source[0]
            )
