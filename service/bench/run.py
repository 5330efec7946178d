"""The whole measurement of the labeller, size by size."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

from service.bench.agreement import measure_agreement
from service.bench.contenders import PEAKS, Contender
from service.bench.durations import Durations
from service.bench.floor import (
    Encoder,
    floor_s,
    read_config,
    read_encoder,
    sentence_lengths,
    window_lengths,
)
from service.bench.latency import measure_latency
from service.bench.length import measure_length
from service.bench.machine import describe_machine, notes_on
from service.bench.rates import Rates, highest, take_turns
from service.bench.results import (
    Agreement,
    LatencyFigures,
    LengthFigures,
    Numbers,
    Report,
    Rounds,
    VariantFigures,
)
from service.bench.texts import Text
from service.bench.variants import AUTO, BACKENDS, PADDED, PEERS, REFERENCE
from service.release import check, load_tokenizer
from service.settings import ModelSettings
from service.windows import WindowLayout

_REFERENCE_NAME = "torch-float32"


class SizeResult(NamedTuple):
    """What was measured of one size of the model."""

    rounds: Rounds
    variants: list[VariantFigures]
    latency: list[LatencyFigures]
    length: LengthFigures
    agreement: list[Agreement]
    peaks: dict[Numbers, float | None]


def measure(
    models: Sequence[ModelSettings],
    texts: Sequence[Text],
    durations: Durations,
    say: Callable[[str], None],
) -> Report:
    """Measure each size of the model on the same articles.

    Args:
        models: the settings of each.
        texts: the articles.
        durations: how long the parts may take.
        say: told what is being done.

    Raises:
        service.release.ReleaseError: a model is missing or damaged.
        service.bench.errors.BenchError: a variant failed.
    """
    machine = describe_machine()
    for settings in models:
        check(settings.folder)
    found = [measure_size(settings, texts, durations, say) for settings in models]
    peaks = highest([one.peaks for one in found])
    return Report(
        machine=machine.model_copy(
            update={"peak_gflops": {k: v and round(v / 1e9, 1) for k, v in peaks.items()}}
        ),
        rounds=tuple(one.rounds for one in found),
        variants=tuple(figures for one in found for figures in one.variants),
        latency=tuple(figures for one in found for figures in one.latency),
        length=tuple(one.length for one in found),
        agreement=tuple(figures for one in found for figures in one.agreement),
        notes=(
            *notes_on(machine),
            *(
                f"no peak for {numbers}: it is not multiplied here"
                for numbers, peak in peaks.items()
                if peak is None
            ),
        ),
    )


def measure_size(
    settings: ModelSettings,
    texts: Sequence[Text],
    durations: Durations,
    say: Callable[[str], None],
) -> SizeResult:
    """Measure one size of the model.

    Raises:
        service.bench.errors.BenchError: a variant failed.
    """
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as ours, ExitStack() as others:

        def start(key: str, stack: ExitStack) -> Contender:
            say(f"starting {key}")
            return stack.enter_context(Contender(key, settings, Path(scratch)))

        auto = start(AUTO, ours)
        backends = [auto, *(start(key, ours) for key in _other_backends(settings, auto))]
        contenders = backends + [start(key, others) for key in PEERS]
        startups = {one.key: [one.startup_s] for one in contenders}
        for _ in range(durations.starts - 1):
            for one in contenders:
                say(f"starting {one.name} again")
                with Contender(one.key, settings, Path(scratch)) as again:
                    startups[one.key].append(again.startup_s)
        rates = take_turns(contenders, start(PEAKS, others), texts, durations, say)
        others.close()
        variants = [_figures(one, rates, settings, median(startups[one.key])) for one in contenders]
        latency = measure_latency(auto, texts, durations.latency_s, say)
        length = measure_length(auto, texts, durations.length_s, say)
        compared = [one for one in backends if one.name != _REFERENCE_NAME]
        agreement = []
        if compared:
            reference = start(REFERENCE, ours)
            agreement = measure_agreement(reference, compared, texts, durations.agreement_s, say)
    rounds = Rounds(
        size=auto.size, articles=len(rates.texts), sentences=rates.sentences, rounds=rates.rounds
    )
    return SizeResult(rounds, variants, latency, length, agreement, rates.peaks)


def _other_backends(settings: ModelSettings, auto: Contender) -> list[str]:
    """The backends that could label but are not the one that is taken by itself."""
    made = {"torch": True, "onnx": (settings.folder / "onnx").exists()}
    return [key for key in BACKENDS if made[key] and not auto.name.startswith(f"{key}-")]


def _figures(
    contender: Contender, rates: Rates, settings: ModelSettings, startup_s: float
) -> VariantFigures:
    rate = rates.by_key[contender.key]
    ours = contender.key not in PEERS
    floor = floor_s(
        _encoder(settings),
        _lengths(settings, rates.texts, ours=ours),
        rates.peaks,
        contender.numbers,
    )
    at_most = floor and rates.sentences / floor
    return VariantFigures(
        size=contender.size,
        name=contender.name,
        ours=ours,
        is_auto=contender.key == AUTO,
        numbers=contender.numbers,
        sentences_per_s=rate.typical,
        lowest=min(rate.per_round),
        highest=max(rate.per_round),
        ratio=rate.typical / rates.by_key[PADDED].typical,
        floor_sentences_per_s=at_most,
        floor_share=at_most and rate.typical / at_most,
        startup_s=startup_s,
        resident_mb=rate.resident_mb,
    )


def _encoder(settings: ModelSettings) -> Encoder:
    return read_encoder(read_config(settings.folder))


def _lengths(settings: ModelSettings, texts: Sequence[Text], *, ours: bool) -> list[int]:
    """Tokens of each sequence that goes through the network, without padding."""
    tokenizer = load_tokenizer(settings.folder)
    if not ours:
        return sentence_lengths(texts, tokenizer)
    layout = WindowLayout(**read_config(settings.folder)["claimstream"]["layout"])
    return window_lengths(texts, tokenizer, layout)
