"""The stream of events that keeps pages up to date."""

import asyncio
import json
import time
from typing import Any

import pytest

from service.viewer import events
from service.viewer.following import Connected, Disconnected, Strange, Withdrawn
from tests.viewer.samples import labelled
from tests.viewer.site import Site, arrival, until, visit


async def hear(answer: Any) -> dict[str, Any]:
    """The next event of a stream, whatever else is in between."""
    async with asyncio.timeout(30):
        while not (line := await answer.content.readline()).startswith(b"data: "):
            assert line, "the stream has ended"
    state: dict[str, Any] = json.loads(line.removeprefix(b"data: "))
    return state


def test_the_first_event_says_how_things_are() -> None:
    """A page that was made long ago learns at once what is new."""

    async def use(site: Site) -> None:
        async with site.client.get("/events") as answer:
            assert answer.content_type == "text/event-stream"
            assert await answer.content.readline() == b"retry: 2000\n"
            state = await hear(answer)
        assert state["kind"] == "live"
        assert state["notes"] == "1 article held"
        assert "article" not in state

    visit(use, labelled("a"))


def test_arrivals_outages_and_strange_records_are_told() -> None:
    """Each as it happens, in words that the page shows as they are."""

    async def use(site: Site) -> None:
        async with site.client.get("/events") as answer:
            await hear(answer)
            await site.live.apply(arrival(labelled("a")))
            assert (await hear(answer))["notes"] == "1 article held"
            await site.live.apply(Disconnected("gone"))
            state = await hear(answer)
            assert state["kind"] == "away"
            assert state["status"].startswith("Broker not reached since ")
            await site.live.apply(Connected(1234))
            assert (await hear(answer))["status"] == "Catching up, 1,234 records to go"
            await site.live.apply(Strange("rubbish"))
            assert "1 record was no labelled article" in (await hear(answer))["notes"]
            await site.live.apply(Withdrawn("a"))
            assert "0 articles held" in (await hear(answer))["notes"]

    visit(use)


def test_a_rush_is_told_in_few_events() -> None:
    """A hundred arrivals at once are not a hundred events."""

    async def use(site: Site) -> None:
        async with site.client.get("/events") as answer:
            await hear(answer)
            for number in range(100):
                await site.live.apply(arrival(labelled(f"a{number}")))
            heard = 1
            while (await hear(answer))["notes"] != "100 articles held":
                heard += 1
            assert heard <= 3

    visit(use)


def test_an_article_s_page_hears_of_its_article() -> None:
    """That it is the same, that there is a newer version, that it is gone."""
    article = labelled("a/b", "It rained.")

    async def use(site: Site) -> None:
        query = {"article": "a/b", "version": article.id}
        async with site.client.get("/events", params=query) as answer:
            assert (await hear(answer))["article"] == "same"
            await site.live.apply(arrival(labelled("a/b", "It snowed.")))
            assert (await hear(answer))["article"] == "newer"
            await site.live.apply(Withdrawn("a/b"))
            assert (await hear(answer))["article"] == "gone"

    visit(use, article)


def test_streams_end_with_the_viewer() -> None:
    """At once, though they would go on for ever."""
    started = 0.0

    async def use(site: Site) -> None:
        nonlocal started
        async with site.client.get("/events") as answer:
            await hear(answer)
            started = time.monotonic()
            await site.live.close()
            async with asyncio.timeout(20):
                while await answer.content.readline():
                    pass

    visit(use)
    assert time.monotonic() - started < 10


def test_a_quiet_stream_shows_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a comment now and then, so that dead connections are noticed on both sides."""
    monkeypatch.setattr(events, "_HEARTBEAT_S", 0.1)

    async def use(site: Site) -> None:
        async with site.client.get("/events") as answer:
            await hear(answer)
            async with asyncio.timeout(30):
                while await answer.content.readline() != b": still here\n":
                    pass
            assert site.live.streams == 1
        await until(lambda: not site.live.streams)

    visit(use)


def test_streams_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many open pages another is told to come again."""
    monkeypatch.setattr(events, "_MAX_STREAMS", 1)

    async def use(site: Site) -> None:
        async with site.client.get("/events") as answer:
            await hear(answer)
            await site.get("/events", 503)

    visit(use)
