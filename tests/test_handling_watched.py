"""Records of a partition over which a process died: one by one, each marked before it is begun."""

from __future__ import annotations

import pytest

from service.journal import JournalError
from tests.handlers import CLAIMS, DEAD, Bench, message, run


def test_watched_articles_go_one_by_one() -> None:
    """After a death each article is marked, confirmed and committed before the next is begun."""

    async def test() -> None:
        bench = Bench()
        bench.journal.numbers["t", 0] = 0  # open
        await bench.guard.take([("t", 0)])
        await bench.handle(*(message(n) for n in range(3)))
        assert bench.commits == [[0], [0, 1], [0, 1, 2]]
        assert bench.journal.writes == 6
        assert bench.journal.numbers["t", 0] == 0

    run(test())


def test_the_article_that_kills_is_a_dead_letter() -> None:
    """One that was begun too often without an end is not begun again; its neighbours are."""

    async def test() -> None:
        bench = Bench()
        bench.journal.numbers["t", 0] = 13  # offset 1, begun 3 times
        await bench.guard.take([("t", 0)])
        await bench.handle(message(1), message(2))
        assert [topic for topic, _, _ in bench.broker.sent] == [DEAD, CLAIMS]
        assert bench.acknowledged == [1, 2]
        labels = {"stage": "infer", "reason": "poison"}
        value = bench.metrics.registry.get_sample_value
        assert value("claimstream_dead_letters_total", labels) == 1

    run(test())


def test_without_a_mark_no_watched_article_is_begun() -> None:
    """Where the journal cannot be written an article that may kill is not begun: an outage."""

    async def test() -> None:
        bench = Bench()
        bench.journal.numbers["t", 0] = 0
        await bench.guard.take([("t", 0)])
        bench.journal.is_away = True
        with pytest.raises(JournalError):
            await bench.handle(message(0))
        assert (bench.broker.sent, bench.acknowledged) == ([], [])

    run(test())
