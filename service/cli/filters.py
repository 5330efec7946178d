"""The options that say which dead letters are meant."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.edge import MISUSED, fail

if TYPE_CHECKING:
    from service.dlq.records import Selection

Stage = Annotated[
    str | None, typer.Option(help="Only of this stage: decode, segment, infer, assemble, deliver.")
]
Reason = Annotated[
    str | None, typer.Option(help="Only with this exception class, or this in the message.")
]
Since = Annotated[
    str | None, typer.Option(help="Only written since then: RFC 3339, or 30m, 2h, 1d back.")
]
Until = Annotated[str | None, typer.Option(help="Only written before then; like --since.")]
Offsets = Annotated[
    list[str] | None,
    typer.Option(help="Only these: PARTITION:FROM-TO, both included. Repeatable."),
]
SourceOffsets = Annotated[
    list[str] | None,
    typer.Option(help="Only of articles that were at PARTITION:FROM-TO. Repeatable."),
]
Key = Annotated[str | None, typer.Option(help="Only with this key; as text, or as base64:….")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the oldest so many.")]


def selection(  # noqa: PLR0913 - the filters
    *,
    stage: str | None,
    reason: str | None,
    since: str | None,
    until: str | None,
    offsets: list[str] | None,
    source_offsets: list[str] | None,
    key: str | None,
    limit: int | None,
) -> Selection:
    """What the filters mean; exits with 2 where one cannot be understood."""
    from service.dlq.records import (
        Selection,
        SelectionError,
        parse_key,
        parse_offsets,
        parse_time,
    )

    now_ms = time.time_ns() // 1_000_000
    try:
        return Selection(
            stage=stage,
            reason=reason,
            since_ms=None if since is None else parse_time(since, now_ms),
            until_ms=None if until is None else parse_time(until, now_ms),
            offsets=tuple(map(parse_offsets, offsets or ())),
            source_offsets=tuple(map(parse_offsets, source_offsets or ())),
            keys=frozenset() if key is None else parse_key(key),
            limit=limit,
        )
    except SelectionError as error:
        fail(error, MISUSED)
