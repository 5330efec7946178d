"""What a comparison of two models gives, as it is printed with ``--json``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from service.contracts import Model


class Result(BaseModel):
    """A part of the results: immutable, nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SideFigures(Result):
    """What one of the two said of the articles compared.

    ``mix`` is the share of each label, furniture included. ``mean_confidence`` and
    ``uncertain_share`` are of its sentences, furniture left out, which has neither. Each is None
    where there is nothing to take it of; the speed, where nothing was labelled for the comparison.
    """

    models: tuple[Model, ...]
    sentences: int
    mix: dict[str, float] | None
    mean_confidence: float | None
    uncertain_share: float | None
    sentences_per_s: float | None


class Verdict(Result):
    """A label and its confidence, which furniture has not."""

    label: str
    confidence: float | None


class Disagreement(Result):
    """A sentence with two labels; offsets are half-open code points into the article's text."""

    article_id: str
    start: int
    end: int
    text: str
    a: Verdict
    b: Verdict


class Coverage(Result):
    """How many articles could be compared, and how many could not.

    ``only_in_b`` is None where not all of A was looked at.
    """

    compared: int
    of_other_text: int = 0
    only_in_a: int = 0
    only_in_b: int | None = 0
    unreadable: int = 0


class Report(Result):
    """Two models, A and B, on the same articles.

    ``parts`` are the sentences and furniture that both found in the same place; what one of them
    cut differently is counted in ``cut_differently`` and not compared. ``confusion`` says how often
    each label of A (outer) was which of B (inner). Sources and cues are those of
    ``claims_of_both``: parts that both call an attributed claim. ``disagreements`` are those in
    which both are surest; those with furniture come last.
    """

    articles: Coverage
    parts: int
    differing: int
    differing_share: float
    cut_differently: int
    confusion: dict[str, dict[str, int]]
    claims_of_both: int
    sources_differing: int
    cues_differing: int
    a: SideFigures
    b: SideFigures
    disagreements: tuple[Disagreement, ...]
