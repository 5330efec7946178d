"""Scoring a labeller on annotated articles."""

from dataclasses import replace

import pytest

from service.evaluation import evaluate
from service.gold import ALL, GoldArticle, GoldSentence
from service.segmentation import Segment
from tests.labellers import RuleLabeller

TEXT = "The minister said taxes fell. Taxes should fall. It rained."


def sentence(start: int, end: int, label: str, **rest: object) -> GoldSentence:
    """A gold sentence with one label."""
    segment = Segment(start, end, starts_paragraph=start == 0)
    return GoldSentence(segment, frozenset([label]), **rest)  # type: ignore[arg-type]


ARTICLE = GoldArticle(
    "a",
    "dev",
    TEXT,
    (
        sentence(0, 29, "attributed_claim", spans=((0, 12), (13, 17))),
        sentence(30, 48, "opinion", spans=(None, None)),
        sentence(49, 59, "opinion", spans=(None, None), sure=False),
    ),
)


@pytest.mark.parametrize("own", [False, True])
def test_figures_of_an_article(own: bool) -> None:  # noqa: FBT001
    """Two of three right, the wrong one not sure; the spans are exact."""
    figures = evaluate([ARTICLE], RuleLabeller(), own_segmentation=own)
    assert figures["sentences"] == 3
    assert figures["accuracy"] == pytest.approx(2 / 3)
    assert figures["labels"]["opinion"]["recall"] == 0.5
    assert figures["sure"]["macro_f1"] == pytest.approx(2 / 3)
    assert figures["source"] == {"exact_f1": 1, "overlap_f1": 1, "support": 1}
    assert figures["cue"]["exact_f1"] == 1
    assert 0 <= figures["ece"] <= 1
    assert figures["confusion"]["opinion"] == {
        "fact": 1, "attributed_claim": 0, "opinion": 1, "furniture": 0,
    }  # fmt: skip


def test_groups_are_scored_apart() -> None:
    """Articles of different kinds each get figures of their own."""
    other = GoldArticle("b", "dev", TEXT, ARTICLE.sentences[:2], group="column")
    figures = evaluate([replace(ARTICLE, group="agency"), other], RuleLabeller())
    assert figures["groups"]["column"]["accuracy"] == 1
    assert figures["groups"]["agency"]["sentences"] == 3
    assert figures["groups"]["agency"]["labels"]["opinion"]["recall"] == 0.5


def test_own_segmentation_takes_what_covers_most() -> None:
    """A gold sentence that we cut in two gets the label of the larger part."""
    joined = GoldArticle("a", None, TEXT, (sentence(0, 48, "attributed_claim"),))
    figures = evaluate([joined], RuleLabeller(), own_segmentation=True)
    assert figures["labels"]["attributed_claim"]["f1"] == 1


def test_corpora_with_other_labels_are_scored_on_spans_only() -> None:
    """Where the labels are not by the codebook no label is scored."""
    article = GoldArticle("a", None, TEXT, ARTICLE.sentences, by_codebook=False)
    figures = evaluate([article], RuleLabeller())
    assert figures["macro_f1"] is figures["accuracy"] is figures["ece"] is None
    assert figures["source"]["support"] == 1


def test_unlabelled_sentences_are_not_scored() -> None:
    """A sentence whose label is open counts as none."""
    unknown = GoldSentence(Segment(49, 59, starts_paragraph=False), ALL)
    article = GoldArticle("a", None, TEXT, (*ARTICLE.sentences[:2], unknown))
    assert evaluate([article], RuleLabeller())["accuracy"] == 1
