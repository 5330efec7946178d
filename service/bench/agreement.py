"""Do the backends label as the network in float32 does?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from service.bench.contenders import Contender
from service.bench.results import Agreement
from service.bench.texts import Text


def measure_agreement(
    reference: Contender,
    backends: Sequence[Contender],
    texts: Sequence[Text],
    seconds: float,
    say: Callable[[str], None],
) -> list[Agreement]:
    """Compare labels article by article, until all are compared or the time is up.

    Args:
        reference: our labeller with its network in float32, started.
        backends: ours, started.
        texts: the articles.
        seconds: for all of it, about.
        say: told what is being done.
    """
    end = time.monotonic() + seconds
    wanted: list[str] = []
    found: list[list[str]] = [[] for _ in backends]
    for count, text in enumerate(texts, 1):
        if wanted and time.monotonic() > end:
            break
        say(f"article {count} of {len(texts)}: labels against float32")
        wanted += reference.label([text.text]).labels[0]
        for number, backend in enumerate(backends):
            found[number] += backend.label([text.text]).labels[0]
    return [
        Agreement(
            size=backend.size,
            backend=backend.name,
            sentences=len(wanted),
            differing=differing(wanted, labels),
        )
        for backend, labels in zip(backends, found, strict=True)
    ]


def differing(wanted: Sequence[str], found: Sequence[str]) -> float:
    """Share of the labels that are not the wanted ones."""
    differ = [one != other for one, other in zip(wanted, found, strict=True)]
    return sum(differ) / len(differ)
