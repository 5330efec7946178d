"""The record that an article came in, as Kafka handed it over."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

Headers = list[tuple[str, bytes]]


def printable(name: str) -> str:
    r"""Make a header's name one that can be sent: what was no UTF-8 in it is written as \xff.

    Args:
        name: with lone surrogates for such bytes (service.header_names).
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class SourceRecord(NamedTuple):
    """Everything about an input record that decides what becomes of it.

    ``timestamp_ms`` is in milliseconds since 1970; None when the record carries none.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int | None
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def size(self) -> int:
        """Bytes of the value."""
        return len(self.value or b"")

    @classmethod
    def from_message(cls, message: Any) -> Self:
        """Take over a message of Faust's, whose timestamp is in seconds."""
        timestamp = message.timestamp
        return cls(
            message.topic,
            message.partition,
            message.offset,
            None if timestamp is None or timestamp < 0 else round(timestamp * 1000),
            message.key,
            message.value,
            [(printable(name), value or b"") for name, value in message.headers or ()],
        )
