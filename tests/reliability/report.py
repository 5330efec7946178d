"""Tells what came of a campaign: a table of counts, and for each promise broken what and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from tests.reliability.campaign import Result
from tests.reliability.checking import PROMISES, events_around, faults_of

# Of each promise so many offences are shown, with what happened around them.
_SHOWN: Final = 5
_EVENTS: Final = 30
# What workers end with: told to stop, broken or cut off, ended by a signal (the poison's, the
# campaign's, and SIGTERM before there is a handler for it).
_USUAL_EXITS: Final = {0, 1, -6, -9, -15}


def broken_promises(result: Result) -> list[str]:
    """The promises that were broken, each in a few words with its count."""
    verdict = result.verdict
    found = [f"{name}: {count}" for name in PROMISES if (count := verdict.count(name))]
    if result.gave_up:
        found.append("the stream stood still although no fault lasted")
    if strange := set(result.exits) - _USUAL_EXITS:
        found.append(f"workers ended with {sorted(strange)}")
    if any(result.last_exits):
        found.append(f"told to stop at the end, workers ended with {result.last_exits}")
    if result.uncommitted:
        found.append(f"not committed at the end: {result.uncommitted}")
    if result.leg.one_by_one and verdict.duplicates:
        found.append(f"duplicates after orderly events only: {verdict.duplicates}")
    return found


def tell_result(result: Result, tell: Callable[[str], None]) -> None:
    """Tell all that is to be known."""
    verdict, history = result.verdict, result.history
    faults = faults_of(history)
    rows: list[tuple[str, object]] = [
        ("records", verdict.records),
        *((f"outcomes, {kind}", count) for kind, count in sorted(verdict.outcomes.items())),
        ("faults made", len(faults) - len(result.left_out)),
        *((f"  {kind}", count) for kind, count in sorted(_kinds(result).items())),
        ("restarts", result.restarts),
        ("  of all, because the group did not settle", result.resets),
        ("  exit codes", dict(sorted(Counter(result.exits).items()))),
        *((name, verdict.count(name)) for name in PROMISES),
        ("duplicates, identical", verdict.duplicates - verdict.count("different")),
        ("  of what was committed before", verdict.late),
        ("  most after one fault", verdict.most_after_one_fault),
        ("seconds", round(result.seconds)),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        tell(f"{name:<{width}}  {value}")
    for name in PROMISES:
        for offence in [one for one in verdict.offences if one.promise == name][:_SHOWN]:
            tell(f"\n{name.upper()}: {offence.what}")
            if offence.time_s is not None:
                for event in events_around(history, offence.time_s)[:_EVENTS]:
                    mark = "*" if event.is_fault else " "
                    tell(f"  {mark} {event.time_s:8.1f} s  {event.name} {event.details}")
    broken = broken_promises(result)
    tell("BROKEN: " + "; ".join(broken) if broken else "kept")


def _kinds(result: Result) -> Counter[str]:
    kinds = Counter(event.name for event in faults_of(result.history))
    return kinds - Counter(result.left_out)
