"""What is counted of two models' labels, and which disagreements are kept."""

from __future__ import annotations

import pytest

from service.comparing.counting import Comparison
from service.contracts import Extent, LabelledArticle
from tests.comparing.samples import OtherLabeller, labelled

ZEROS = dict.fromkeys(("fact", "attributed_claim", "opinion", "furniture"), 0)


def relabelled(article: LabelledArticle, index: int, **changes: object) -> LabelledArticle:
    """The same, with another verdict on one sentence."""
    sentences = list(article.sentences)
    sentences[index] = sentences[index].model_copy(update=changes)
    return article.model_copy(update={"sentences": tuple(sentences)})


def test_a_model_agrees_with_itself() -> None:
    """No label, no span differs; every part is compared, furniture too."""
    found = Comparison(10)
    found.add(labelled(), labelled())
    report = found.report()
    assert (report.parts, report.differing, report.differing_share) == (4, 0, 0.0)
    assert (report.claims_of_both, report.sources_differing, report.cues_differing) == (1, 0, 0)
    assert report.cut_differently == 0
    assert report.disagreements == ()
    assert report.a == report.b
    assert report.articles.compared == 1


def test_two_models_differ() -> None:
    """Labels by A and B, the share that differs, spans of claims of both, each one's figures."""
    found = Comparison(10)
    ours, theirs = labelled(), labelled(labeller=OtherLabeller)
    found.add(ours, theirs)
    report = found.report()
    assert report.confusion == {
        "fact": ZEROS | {"fact": 1},
        "attributed_claim": ZEROS | {"attributed_claim": 1},
        "opinion": ZEROS | {"fact": 1},
        "furniture": ZEROS | {"furniture": 1},
    }
    assert (report.parts, report.differing, report.differing_share) == (4, 1, 0.25)
    assert (report.claims_of_both, report.sources_differing, report.cues_differing) == (1, 1, 0)
    assert report.a.mix == dict.fromkeys(ZEROS, 0.25)
    assert report.b.mix == ZEROS | {"fact": 0.5, "attributed_claim": 0.25, "furniture": 0.25}
    assert [model.name for model in (*report.a.models, *report.b.models)] == ["rules", "others"]
    for side, article in ((report.a, ours), (report.b, theirs)):
        sentences = article.sentences
        assert side.sentences == len(sentences) == 3
        assert side.mean_confidence == pytest.approx(sum(s.confidence for s in sentences) / 3)
        assert side.uncertain_share == sum(s.uncertain for s in sentences) / 3
        assert side.sentences_per_s is None
    (shown,) = report.disagreements
    assert (shown.article_id, shown.text) == ("a", "We should go.")
    assert (shown.a.label, shown.b.label) == ("opinion", "fact")
    assert (shown.start, shown.end) == (19, 32)


def test_the_surest_disagreements_are_kept() -> None:
    """By the less sure of the two; furniture, of which that is not known, comes last."""
    found = Comparison(3)
    for number, (a, b) in enumerate([(0.9, 0.5), (0.7, 0.8), (0.6, 0.99), (0.95, 0.94)]):
        ours = relabelled(labelled(str(number)), 1, label="opinion", confidence=a)
        found.add(ours, relabelled(ours, 1, label="fact", confidence=b))
        assert len(found.report().disagreements) == min(number + 1, 3)
    assert [one.article_id for one in found.report().disagreements] == ["3", "1", "2"]
    whole = labelled("furniture")
    last = whole.sentences[-1]
    extent = Extent(start=last.start, end=last.end)
    torn = whole.model_copy(
        update={"sentences": whole.sentences[:-1], "furniture": (*whole.furniture, extent)}
    )
    few = Comparison(2)
    few.add(whole, torn)
    few.add(labelled("b"), relabelled(labelled("b"), 1, label="fact", confidence=0.4))
    first, second = few.report().disagreements
    assert (first.article_id, second.article_id) == ("b", "furniture")
    assert (second.a.label, second.b.label, second.b.confidence) == ("fact", "furniture", None)
    assert second.text == last.text


def test_what_is_cut_differently_is_not_compared() -> None:
    """Sentences that only one has count as such, and in no label."""
    found = Comparison(10)
    ours = labelled()
    end = ours.sentences[0].end
    found.add(ours, relabelled(ours, 0, end=end - 1))
    report = found.report()
    assert (report.parts, report.cut_differently) == (3, 2)


def test_nothing_is_nothing() -> None:
    """Articles without a sentence, and none at all, have no shares."""
    found = Comparison(10)
    for count in range(2):
        report = found.report()
        assert (report.articles.compared, report.parts, report.differing_share) == (count, 0, 0.0)
        assert (report.a.mix, report.a.mean_confidence, report.a.uncertain_share) == (None,) * 3
        found.add(labelled(body=" "), labelled(body=" "))
