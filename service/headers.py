"""Headers of what goes out: CloudEvents in binary mode, the trace, and where it came from.

They hold the times and positions that the value must not hold. All of them follow from the source
record alone, so a replay of the same record repeats them too; all but the trace, where the service
is traced (service.record_spans): it then names the span in which this very record was sent.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from service.records import Headers, SourceRecord

LABELLED: Final = "claimstream.article.labelled.v1"
REMOVED: Final = "claimstream.article.removed.v1"

_SPEC_VERSION: Final = b"1.0"
_SOURCE: Final = b"/claimstream"
TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# W3C Trace Context: what is malformed is to be ignored, not passed on.
_WELL_FORMED_TRACE: Final = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
# Longer ones need not be passed on.
_STATE: Final = re.compile(rb"[ -~]{1,512}")


def labelled_headers(record: SourceRecord, labelled_id: str) -> Headers:
    """Headers of a labelled article; its id is the event's id, so duplicates share it."""
    content_type = ("content-type", b"application/json")
    return [*_event(record, LABELLED, labelled_id), content_type, *_origin(record)]


def tombstone_headers(record: SourceRecord) -> Headers:
    """Headers of a tombstone, whose id is its place in the input."""
    place = f"{record.topic}/{record.partition}/{record.offset}"
    return [*_event(record, REMOVED, place), *_origin(record)]


def traceparent(record: SourceRecord) -> bytes | None:
    """The trace that a record came with: of several that are well-formed, the last."""
    found = [
        value
        for name, value in record.headers
        if name == TRACEPARENT and _WELL_FORMED_TRACE.fullmatch(value)
    ]
    return found[-1] if found else None


def trace_headers(record: SourceRecord) -> Headers:
    """The trace that a record came with, and what those on its way have added to it.

    Source: W3C Trace Context, level 1: the state goes with a well-formed parent only; several
    headers of it count as one list.
    """
    trace = traceparent(record)
    if trace is None:
        return []
    state = b",".join(value for name, value in record.headers if name == TRACESTATE and value)
    if not _STATE.fullmatch(state):
        return [(TRACEPARENT, trace)]
    return [(TRACEPARENT, trace), (TRACESTATE, state)]


def _event(record: SourceRecord, kind: str, event_id: str) -> Headers:
    headers = [
        ("ce_specversion", _SPEC_VERSION),
        ("ce_type", kind.encode()),
        ("ce_source", _SOURCE),
        ("ce_id", event_id.encode()),
    ]
    # The time of the source record. When it was labelled is the output record's own time.
    if record.timestamp_ms is not None and (time := _rfc3339(record.timestamp_ms)):
        headers.append(("ce_time", time.encode()))
    return headers


def _rfc3339(timestamp_ms: int) -> str | None:
    """A time in words; None beyond the year 9999, where a producer counts in another unit."""
    try:
        time = _EPOCH + timedelta(milliseconds=timestamp_ms)
    except OverflowError:
        return None
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _origin(record: SourceRecord) -> Headers:
    return [
        *trace_headers(record),
        ("claimstream_source_topic", record.topic.encode()),
        ("claimstream_source_partition", str(record.partition).encode()),
        ("claimstream_source_offset", str(record.offset).encode()),
    ]
