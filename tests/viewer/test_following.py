"""What each record of the labelled topic is taken for."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from service.viewer import following
from service.viewer.following import Arrived, Event, Strange, Withdrawn
from service.viewer.store import Place
from tests.viewer.samples import changed, labelled

ARTICLE = labelled("a")
ORIGIN = (
    ("claimstream_source_topic", b"articles"),
    ("claimstream_source_partition", b"2"),
    ("claimstream_source_offset", b"41"),
)


def record(
    value: bytes | None,
    key: bytes | None = b"a",
    timestamp: int = 0,
    headers: tuple[tuple[str, bytes], ...] = (),
) -> Any:
    """A record as the client gives it."""
    return SimpleNamespace(
        key=key, value=value, timestamp=timestamp, partition=3, offset=7, headers=headers
    )


def read(record: Any) -> Event:
    """Take it for something, where the articles topic is *articles*."""
    return following.read(record, "articles")


def test_a_labelled_article() -> None:
    """With its bytes and its time."""
    value = ARTICLE.to_json().encode()
    event = read(record(value, timestamp=1_795_507_200_000))
    assert event == Arrived(ARTICLE, len(value), datetime(2026, 11, 24, 8, 0, tzinfo=UTC))


def test_where_the_article_lies() -> None:
    """As the headers say, unless the article brings its text along."""
    event = read(record(ARTICLE.to_json().encode(), headers=ORIGIN))
    assert isinstance(event, Arrived)
    assert event.place == Place(2, 41)
    text = "It rained."
    with_text = labelled("a", text).model_copy(update={"text": text})
    event = read(record(with_text.to_json().encode(), headers=ORIGIN))
    assert isinstance(event, Arrived)
    assert event.place is None


def test_a_tombstone() -> None:
    """Names the article by its key."""
    assert read(record(None, "ü/1".encode())) == Withdrawn("ü/1")
    assert read(record(None, None)) == Withdrawn("")
    assert isinstance(read(record(None, b"\xff")), Strange)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"null",
        b"[]",
        b"rubbish",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"id": "a", "body": "an article that is not labelled"}',
        ARTICLE.to_json().replace("claims/1", "claims/2").encode(),
        ARTICLE.to_json().replace('"index":0', '"index":-1').encode(),
        ARTICLE.to_json().replace('"title":null', '"title":"\\ud800"').encode(),
        changed(ARTICLE, 1, end=10_000).to_json().encode(),
        changed(ARTICLE, 1, index=5).to_json().encode(),
    ],
)
def test_anything_else_is_strange(value: bytes) -> None:
    """Whatever it is, it is counted, and where it lies is said; its words are not."""
    event = read(record(value))
    assert isinstance(event, Strange)
    assert event.reason.startswith("partition 3, offset 7: ")
    assert "Ortiz" not in event.reason


@pytest.mark.parametrize("timestamp", [-1, 10**17, -(10**17)])
def test_any_timestamp_is_a_time(timestamp: int) -> None:
    """Producers may send what they like."""
    assert isinstance(read(record(ARTICLE.to_json().encode(), timestamp=timestamp)), Arrived)


def test_numbers_without_end_are_refused() -> None:
    """Infinities and absurd offsets make no page."""
    article = json.loads(ARTICLE.to_json())
    article["sentences"][0]["confidence"] = float("inf")
    assert isinstance(read(record(json.dumps(article).encode())), Strange)
    article["sentences"][0] |= {"confidence": 0.5, "start": 10**30}
    assert isinstance(read(record(json.dumps(article).encode())), Strange)
