"""Who speaks where the sentence itself names nobody."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.speakers import Told, nearby_speakers


def claim(
    text: str, source: str | None = None, *, paragraph: bool = False, has_cue: bool = False
) -> Told:
    """A claim; with a source it names that."""
    return Told(text, paragraph, is_claim=True, source=source, has_cue=has_cue)


def fact(text: str = "It rained.", *, paragraph: bool = False) -> Told:
    """A sentence that is no claim."""
    return Told(text, paragraph, is_claim=False, source=None)


@pytest.mark.parametrize(
    ("sentences", "speakers"),
    [
        pytest.param(
            [claim('"We leave," Ann said.', "Ann"), claim('"We never liked it."')],
            [None, 0],
            id="a quotation that goes on has the speaker before it",
        ),
        pytest.param(
            [
                claim('"We leave.'),
                claim("We never liked it."),
                claim('It is old," Ann said.', "Ann"),
            ],
            [2, 2, None],
            id="a quotation still open has the speaker who closes it",
        ),
        pytest.param(
            [
                claim("Ben objected.", "Ben"),
                claim("“We leave.", paragraph=True),
                claim("It is old,” Ann said.", "Ann"),
            ],
            [None, 2, None],
            id="who closes the quotation comes before who spoke earlier",
        ),
        pytest.param(
            [claim("Ann said: “We leave.", "Ann"), claim("We never liked it.”"), claim("“Old.”")],
            [None, 0, 0],
            id="who opens the quotation speaks to its end and on",
        ),
        pytest.param(
            [claim("Ann wrote: “We leave.", "Ann"), claim("Old."), claim("Ben says not.”", "Ben")],
            [None, 0, None],
            id="who opened the quotation comes before who is quoted in it",
        ),
        pytest.param(
            [claim("“Old.”", paragraph=True), claim("“We leave,” Ann said.", "Ann")],
            [1, None],
            id="a speaker named next in the same paragraph",
        ),
        pytest.param(
            [claim("“Old.”", paragraph=True), claim("Ann left.", "Ann", paragraph=True)],
            [None, None],
            id="the next paragraph's speaker is not taken",
        ),
        pytest.param(
            [claim("Ann said so.", "Ann"), fact(), claim("“We leave.”")],
            [None, None, None],
            id="nothing is carried over the author's own words",
        ),
        pytest.param(
            [claim("Ann said so.", "Ann"), claim("She went on.", "She"), claim("“We leave.”")],
            [None, None, 0],
            id="a name is preferred to a pronoun in the same run",
        ),
        pytest.param(
            [claim("She went on.", "She"), claim("“We leave.”")],
            [None, 0],
            id="a pronoun is better than nobody",
        ),
        pytest.param([claim("“Old.”")], [None], id="nobody is named"),
        pytest.param(
            [claim("Ann left.", "Ann"), claim("It is said to be old.", has_cue=True)],
            [None, None],
            id="hearsay is nobody's",
        ),
        pytest.param(
            [claim("Ann left.", "Ann"), claim("“I told you it is old.”", has_cue=True)],
            [None, 0],
            id="a cue within a quotation is the speaker's own",
        ),
    ],
)
def test_the_speaker_is_found_where_the_text_shows_one(
    sentences: list[Told], speakers: list[int | None]
) -> None:
    """Each claim without a source is led to the sentence that names its speaker, or to none."""
    assert nearby_speakers(sentences) == speakers


TOLD = st.builds(
    Told,
    st.text('ab"“”. ', max_size=8),
    st.booleans(),
    st.booleans(),
    st.none() | st.sampled_from(["Ann", "she"]),
    st.booleans(),
).map(lambda told: told if told.is_claim else told._replace(source=None))


@given(st.lists(TOLD, max_size=12))
def test_only_claims_without_a_source_are_led_to_one_with_a_source(sentences: list[Told]) -> None:
    """Whatever the text, a speaker is always another claim's source, and never a second one."""
    for sentence, speaker in zip(sentences, nearby_speakers(sentences), strict=True):
        if speaker is not None:
            assert sentence.is_claim
            assert sentence.source is None
            assert sentences[speaker].source is not None


@pytest.mark.parametrize(
    "unit",
    [
        [claim("She left.", "She"), claim("“We leave.”")],
        [claim("“We leave.")],
        [claim("We leave.", paragraph=True)],
        [claim("Ann left: “", "Ann"), claim("We leave.")],
    ],
)
def test_the_work_grows_with_the_number_of_sentences(unit: list[Told]) -> None:
    """Fifty thousand claims in a row, none of which names anybody else, take seconds."""
    started = time.process_time()
    assert len(nearby_speakers(unit * (50_000 // len(unit)))) == 50_000
    assert time.process_time() - started < 20
