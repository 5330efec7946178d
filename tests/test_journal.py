"""The journal, against a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from service.broker import free_port
from service.journal import Journal, open_journal
from service.kafka import BrokerError
from service.settings import KafkaSettings
from tests.cluster import Cluster


def _with_journals(
    kafka: KafkaSettings, use: Callable[[Journal, Journal], Awaitable[None]]
) -> None:
    """Connect two journals of the same group, as two workers have them."""

    async def run() -> None:
        first, second = await open_journal(kafka), await open_journal(kafka)
        try:
            await use(first, second)
        finally:
            await first.stop()
            await second.stop()

    asyncio.run(run())


def test_numbers_outlive_who_wrote_them(cluster: Cluster) -> None:
    """What one worker wrote the next reads, of each partition by itself, the latest of each."""
    topic = cluster.settings.topics.articles
    places = [(topic, n) for n in range(4)]

    async def use(first: Journal, second: Journal) -> None:
        assert await first.read(places) == {}
        await first.write({places[0]: 0, places[1]: 10**15})
        await first.write({places[0]: 7})
        assert await second.read(places) == {places[0]: 7, places[1]: 10**15}
        await second.write({places[2]: 3})
        assert await first.read(places[2:]) == {places[2]: 3}

    _with_journals(cluster.settings.kafka, use)


def test_nothing_of_it_shows_in_the_workers_group(cluster: Cluster) -> None:
    """The group that the articles are read with has no offset of the journal's."""
    place = (cluster.settings.topics.articles, 0)

    async def use(first: Journal, _: Journal) -> None:
        await first.read([place])
        await first.write({place: 99})

    _with_journals(cluster.settings.kafka, use)
    assert cluster.committed() == {}


def test_it_knows_how_far_partitions_reach(cluster: Cluster) -> None:
    """Records that nobody has fetched are known of, but for the embedded broker's last batch."""
    topic = cluster.settings.topics.articles
    for number in range(8):
        cluster.publish([(b"one key", str(number).encode())])

    async def use(first: Journal, _: Journal) -> None:
        ends = await first.ends([(topic, n) for n in range(4)])
        assert 7 <= max(ends.values()) <= 8
        assert sum(ends.values()) == max(ends.values())

    _with_journals(cluster.settings.kafka, use)


def test_no_broker() -> None:
    """Where nothing listens there is no journal, and it says so."""
    kafka = Cluster(f"127.0.0.1:{free_port()}").settings.kafka
    with pytest.raises(BrokerError, match="no journal at"):
        _with_journals(kafka, lambda *_: asyncio.sleep(0))
