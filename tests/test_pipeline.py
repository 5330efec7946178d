"""The pure middle: from an article to a labelled article."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from service.contracts import Article
from service.extraction import ExtractionError
from service.pipeline import article_text, label_article, round_scores
from service.schemas import schemas
from tests.labellers import RuleLabeller, ScriptedLabeller

LABELLED = Draft202012Validator(schemas()["labelled-article.v1.json"])
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
NEWSY = st.lists(
    st.sampled_from(["It rained.", "He said it rained. ", "“We should go.", "Read more\n", "\n\n"])
).map("".join)


@settings(deadline=None)  # how long it may take is tested in processor time, in tests/fuzz
@given(TEXT | NEWSY)
def test_every_character_is_in_a_sentence_or_in_furniture(body: str) -> None:
    """No non-space character is lost or counted twice, and all offsets quote the text."""
    labelled = label_article(Article(id="a", body=body), RuleLabeller())
    covered = [0] * len(body)
    for part in (*labelled.sentences, *labelled.furniture):
        for position in range(part.start, part.end):
            covered[position] += 1
    assert all(
        count == 1 or (count == 0 and character.isspace())
        for count, character in zip(covered, body, strict=True)
        if not (count == 1 and character.isspace())
    )
    for sentence in labelled.sentences:
        assert body[sentence.start : sentence.end] == sentence.text
        for span in (sentence.source, sentence.cue):
            assert span is None or body[span.start : span.end] == span.text


@settings(deadline=None)  # how long it may take is tested in processor time, in tests/fuzz
@given(TEXT | NEWSY)
def test_what_goes_out_fits_its_schema(body: str) -> None:
    """Every labelled article is valid against the published JSON Schema, its scores sum to 1."""
    labelled = json.loads(label_article(Article(id="a", body=body), RuleLabeller()).to_json())
    LABELLED.validate(labelled)
    for sentence in labelled["sentences"]:
        assert sum(sentence["scores"].values()) == pytest.approx(1, abs=1e-12)
        assert sentence["confidence"] == max(sentence["scores"].values())
    assert sum(labelled["counts"].values()) == len(labelled["sentences"])


@given(st.tuples(*[st.floats(1e-9, 1)] * 3))
def test_rounded_scores_sum_to_one_and_keep_their_order(
    weights: tuple[float, float, float],
) -> None:
    """Scores have four decimals, sum to 1, and the likeliest label stays the likeliest."""
    scores = list(round_scores(weights).model_dump().values())
    assert sum(round(score * 10_000) for score in scores) == 10_000
    assert scores[weights.index(max(weights))] == max(scores)


def test_only_claims_have_source_and_cue() -> None:
    """Spans are marked in attributed claims and nowhere else."""
    body = "The minister said taxes fell. Taxes should fall."
    claim, opinion = label_article(Article(id="a", body=body), RuleLabeller()).sentences
    assert claim.source is not None
    assert claim.cue is not None
    assert (claim.source.text, claim.cue.text) == ("The minister", "said")
    assert (opinion.label, opinion.source, opinion.cue) == ("opinion", None, None)


def test_a_quotation_that_goes_on_has_the_speaker_named_beside_it() -> None:
    """The source then lies in another sentence, which its sentence_index tells."""
    body = "The minister said “taxes fell. He said it rained.”"
    labeller = ScriptedLabeller([((0, 12), (13, 17)), (None, None)])
    first, second = label_article(Article(id="a", body=body), labeller).sentences
    assert first.source is not None
    assert first.source.sentence_index == 0
    assert second.source == first.source
    assert second.cue is None


@pytest.mark.parametrize(("threshold", "uncertain"), [(0.0, False), (0.5, False), (0.95, True)])
def test_unsure_sentences_are_marked(threshold: float, *, uncertain: bool) -> None:
    """A sentence whose confidence lies under the threshold is uncertain; the threshold is told."""
    labeller = RuleLabeller()
    labeller.model = labeller.model.model_copy(update={"uncertain_below": threshold})
    labelled = label_article(Article(id="a", body="It rained."), labeller)
    assert labelled.sentences[0].uncertain is uncertain
    assert labelled.model.uncertain_below == threshold


def test_replays_give_the_same_bytes() -> None:
    """Labelling the same article again gives the same bytes."""
    article = Article(id="a", body="He said it rained. It should not.")
    assert (
        label_article(article, RuleLabeller()).to_json()
        == label_article(article, RuleLabeller()).to_json()
    )


def test_text_of_a_page_is_included() -> None:
    """With html the extracted text goes out, for the offsets point into it; with a body it does not."""  # noqa: E501
    page = "<html><body><article>" + "<p>It rained all day in the north.</p>" * 3 + "</article>"
    labelled = label_article(Article(id="a", html=page), RuleLabeller())
    assert labelled.text is not None
    assert labelled.sentences[0].text in labelled.text
    assert "text" not in json.loads(
        label_article(Article(id="a", body="It rained."), RuleLabeller()).to_json()
    )


def test_body_comes_before_html() -> None:
    """The body is the text when there is one; an empty one gives way to the page."""
    page = "<html><body><p>From the page, which is long enough.</p></body></html>"
    assert article_text(Article(id="a", body="From the body.", html=page)) == (
        "From the body.",
        False,
    )
    assert article_text(Article(id="a", body=" ", html=page))[1] is True


def test_a_page_without_text_is_a_data_error() -> None:
    """HTML without a main text is refused with a reason, not labelled as empty."""
    with pytest.raises(ExtractionError):
        label_article(Article(id="a", html="<html><script>1</script></html>"), RuleLabeller())


@pytest.mark.parametrize("body", ["", " \n\t"])
def test_an_empty_body_gives_no_sentences(body: str) -> None:
    """An article without text is labelled, with nothing in it."""
    labelled = label_article(Article(id="a", body=body), RuleLabeller())
    assert (labelled.sentences, labelled.furniture) == ((), ())
