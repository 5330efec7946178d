"""The whole measurement of the stream: through a broker, with real workers, beside the labeller."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path
from statistics import fmean, median
from typing import Final, NamedTuple

from service.bench.arrivals import due_times
from service.bench.busy import Parts, Stretch, resident_mb
from service.bench.contenders import Contender
from service.bench.crew import BenchWorker, bench_workers, wait_until_shared
from service.bench.flow import Flow, open_flow
from service.bench.machine import describe_machine, notes_on
from service.bench.percentiles import percentiles
from service.bench.placement import Placement, allowed_cores, pin, pinned, place
from service.bench.results import StreamFigures, StreamLatency, StreamReport
from service.bench.texts import Text
from service.bench.variants import AUTO
from service.broker import EmbeddedBroker
from service.kafka import admin_client
from service.processes import QUICK
from service.release import check
from service.settings import Settings
from service.topics import create

LOADS: Final = (0.25, 0.5, 0.75, 0.9)
# Of the time: for the rates, the rest for the latencies.
_RATE_SHARE: Final = 0.45
_LEAST, _MOST = 5, 2000
_OWN_TRIES: Final = 3


class StreamDurations(NamedTuple):
    """Seconds for one number of workers, starts not counted, and how many rounds of rates."""

    seconds: float
    rounds: int

    @property
    def part_s(self) -> float:
        """Seconds of one part of a round: the stream's, or the labeller's alone."""
        return self.seconds * _RATE_SHARE / self.rounds / 2

    @property
    def load_s(self) -> float:
        """Seconds of latency at one load."""
        return self.seconds * (1 - _RATE_SHARE) / len(LOADS)


class Setup(NamedTuple):
    """What is measured, how long, and who is told what is being done."""

    settings: Settings
    texts: Sequence[Text]
    durations: StreamDurations
    say: Callable[[str], None]

    @property
    def mean_sentences(self) -> float:
        """Sentences of an article."""
        return fmean(text.sentences for text in self.texts)

    def articles(self, count: int) -> list[Text]:
        """So many articles, in turn."""
        return list(islice(cycle(self.texts), count))


class Rate(NamedTuple):
    """What the rounds gave: articles of each, sentences a second of the stream and alone."""

    articles: int
    stream: list[float]
    alone: list[float]


def measure_stream(setup: Setup, workers: Sequence[int], *, embedded: bool) -> StreamReport:
    """Measure the way from topic to topic with each number of workers.

    Args:
        setup: the cluster, the topics' shape and the model; the articles; how long.
        workers: how many workers, one measurement each.
        embedded: start a broker of our own instead of using the cluster of the settings.

    Raises:
        service.release.ReleaseError: the model is missing or damaged.
        service.bench.errors.BenchError: a worker failed, or an article did not come out.
        service.broker.BrokerStartError: the embedded broker cannot be started.
        service.kafka.BrokerError: the cluster cannot be reached.
        aiokafka.errors.KafkaError: the cluster failed.
    """
    machine = describe_machine()
    settings = setup.settings
    check(settings.model.folder)
    places = [place(count, allowed_cores()) for count in workers]
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        setup.say("starting the labeller alone")
        alone = stack.enter_context(Contender(AUTO, settings.model, Path(scratch)))
        broker_pid = 0
        if embedded:
            broker = stack.enter_context(EmbeddedBroker())
            broker_pid = broker.pid
            settings = _with(settings, "kafka", bootstrap_servers=broker.bootstrap_servers)
            setup = setup._replace(settings=settings)
        streams: list[StreamFigures] = []
        for placement in places:
            pin(broker_pid, placement.load if embedded else ())
            with pinned(placement.load):
                streams.append(_with_workers(setup, placement, alone, broker_pid))
        shared = [
            f"{len(placement.workers)} workers, broker and load share {placement.worker_cores} "
            "cores: what the others take is missing from the workers"
            for placement in places
            if placement.is_shared
        ]
        return StreamReport(
            machine=machine,
            size=alone.size,
            variant=alone.name,
            broker="embedded" if embedded else settings.kafka.bootstrap_servers,
            pinning="; ".join(dict.fromkeys(map(str, places))),
            streams=_beside_one(streams),
            notes=(*notes_on(machine), *shared),
        )


def _beside_one(streams: Sequence[StreamFigures]) -> tuple[StreamFigures, ...]:
    """Say how much faster each is than one worker, if that was measured."""
    one = next((stream.sentences_per_s for stream in streams if stream.workers == 1), None)
    return tuple(
        stream.model_copy(update={"against_one": one and stream.sentences_per_s / one})
        for stream in streams
    )


def _with_workers(
    setup: Setup, placement: Placement, alone: Contender, broker_pid: int
) -> StreamFigures:
    """Measure with workers, topics and a group that are there for this alone."""
    count = len(placement.workers)
    name = f"claimstream-bench-{uuid.uuid4().hex[:12]}"
    settings = _with(
        _with(setup.settings, "kafka", group=name),
        "topics",
        articles=f"{name}.articles",
        claims=f"{name}.claims",
        dead_letters=f"{name}.dlq",
        partitions=max(count, setup.settings.topics.partitions),
    )
    settings = _with(settings, "kafka", **QUICK)
    setup = setup._replace(settings=settings)
    asyncio.run(create(settings))
    try:
        with (
            tempfile.TemporaryDirectory() as scratch,
            bench_workers(settings, placement, Path(scratch)) as crew,
        ):
            setup.say(f"starting {_workers(count)}")
            wait_until_shared(crew, settings.topics.partitions)
            pin(alone.pid, placement.workers[:1])
            parts = Parts([worker.process.pid for worker in crew], broker_pid)
            return asyncio.run(_measure(setup, placement, alone, crew, Stretch(parts)))
    finally:
        asyncio.run(_remove_topics(settings))


async def _measure(
    setup: Setup,
    placement: Placement,
    alone: Contender,
    crew: Sequence[BenchWorker],
    stretch: Stretch,
) -> StreamFigures:
    def check_crew() -> None:
        for worker in crew:
            worker.check()

    async with open_flow(setup.settings, check_crew) as flow:
        rate = await _rates(flow, setup, len(crew), alone, stretch)
        capacity = median(rate.stream) / setup.mean_sentences
        own = await asyncio.to_thread(_own_times, alone, setup)
        latency = [await _latency(flow, setup, load, capacity, own) for load in LOADS]
    resident = [found for worker in crew if (found := resident_mb(worker.process.pid))]
    return StreamFigures(
        workers=len(crew),
        worker_cores=placement.worker_cores,
        shares_cores=placement.is_shared,
        rounds=len(rate.stream),
        articles=rate.articles,
        sentences_per_s=median(rate.stream),
        lowest=min(rate.stream),
        highest=max(rate.stream),
        alone_sentences_per_s=median(rate.alone),
        ratio=median(rate.stream) / median(rate.alone) / placement.worker_cores,
        against_one=None,
        busy=stretch.busy,
        resident_mb=max(resident, default=None),
        latency=tuple(latency),
    )


async def _rates(
    flow: Flow, setup: Setup, workers: int, alone: Contender, stretch: Stretch
) -> Rate:
    """The stream and the labeller alone in turns, on the same articles."""
    setup.say(f"{_workers(workers)}: one article first")
    first = setup.texts[0]
    labelled = await asyncio.to_thread(alone.label, [first.text])
    article_s = labelled.seconds / first.sentences * setup.mean_sentences
    await flow.send([first] * workers, [0.0] * workers, article_s * workers)
    count = max(workers, int(setup.durations.part_s / article_s))
    chosen = setup.articles(count)
    sentences = sum(text.sentences for text in chosen)
    rate = Rate(count, [], [])
    for number in range(1, setup.durations.rounds + 1):
        setup.say(f"{_workers(workers)}: round {number}, {count} articles")
        with stretch:
            latencies = await flow.send(chosen, [0.0] * count, article_s * count)
        rate.stream.append(sentences / max(latencies))
        labelled = await asyncio.to_thread(alone.label, [text.text for text in chosen])
        rate.alone.append(sentences / labelled.seconds)
    return rate


def _own_times(alone: Contender, setup: Setup) -> list[float]:
    """The median seconds of each article labelled alone, on the first worker's core."""
    setup.say("each article alone")
    return [
        median(alone.label([text.text]).seconds for _ in range(_OWN_TRIES)) for text in setup.texts
    ]


async def _latency(
    flow: Flow, setup: Setup, load: float, capacity: float, own: Sequence[float]
) -> StreamLatency:
    """Articles that come at a share of what the stream can do, whether it keeps up or not."""
    rate = load * capacity
    count = max(_LEAST, min(_MOST, int(setup.durations.load_s * rate)))
    setup.say(f"{count} articles at {load:.0%} of {capacity:.1f} a second")
    due = due_times(rate, count, seed=count)
    latencies = await flow.send(setup.articles(count), due, count / capacity)
    return StreamLatency(
        load=load,
        articles_per_s=rate,
        articles=count,
        ms=percentiles([latency * 1000 for latency in latencies]),
        own=percentiles(
            [latency / alone_s for latency, alone_s in zip(latencies, cycle(own), strict=False)]
        ),
    )


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"


async def _remove_topics(settings: Settings) -> None:
    """Take away the topics that were made for this; a cluster that refuses keeps them."""
    topics = settings.topics
    async with admin_client(settings.kafka) as client:
        await client.delete_topics([topics.articles, topics.claims, topics.dead_letters])


def _with(settings: Settings, section: str, /, **changes: object) -> Settings:
    """The settings with some of one group changed."""
    changed = getattr(settings, section).model_copy(update=changes)
    return settings.model_copy(update={section: changed})
