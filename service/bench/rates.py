"""Sentences a second: the variants take turns, each labelling the same articles in each round."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Final, NamedTuple

from service.bench.contenders import Contender
from service.bench.durations import Durations, plan_rounds
from service.bench.errors import BenchError
from service.bench.results import Numbers
from service.bench.texts import Text, with_words

_FEW_WORDS: Final = 100


class Rate(NamedTuple):
    """What the rounds of one variant gave: sentences a second in each, and memory in use after."""

    per_round: tuple[float, ...]
    resident_mb: float | None

    @property
    def typical(self) -> float:
        """The median of the rounds."""
        return median(self.per_round)


class Rates(NamedTuple):
    """What all rounds gave: by key of the variant, on which articles, and the best of each peak."""

    by_key: dict[str, Rate]
    texts: Sequence[Text]
    peaks: dict[Numbers, float | None]

    @property
    def sentences(self) -> int:
        """Sentences of a round."""
        return sum(text.sentences for text in self.texts)

    @property
    def rounds(self) -> int:
        """How many rounds there were."""
        return min(len(rate.per_round) for rate in self.by_key.values())


def take_turns(
    contenders: Sequence[Contender],
    peaks: Contender,
    texts: Sequence[Text],
    durations: Durations,
    say: Callable[[str], None],
) -> Rates:
    """Measure all variants and the processor's peaks in rounds: A B C, A B C, and so on.

    Args:
        contenders: started.
        peaks: started.
        texts: the articles; as many of them as there is time for.
        durations: how long.
        say: told what is being done.

    Raises:
        BenchError: a variant ended, or labelled other than all sentences.
    """
    say("a few sentences each, to see how long they take")
    sentence_s = _seconds_a_sentence(contenders, texts)
    plan = plan_rounds(
        durations.rates_s,
        sentence_s,
        durations.peak_s,
        [text.sentences for text in texts],
        durations.least_rounds,
    )
    chosen = texts[: plan.articles]
    sentences = sum(text.sentences for text in chosen)
    found: dict[str, list[float]] = {one.key: [] for one in contenders}
    resident: dict[str, float | None] = {}
    best: list[dict[Numbers, float | None]] = []
    for number in range(1, plan.rounds + 1):
        for one in contenders:
            say(f"round {number} of {plan.rounds}, {sentences} sentences: {one.name}")
            labelled = one.label([text.text for text in chosen])
            check_counts(one.name, chosen, labelled.labels)
            found[one.key].append(sentences / labelled.seconds)
            resident[one.key] = labelled.resident_mb
        best.append(peaks.peaks(durations.peak_s))
    return Rates(
        {key: Rate(tuple(rates), resident[key]) for key, rates in found.items()},
        chosen,
        highest(best),
    )


def highest(
    measured: Sequence[Mapping[Numbers, float | None]],
) -> dict[Numbers, float | None]:
    """The best of several measurements of peaks."""
    kinds: tuple[Numbers, ...] = ("float32", "bfloat16", "int8")
    return {
        kind: max((peak for each in measured if (peak := each.get(kind))), default=None)
        for kind in kinds
    }


def check_counts(name: str, texts: Sequence[Text], labels: Sequence[Sequence[str]]) -> None:
    """Make sure that every sentence of every text has a label.

    Raises:
        BenchError: one has not, or there are more.
    """
    for text, inside in zip(texts, labels, strict=True):
        if len(inside) != text.sentences:
            raise BenchError(
                f"{name}: {len(inside)} labels for {text.sentences} sentences of {text.name}"
            )


def _seconds_a_sentence(contenders: Sequence[Contender], texts: Sequence[Text]) -> float:
    """What a sentence takes all variants together, about."""
    few = with_words(texts, _FEW_WORDS)
    labelled = [one.label([few]) for one in contenders]
    return sum(one.seconds for one in labelled) / len(labelled[0].labels[0])
