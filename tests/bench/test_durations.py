"""How the time is divided, and what fits into it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.bench.durations import Plan, divide, plan_rounds


def test_all_time_is_given_out() -> None:
    """The parts of all sizes together take the minutes that were asked for."""
    for sizes in (1, 2):
        parts = divide(6.0, sizes, quick=False)
        total = parts.rates_s + parts.latency_s + parts.length_s + parts.agreement_s
        assert total * sizes == pytest.approx(360)


def test_as_many_articles_as_the_rounds_leave_room_for() -> None:
    """100 s in 5 rounds at 1 s a sentence and 2 s besides: 18 sentences a round."""
    assert plan_rounds(100, 1.0, 2.0, [6, 6, 6, 6], 5) == Plan(3, 5)


def test_more_rounds_where_all_articles_fit() -> None:
    """Time that is left over goes into more rounds, but not into any number of them."""
    assert plan_rounds(100, 1.0, 2.0, [4, 4], 5) == Plan(2, 10)
    assert plan_rounds(100, 0.001, 0.1, [4, 4], 5) == Plan(2, 15)


def test_at_least_one_article_in_as_many_rounds() -> None:
    """An article that is too long for the time is labelled all the same."""
    assert plan_rounds(1, 1.0, 2.0, [40, 4], 5) == Plan(1, 5)


@settings(deadline=None)
@given(
    st.floats(1, 1000),
    st.floats(1e-4, 10),
    st.floats(0, 5),
    st.lists(st.integers(1, 200), min_size=1, max_size=30),
    st.integers(1, 5),
)
def test_the_time_is_kept_where_it_can_be(
    budget: float, sentence: float, fixed: float, sentences: list[int], least: int
) -> None:
    """With more than the least, rounds times what one takes stays within the time."""
    plan = plan_rounds(budget, sentence, fixed, sentences, least)
    assert 1 <= plan.articles <= len(sentences)
    assert plan.rounds >= least
    if plan.articles > 1 or plan.rounds > least:
        took = sum(sentences[: plan.articles]) * sentence + fixed
        assert plan.rounds * took <= budget * 1.0001
