"""Latency of one article: alone, and while others come and have to be waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import fmean, median
from typing import Final, NamedTuple

import numpy as np

from service.bench.arrivals import due_times, open_loop
from service.bench.contenders import Contender
from service.bench.percentiles import percentiles
from service.bench.results import LatencyFigures
from service.bench.texts import Text

LOADS: Final = (0.5, 0.9)
# Of the time: for one article alone, then for each load.
_SHARES: Final = (0.25, 0.35, 0.40)
_LEAST, _MOST = 5, 2000


class Served(NamedTuple):
    """One labelling: of which article, and its latency in seconds."""

    which: int
    seconds: float


def measure_latency(
    contender: Contender,
    texts: Sequence[Text],
    seconds: float,
    say: Callable[[str], None],
) -> list[LatencyFigures]:
    """Measure latency alone and at each load.

    The time counts from when the article is due to when its labels are back, the way through a
    pipe to the labeller's process included.

    Args:
        contender: our labeller, started.
        texts: the articles.
        seconds: for all of it, about.
        say: told what is being done.
    """
    say("latency of one article alone")
    alone = _alone(contender, texts, seconds * _SHARES[0])
    own = _own_times(alone)
    found = [_figures(contender, None, alone, own)]
    for load, share in zip(LOADS, _SHARES[1:], strict=True):
        rate = load / fmean(own)
        count = max(_LEAST, min(_MOST, int(seconds * share * rate)))
        say(f"latency of {count} articles at {load:.0%} load")
        served = _at_load(contender, texts[: len(own)], rate, count)
        found.append(_figures(contender, load, served, own))
    return found


def _alone(contender: Contender, texts: Sequence[Text], seconds: float) -> list[Served]:
    """Label articles one by one, all of them in turn, until the time is up."""
    end = time.monotonic() + seconds
    served: list[Served] = []
    while not served or time.monotonic() < end:
        which = len(served) % len(texts)
        start = time.monotonic()
        contender.label([texts[which].text])
        served.append(Served(which, time.monotonic() - start))
    return served


def _own_times(alone: Sequence[Served]) -> list[float]:
    """The median seconds of each article labelled alone; the first ones, as many as were."""
    count = max(one.which for one in alone) + 1
    return [median(one.seconds for one in alone if one.which == n) for n in range(count)]


def _at_load(contender: Contender, texts: Sequence[Text], rate: float, count: int) -> list[Served]:
    """Label so many articles, drawn at random, that come at so many a second on average."""
    drawn: list[int] = np.random.default_rng(count).integers(len(texts), size=count).tolist()

    def serve(number: int) -> None:
        contender.label([texts[drawn[number]].text])

    latencies = open_loop(due_times(rate, count, seed=count), serve)
    return [Served(*one) for one in zip(drawn, latencies, strict=True)]


def _figures(
    contender: Contender, load: float | None, served: Sequence[Served], own: Sequence[float]
) -> LatencyFigures:
    return LatencyFigures(
        size=contender.size,
        variant=contender.name,
        load=load,
        articles=len(served),
        ms=percentiles([one.seconds * 1000 for one in served]),
        own=percentiles([one.seconds / own[one.which] for one in served]),
    )
