"""The state of a viewer, and what it says of itself."""

import asyncio
from collections.abc import Sequence

from service.settings import ViewerSettings
from service.viewer.following import (
    Connected,
    Disconnected,
    Event,
    Strange,
    Withdrawn,
)
from service.viewer.live import Live
from tests.viewer.samples import held, labelled
from tests.viewer.site import arrival


def after(events: Sequence[Event], **settings: int) -> Live:
    """The state after some events."""
    live = Live(ViewerSettings(**settings))

    async def run() -> None:
        for event in events:
            await live.apply(event)

    asyncio.run(run())
    return live


def test_what_arrives_is_held_until_it_is_withdrawn() -> None:
    """With the time at which it came."""
    live = after(
        [arrival(labelled("a")), arrival(labelled("b")), Withdrawn("a"), Withdrawn("never")]
    )
    (item,) = live.store.newest_first()
    assert (item.article.article_id, item.arrived_at) == ("b", held().arrived_at)
    assert live.notes() == "1 article held"


def test_pages_are_woken_by_what_they_could_show_only() -> None:
    """Replays, withdrawals of what is not held and the same answer again are silent."""
    live = after([Connected(0), arrival(labelled("a")), Strange("x")])
    version = live.version
    assert version == 3

    async def run() -> None:
        for event in (arrival(labelled("a")), Withdrawn("never"), Connected(0)):
            await live.apply(event)

    asyncio.run(run())
    assert live.version == version


def test_an_outage_lasts_from_its_beginning() -> None:
    """Every further try does not begin it anew."""
    live = after([Connected(0), Disconnected("first")])
    since = live.fault_since
    assert live.status().kind == "away"

    async def run() -> None:
        await live.apply(Disconnected("second"))

    asyncio.run(run())
    assert live.fault_since == since
    assert after([Disconnected("x"), Connected(0)]).status() == ("live", "Live")


def test_catching_up_is_said_from_some_records_on() -> None:
    """A few are on their way at any time."""
    assert after([Connected(19)]).status().kind == "live"
    assert after([Connected(20)]).status().kind == "behind"


def test_what_is_not_held_is_counted() -> None:
    """Strange records, and articles larger than the store."""
    live = after([Strange("x"), Strange("y"), arrival(labelled("a"))], max_bytes=100)
    assert live.notes() == (
        "0 articles held, 2 records were no labelled article, 1 too large to hold"
    )
