"""How the pages write numbers, times, links and label mixes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.contracts import Counts
from service.viewer.pages import bar, name_of, percent, permalink, shortened, when
from tests.viewer.samples import labelled


@pytest.mark.parametrize(
    ("share", "words"),
    [(0, "0%"), (0.0001, "<1%"), (0.01, "1%"), (0.555, "56%"), (0.996, "99%"), (1, "100%")],
)
def test_shares_are_whole_per_cent(share: float, words: str) -> None:
    """What is neither none nor all is not shown as such."""
    assert percent(share) == words


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2026-11-24", "24 Nov 2026"),
        ("2026-11-24T08:00:00Z", "24 Nov 2026, 08:00 UTC"),
        ("2026-11-24t00:30:00+02:00", "23 Nov 2026, 22:30 UTC"),
        ("2026-11-24 08:00:00.123456789Z", "24 Nov 2026, 08:00 UTC"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
        ("2026-11-24T08:00:00", "2026-11-24T08:00:00"),
        ("yesterday", "yesterday"),
        ("", ""),
    ],
)
def test_times_are_in_words(moment: str, words: str) -> None:
    """In UTC; what is no time is shown as it came."""
    assert when(moment) == words
    assert when(datetime(2026, 1, 2, 3, 4, tzinfo=UTC)) == "2 Jan 2026, 03:04 UTC"


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 1000))
def test_the_bar_is_full(fact: int, claim: int, opinion: int) -> None:
    """Its parts lie side by side and fill it, unless there is nothing to show."""
    parts = bar(Counts(fact=fact, attributed_claim=claim, opinion=opinion))
    assert len(parts) == sum(n > 0 for n in (fact, claim, opinion))
    end = 0.0
    for _, left, width in parts:
        assert left == pytest.approx(end, abs=0.02)
        end = left + width
    assert end == pytest.approx(100 if parts else 0, abs=0.02)


def test_permalinks() -> None:
    """To a sentence, in the part of its article, with what was asked for."""
    assert permalink("a b", 12) == "/articles/a%20b#s12"
    assert permalink("..", 12, "?q=x") == "/articles/~..?q=x#s12"
    assert permalink("a", 400) == "/articles/a?page=2#s400"
    assert permalink("a", 400, "?q=x") == "/articles/a?q=x&page=2#s400"


def test_names() -> None:
    """The title, else how the article begins, else its id."""
    assert name_of(labelled(title="Rain")) == "Rain"
    assert name_of(labelled(body="It rained.\nAgain.")) == "It rained."
    assert len(name_of(labelled(body="rain " * 1000))) <= 90
    assert name_of(labelled("seed", "")) == "seed"


def test_long_sentences_are_shortened_in_lists() -> None:
    """At a word's end, and said to be."""
    assert shortened("It rained.") == "It rained."
    assert shortened("rain " * 200).endswith("rain\N{NO-BREAK SPACE}…")
    assert shortened("x" * 10_000) == f"{'x' * 318}\N{NO-BREAK SPACE}…"
    assert shortened("It\n rained.") == "It rained."
