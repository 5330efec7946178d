"""What the reader asks for, and which articles and sentences have it."""

import pytest

from service.viewer.claims import names_in
from service.viewer.filtering import Wanted, find, hits, wanted_of
from tests.viewer.samples import changed, labelled

ARTICLE = labelled(title="Bank of Ruritania", publisher="Desk")


def found(**asked: object) -> list[int] | None:
    """Numbers of the sentences that the sample is found by."""
    sentences = find(ARTICLE, Wanted.model_validate(asked), names_in(ARTICLE))
    return None if sentences is None else [sentence.index for sentence in sentences]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, []),
        ({"labels": ("opinion",)}, [2]),
        ({"labels": ("fact", "opinion")}, [0, 2]),
        ({"source": "ortiz"}, [1]),
        ({"source": "anna ortiz"}, [1]),
        ({"source": "nobody"}, None),
        ({"q": "inflation"}, [1, 3]),
        ({"q": "INFLATION falling"}, [1, 3]),
        ({"q": "inflation yesterday"}, None),
        ({"q": "ruritania"}, []),
        ({"q": "ruritania inflation"}, [1, 3]),
        ({"q": "flation"}, None),
        ({"q": "inflation", "source": "bank"}, [3]),
        ({"q": "ruritania", "labels": ("opinion",)}, None),
        ({"certainty": "uncertain"}, None),
    ],
)
def test_articles_are_found_by_what_is_asked_for(
    asked: dict[str, object], expected: list[int] | None
) -> None:
    """Words begin words, all of them must be there, and filters go together."""
    assert found(**asked) == expected


def test_confidence_is_at_least_what_is_asked_for() -> None:
    """Sentences of exactly that confidence and above, and no others."""
    article = ARTICLE
    for number, confidence in enumerate([0.59, 0.6, 0.75, 0.9]):
        article = changed(article, number, confidence=confidence)
    for certainty, expected in (("60", [1, 2, 3]), ("75", [2, 3]), ("90", [3])):
        sentences = find(article, Wanted.model_validate({"certainty": certainty}))
        assert sentences is not None
        assert [sentence.index for sentence in sentences] == expected


def test_uncertain_ones_are_found() -> None:
    """The ones marked uncertain, whatever their confidence."""
    article = changed(ARTICLE, 1, uncertain=True)
    sentences = find(article, Wanted(certainty="uncertain"))
    assert sentences is not None
    assert [sentence.index for sentence in sentences] == [1]


def test_a_source_is_found_by_its_full_name() -> None:
    """A claim of *Ortiz* is found by the name that the article gives her elsewhere."""
    article = labelled(body="Anna Ortiz said it rained. Ortiz said it snowed.")
    sentences = find(article, Wanted(source="Anna"), names_in(article))
    assert sentences is not None
    assert [sentence.index for sentence in sentences] == [0, 1]


def test_addresses_are_read_and_written() -> None:
    """What is asked for comes back from its own address; nonsense is ignored."""
    wanted = Wanted(q="a & b", labels=("fact", "opinion"), source="Ørsted", certainty="75")
    assert wanted.query() == ("?q=a+%26+b&source=%C3%98rsted&certainty=75&label=fact&label=opinion")
    read = wanted_of(
        {"q": "a & b", "source": "Ørsted", "certainty": "75"}, ["opinion", "fact", "fact"]
    )
    assert read == wanted
    assert wanted_of({"q": "  ", "certainty": "lots"}, ["nonsense"]) == Wanted()
    assert Wanted().query() == ""
    assert not Wanted().narrows


def test_long_questions_are_cut() -> None:
    """Neither the length nor the number of words makes a search slow."""
    wanted = wanted_of({"q": "x " * 100_000}, [])
    assert len(wanted.q) <= 200
    assert len(wanted.words) == 10


@pytest.mark.parametrize("words", ["(((", "[a", "\\", "a*", ".*", "+"])
def test_words_are_not_patterns(words: str) -> None:
    """What means something in a pattern is searched for as it stands."""
    assert find(ARTICLE, Wanted(q=words)) is None
    assert find(labelled(body=f"He wrote {words} once."), Wanted(q=words)) is not None


def test_hits_are_merged_and_bounded() -> None:
    """Places do not overlap, and there are not too many of them."""
    assert hits("inflation in India", Wanted(q="in infl").words) == [(0, 4), (10, 12), (13, 15)]
    assert len(hits("a " * 10_000, Wanted(q="a").words)) == 50
