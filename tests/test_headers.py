"""Headers of what goes out."""

import pytest

from service.headers import labelled_headers, tombstone_headers
from service.records import SourceRecord

TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def record(**changes: object) -> SourceRecord:
    """A record, with some of it changed."""
    whole = SourceRecord("news.articles.v1", 3, 14, 1_700_000_000_123, b"k", b"v", [])
    return whole._replace(**changes)  # type: ignore[arg-type]


def test_a_labelled_article_is_a_cloudevent() -> None:
    """All headers that CloudEvents' binary mode requires are there, and where it came from."""
    assert dict(labelled_headers(record(), "abc")) == {
        "ce_specversion": b"1.0",
        "ce_type": b"claimstream.article.labelled.v1",
        "ce_source": b"/claimstream",
        "ce_id": b"abc",
        "ce_time": b"2023-11-14T22:13:20.123Z",
        "content-type": b"application/json",
        "claimstream_source_topic": b"news.articles.v1",
        "claimstream_source_partition": b"3",
        "claimstream_source_offset": b"14",
    }


def test_replays_repeat_them() -> None:
    """The same record gives the same headers, so duplicates are the same throughout."""
    assert labelled_headers(record(), "abc") == labelled_headers(record(), "abc")


def test_a_tombstone_has_no_content() -> None:
    """A tombstone is an event too, named by its place, without a content type."""
    headers = dict(tombstone_headers(record()))
    assert headers["ce_type"] == b"claimstream.article.removed.v1"
    assert headers["ce_id"] == b"news.articles.v1/3/14"
    assert "content-type" not in headers


def test_without_a_timestamp_there_is_no_time() -> None:
    """A record that carries no time gives an event without one."""
    assert "ce_time" not in dict(labelled_headers(record(timestamp_ms=None), "abc"))


@pytest.mark.parametrize("timestamp_ms", [253_402_300_800_000, 1_700_000_000_123_000, 2**63 - 1])
def test_a_time_that_no_calendar_holds_is_left_out(timestamp_ms: int) -> None:
    """A producer that counts in microseconds stops nothing: its events have no time."""
    odd = record(timestamp_ms=timestamp_ms)
    assert "ce_time" not in dict(labelled_headers(odd, "abc")) | dict(tombstone_headers(odd))
    last = record(timestamp_ms=253_402_300_799_999)
    assert dict(labelled_headers(last, "abc"))["ce_time"] == b"9999-12-31T23:59:59.999Z"


def test_the_last_well_formed_trace_is_carried_over() -> None:
    """Of several traces the last counts; malformed ones and other headers are left behind."""
    given = [
        ("traceparent", TRACE.replace(b"4bf", b"000")),
        ("traceparent", TRACE),
        ("traceparent", b"00-xyz"),
        ("secret", b"x"),
    ]
    headers = labelled_headers(record(headers=given), "abc")
    assert [value for name, value in headers if name == "traceparent"] == [TRACE]
    assert "secret" not in dict(headers)


@pytest.mark.parametrize(
    ("trace", "states", "carried"),
    [
        (TRACE, [b"desk=1"], b"desk=1"),
        (TRACE, [b"desk=1", b"", b"wire=2"], b"desk=1,wire=2"),
        (TRACE, [b"x=" + b"1" * 510], b"x=" + b"1" * 510),
        (TRACE, [b"x=" + b"1" * 511], None),
        (TRACE, [b"desk=\xff"], None),
        (TRACE, [], None),
        (b"00-xyz", [b"desk=1"], None),
    ],
    ids=["one", "several", "longest", "too long", "not ASCII", "none", "no parent"],
)
def test_the_state_of_a_trace_goes_along(
    trace: bytes, states: list[bytes], carried: bytes | None
) -> None:
    """What those on the way added comes with a well-formed trace only, and within its bounds."""
    given = [("traceparent", trace), *(("tracestate", state) for state in states)]
    for headers in (
        labelled_headers(record(headers=given), "abc"),
        tombstone_headers(record(headers=given)),
    ):
        assert dict(headers).get("tracestate") == carried
