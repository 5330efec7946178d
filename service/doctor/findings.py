"""What a check says: one line of what was found, and one of what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

Status = Literal["ok", "warn", "fail", "not checked"]


class Finding(NamedTuple):
    """The outcome of a check; ``do`` is None where there is nothing to be done."""

    check: str
    status: Status
    found: str
    do: str | None = None


def ok(check: str, found: str) -> Finding:
    """All is well."""
    return Finding(check, "ok", found)


def warn(check: str, found: str, do: str) -> Finding:
    """It works, but not as it should."""
    return Finding(check, "warn", found, do)


def fail(check: str, found: str, do: str) -> Finding:
    """It does not work."""
    return Finding(check, "fail", found, do)


def unchecked(check: str, because: str) -> Finding:
    """It cannot be told, or an earlier fault stands in the way."""
    return Finding(check, "not checked", because)


def attempt(check: str, run: Callable[[], Finding]) -> Finding:
    """Run a check; an error of its own is a fault found, and the other checks go on."""
    try:
        return run()
    except Exception as error:  # noqa: BLE001 - a doctor that breaks down is of no use
        return broken(check, error)


def broken(check: str, error: Exception) -> Finding:
    """A check that came to no end."""
    said = " ".join(f"{type(error).__name__}: {error}".split())
    return fail(check, said, "look whether the other lines explain it; else report it as a bug")
