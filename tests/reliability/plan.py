"""The plan of faults: drawn from a seed alone, so that the same seed gives the same plan."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple


class Kind(NamedTuple):
    """A kind of fault and how long it lasts, in seconds (0: a moment)."""

    name: str
    shortest_s: float = 0.0
    longest_s: float = 0.0


class Fault(NamedTuple):
    """One fault: when (seconds from the start), what, to which worker, for how long."""

    at_s: float
    kind: str
    worker: int
    seconds: float

    def __str__(self) -> str:
        """One line of the plan."""
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.at_s:7.1f} s  {self.kind}{lasting} (worker {self.worker})"


# A session of the campaign's workers; what is paused for longer is thrown out of its group.
SESSION_S: Final = 6.0

ORDERLY: Final = (
    Kind("told to stop"),
    Kind("one worker less", 3, 6),
    Kind("workers added", 4, 8),
    Kind("more workers than partitions", 6, 10),
)
# What needs the broker's process, and the same of a cluster whose restart is a command.
OF_THE_BROKER: Final = (Kind("broker paused", 0.5, 2.5), Kind("broker paused for long", 7, 10))
RESTART: Final = Kind("broker restarted", 5, 10)
OF_THE_NETWORK: Final = (
    Kind("all connections cut"),
    Kind("a worker's connections cut"),
    Kind("connections torn in mid-request", 0.5, 2),
    Kind("network stands still for a worker", 1, 10),
    Kind("network stands still for all", 1, 10),
    Kind("black hole for a worker", 1, 10),
    Kind("black hole for all", 1, 10),
    Kind("connections refused", 1, 5),
    Kind("network slow", 1, 5),
    Kind("network throttled", 1, 5),
    Kind("answers lost", 0.5, 2),
    Kind("records refused for a while", 0.5, 3),
    Kind("records refused, storage full", 0.5, 3),
    Kind("records refused for good", 0.5, 2),
)
DISORDERLY: Final = (
    Kind("killed"),
    Kind("all killed"),
    Kind("paused", 0.5, SESSION_S / 2),
    Kind("paused for long", SESSION_S * 1.5, SESSION_S * 2.5),
    Kind("model slow", 1, 4),
    Kind("model fails each third call", 2, 6),
    Kind("model fails altogether", 1, 4),
    Kind("article out of memory"),
    Kind("article aborts the process"),
    Kind("clock stepped on", 2, 8),
    Kind("clock stepped back", 2, 8),
)


def make_plan(
    seed: int, kinds: Sequence[Kind], faults: int, length_s: float, workers: int
) -> list[Fault]:
    """Draw a plan: every kind comes once before any comes twice, in random order.

    Args:
        seed: what all is drawn from.
        kinds: what there is.
        faults: how many are wanted.
        length_s: over how many seconds they are spread.
        workers: how many there are to choose from.
    """
    drawn = random.Random(seed)
    deck: list[Kind] = []
    plan = []
    step_s = length_s / max(1, faults)
    for number in range(faults):
        if not deck:
            deck = list(kinds)
            drawn.shuffle(deck)
        kind = deck.pop()
        at_s = (number + drawn.uniform(0.1, 0.9)) * step_s
        seconds = drawn.uniform(kind.shortest_s, kind.longest_s)
        plan.append(Fault(at_s, kind.name, drawn.randrange(workers), seconds))
    return plan


def without(kinds: Sequence[Kind], left_out: Collection[Kind]) -> list[Kind]:
    """Kinds but those left out."""
    return [kind for kind in kinds if kind not in left_out]
