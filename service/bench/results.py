"""What a measurement gives, as it is printed with ``--json``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

# What the linear layers multiply.
Numbers = Literal["float32", "bfloat16", "int8"]


class Result(BaseModel):
    """A part of the results: immutable, nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Percentiles(Result):
    """Percentiles; None where there were too few values for one."""

    p50: float | None
    p95: float | None
    p99: float | None


class Machine(Result):
    """Where it was measured. ``load_before`` is the system's load average (1 min) at the start."""

    processor: str
    features: tuple[str, ...]
    cores: int
    usable_cores: int
    memory_gib: float
    system: str
    python: str
    packages: dict[str, str]
    load_before: float
    peak_gflops: dict[Numbers, float | None] = {}


class VariantFigures(Result):
    """One way to label, with one compute thread.

    ``sentences_per_s`` is the median of the rounds, ``lowest`` and ``highest`` their range; the
    ratio is to hand-written padded batches in the same rounds. ``floor_sentences_per_s`` is what
    one core could do at most in the variant's layout and numbers.
    """

    size: str
    name: str
    ours: bool
    is_auto: bool
    numbers: Numbers
    sentences_per_s: float
    lowest: float
    highest: float
    ratio: float
    floor_sentences_per_s: float | None
    floor_share: float | None
    startup_s: float
    resident_mb: float | None


class Rounds(Result):
    """What was labelled in each round, and how many rounds there were."""

    size: str
    articles: int
    sentences: int
    rounds: int


class LatencyFigures(Result):
    """From an article's coming to its being labelled.

    ``load`` is the share of the time that the labeller is at work; None is one article alone.
    ``own`` is the latency in units of the same article's own labelling time.
    """

    size: str
    variant: str
    load: float | None
    articles: int
    ms: Percentiles
    own: Percentiles


class LengthPoint(Result):
    """The cost of texts of so many words; ``ms_per_word`` of all of them together."""

    words: int
    texts: int
    sentences: int
    ms_per_word: float


class AmountPoint(Result):
    """The cost of so many articles, one after the other."""

    articles: int
    sentences: int
    ms_per_sentence: float


class LengthFigures(Result):
    """Cost against length and against number.

    The deviations are the largest from the points' mean: of ``ms_per_word`` from 1,000 words on, of
    ``ms_per_sentence`` over all amounts. None where there were not two points.
    """

    size: str
    variant: str
    points: tuple[LengthPoint, ...]
    left_out: tuple[int, ...]
    length_deviation: float | None
    amounts: tuple[AmountPoint, ...]
    amount_deviation: float | None


class Agreement(Result):
    """Share of the sentences that a backend labels otherwise than the network in float32 does."""

    size: str
    backend: str
    sentences: int
    differing: float


class Report(Result):
    """A whole measurement of the labeller."""

    machine: Machine
    rounds: tuple[Rounds, ...]
    variants: tuple[VariantFigures, ...]
    latency: tuple[LatencyFigures, ...]
    length: tuple[LengthFigures, ...]
    agreement: tuple[Agreement, ...]
    notes: tuple[str, ...]


class StreamLatency(Result):
    """From when an article is due to be published to its coming out, at a share of the capacity.

    ``own`` is the latency in units of the same article's own labelling time.
    """

    load: float
    articles_per_s: float
    articles: int
    ms: Percentiles
    own: Percentiles


class Busy(Result):
    """Cores that each part kept busy, on average; None where it could not be told."""

    workers: float | None
    broker: float | None
    load: float | None


class StreamFigures(Result):
    """The way from topic to topic with so many workers.

    ``ratio`` compares with the labeller alone on as many cores as the workers have,
    ``against_one`` with the stream of one worker, where that was measured too. ``busy`` is while
    the stream went as fast as it could, ``resident_mb`` the most that a worker had at the end.
    """

    workers: int
    worker_cores: int
    shares_cores: bool
    rounds: int
    articles: int
    sentences_per_s: float
    lowest: float
    highest: float
    alone_sentences_per_s: float
    ratio: float
    against_one: float | None
    busy: Busy
    resident_mb: float | None
    latency: tuple[StreamLatency, ...]


class StreamReport(Result):
    """A whole measurement of the stream."""

    machine: Machine
    size: str
    variant: str
    broker: str
    pinning: str
    streams: tuple[StreamFigures, ...]
    notes: tuple[str, ...]
