"""Who says what: names that belong together, and those that do not."""

import pytest

from service.contracts import LabelledArticle
from service.viewer.claims import (
    asked_for,
    is_pronoun,
    key_of,
    names_in,
    speakers,
    speakers_across,
)
from service.viewer.filtering import Wanted
from tests.viewer.samples import changed, labelled


def said(*sources: str, article_id: str = "a") -> LabelledArticle:
    """An article in which each source says something."""
    told = (f"{source} said it rained on day {n}." for n, source in enumerate(sources))
    return labelled(article_id, "\n\n".join(told))


def names(article: LabelledArticle) -> list[tuple[str | None, int]]:
    """The speakers of an article and how many claims each makes."""
    return [(speaker.name, len(speaker.claims)) for speaker in speakers(article)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The bank", "the bank"),
        ("Mr. Hrubeš", "Hrubeš"),
        ("Prof. Dr. Aalbæk", "AALBÆK"),
        ("“Deasy”", "Deasy,"),
        ("Norlight’s", "Norlight"),
        ("An  aide", "aide"),
    ],
)
def test_spellings_of_a_name_have_one_key(one: str, other: str) -> None:
    """Articles, honorifics, capitals, quotes and the genitive make no difference."""
    assert key_of(one) == key_of(other)


def test_a_name_is_never_worn_away() -> None:
    """A source that is nothing but an article or a title stays what it is."""
    assert key_of("The") == "the"
    assert key_of("Dr.") == "dr"
    assert key_of("?") == ""


def test_claims_are_grouped_by_their_source() -> None:
    """In the order of the first claim; the surname alone is the same person."""
    article = said("Governor Zdeněk Hrubeš", "the bank", "Hrubeš", "The bank")
    assert names(article) == [("Governor Zdeněk Hrubeš", 2), ("the bank", 2)]


def test_a_surname_that_two_share_stays_alone() -> None:
    """Who knows which of them it is?"""
    article = said("Anna Ortiz", "Bert Ortiz", "Ortiz")
    assert names(article) == [("Anna Ortiz", 1), ("Bert Ortiz", 1), ("Ortiz", 1)]


def test_longer_and_longer_ways_of_one_name() -> None:
    """Where each name ends with the other it is one person, called by the longest."""
    article = said("Sen. Roy Dalager", "Roy Dalager", "Dalager")
    assert names(article) == [("Sen. Roy Dalager", 3)]


def test_common_nouns_are_not_surnames() -> None:
    """*Officials* may be of any country."""
    assert names(said("Israeli officials", "officials")) == [
        ("Israeli officials", 1),
        ("officials", 1),
    ]


def test_pronouns_are_not_resolved() -> None:
    """They are listed as they stand, and said to be pronouns."""
    article = said("Anna Ortiz", "She", "they")
    assert names(article) == [("Anna Ortiz", 1), ("She", 1), ("they", 1)]
    assert [speaker.is_pronoun for speaker in speakers(article)] == [False, True, True]
    assert is_pronoun("“He”")


def test_claims_without_a_source_come_last() -> None:
    """They have no name, and are not given one."""
    article = changed(said("The bank", "The mayor"), 0, source=None)
    assert names(article) == [("The mayor", 1), (None, 1)]


def test_a_source_named_nearby_counts() -> None:
    """A claim belongs to the source that another sentence names."""
    article = said("Anna Ortiz", "The bank")
    article = changed(article, 1, source=article.sentences[0].source)
    assert names(article) == [("Anna Ortiz", 2)]
    assert names_in(article) == {0: "Anna Ortiz", 1: "Anna Ortiz"}


def test_across_articles_most_claims_come_first() -> None:
    """The same full name is one source; pronouns and the unnamed are left to their articles."""
    across = speakers_across([
        changed(said("She", "Anna Ortiz", "The mayor"), 2, source=None),
        said("Governor Anna Ortiz", "Kestrel News", article_id="b"),
    ])  # fmt: skip
    assert [(speaker.name, len(speaker.claims)) for speaker in across] == [
        ("Governor Anna Ortiz", 2),
        ("Kestrel News", 1),
    ]
    assert {claim.article.article_id for claim in across[0].claims} == {"a", "b"}


def test_across_articles_a_surname_is_not_enough() -> None:
    """Another article's Ortiz may be another Ortiz, and another's *council* is another council."""
    across = speakers_across([
        said("Anna Ortiz", "the council"),
        said("Ortiz", "the council", article_id="b"),
    ])  # fmt: skip
    assert sorted(speaker.name or "" for speaker in across) == [
        "Anna Ortiz",
        "Ortiz",
        "the council",
        "the council",
    ]


def test_claims_that_are_asked_for() -> None:
    """By the name that the source goes by, and by confidence; who has none left is left out."""
    article = changed(said("Governor Anna Ortiz", "Ortiz", "The bank"), 1, uncertain=True)
    who = speakers(article)

    def left(**asked: str) -> list[tuple[str | None, int]]:
        found = asked_for(who, Wanted.model_validate(asked))
        return [(speaker.name, len(speaker.claims)) for speaker in found]

    assert left() == [("Governor Anna Ortiz", 2), ("The bank", 1)]
    assert left(source="anna") == [("Governor Anna Ortiz", 2)]
    assert left(certainty="uncertain") == [("Governor Anna Ortiz", 1)]
    assert left(source="nobody") == []


def test_thousands_of_names_take_no_time() -> None:
    """A hostile article does not make the search for names quadratic in its length."""
    article = said(*(f"Name{n} Smith{n}" for n in range(3000)))
    assert len(speakers(article)) == 3000
