"""Claims about the same thing beside each other."""

from service.contracts import LabelledArticle
from service.viewer.claims import Claim, speakers
from service.viewer.subjects import RULE, Pair, content_stems, pairs, places
from tests.viewer.samples import labelled


def found(body: str, limit: int = 10) -> list[Pair]:
    """The pairs in a text."""
    return pairs(speakers(labelled(body=body)), limit)


def shown(pair: Pair) -> tuple[str, str, set[str]]:
    """Who speaks, and the stems that their claims share."""
    return pair.first.name, pair.second.name, set(pair.stems)


def test_two_sources_on_one_subject_are_found() -> None:
    """Plural and singular are the same word; the cue and the sources do not count."""
    (pair,) = found(
        "The bank said interest rates of 3.25 would fall. "
        "The ministry claimed the interest rate should be 3.25 at most. "
        "The mayor said trams were late."
    )
    assert shown(pair) == ("The bank", "The ministry", {"interest", "rate", "3.25"})


def test_one_source_is_not_paired_with_itself() -> None:
    """Also not under the other way of writing its name."""
    assert not found(
        "Anna Ortiz said interest rates would fall. Ortiz said interest rates would rise."
    )


def test_one_word_is_not_enough() -> None:
    """Nor are common words and short ones."""
    assert not found("Anna said rates would fall. Bert said the rates had been kept by them.")


def test_a_small_share_is_not_enough() -> None:
    """Long claims share two words by chance."""
    long = " ".join(f"noun{chr(97 + n)}" for n in range(20))
    assert not found(
        f"Anna said interest rates and {long}. Bert said interest rates or {long[::-1]}."
    )


def test_pronouns_are_not_paired() -> None:
    """*He* may well be the one beside him."""
    assert not found("Deasy said interest rates would fall. He said interest rates would rise.")


def test_the_closest_come_first_and_none_too_often() -> None:
    """Many claims on one subject do not fill the page: each comes twice at most."""
    body = " ".join(f"Source {name} said interest rates fell." for name in "ABCDEFGH")
    body += " Anna said eleven purple elephants danced. Bert said eleven purple elephants danced."
    everything = found(body, limit=100)
    assert shown(everything[0])[:2] == ("Anna", "Bert")
    counts: dict[str, int] = {}
    for pair in everything:
        for name in (pair.first.name, pair.second.name):
            counts[name] = counts.get(name, 0) + 1
    assert max(counts.values()) == 2
    assert len(found(body, limit=3)) == 3


def test_shared_words_are_marked_in_both() -> None:
    """As they are written, with offsets in code points."""
    assert places("😀 Rates and the rate; berating", frozenset({"rate"})) == [(2, 7), (16, 20)]


def test_the_source_and_the_cue_do_not_count() -> None:
    """What the claim is about is what is left, also after an emoji."""
    article = labelled(body="😀 Finance Ministry said growth slows.")
    claim = Claim(article, article.sentences[0])
    assert content_stems(claim) == {"growth", "slow"}


def test_the_rule_says_what_is_done() -> None:
    """The page tells the numbers that are in force."""
    assert "at least two words" in RULE
    assert "a quarter" in RULE


def test_hostile_repetition_is_bounded() -> None:
    """Thousands of claims of the same words end soon, with nothing said about them."""
    article: LabelledArticle = labelled(
        body=" ".join(f"Speaker{n} said interest rates fell." for n in range(3000))
    )
    assert not pairs(speakers(article), 10)
