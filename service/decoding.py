"""First step on the way: a record's value becomes an article, a tombstone or a data error."""

from __future__ import annotations

from typing import overload

from pydantic import ValidationError

from service.contracts import Article


class DecodeError(ValueError):
    """The record's value is no article; the message says why in one line."""


@overload
def decode(value: None) -> None: ...


@overload
def decode(value: bytes) -> Article: ...


@overload
def decode(value: bytes | None) -> Article | None: ...


def decode(value: bytes | None) -> Article | None:
    """Read an article from a record's value.

    Args:
        value: UTF-8 JSON, or None for a tombstone.

    Returns:
        The article, or None for a tombstone.

    Raises:
        DecodeError: the value is not UTF-8, not JSON, or JSON of another shape.
    """
    if value is None:
        return None
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"not UTF-8: {error.reason} at byte {error.start}"
        raise DecodeError(message) from error
    try:
        return Article.model_validate_json(text)
    except ValidationError as error:
        raise DecodeError(_one_line(error)) from error


def _one_line(error: ValidationError) -> str:
    """Say what is wrong with which field, without quoting the producer's data."""
    faults = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        field = ".".join(str(part) for part in fault["loc"])
        reason = fault["msg"].removeprefix("Value error, ")
        faults.append(f"{field}: {reason}" if field else reason)
    return "; ".join(faults)
