"""Model: what does it say, how sure is it, does it drift?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from boards.panels import (
    About,
    Panel,
    board,
    distribution,
    graph,
    grown,
    now,
    number,
    over,
    per_second,
    quantile,
    under,
)

_SENTENCES = "claimstream_sentences_total"
_CONFIDENCE = "claimstream_sentence_confidence"
_LABELLED = 'label!="furniture"'


def model() -> dashboard.Dashboard:
    """The dashboard of what the model says."""
    return board(
        "model",
        "model",
        "What does the model say, how sure is it, does it drift?",
        [
            ("Labels", (*_numbers(), *_mix())),
            ("Drift", _drift()),
            ("Failures", _failures()),
            ("Confidence", _confidence()),
        ],
    )


def _numbers() -> tuple[Panel, ...]:
    section = "ClaimstreamLabelMixDrifted"
    sentences = f"sum({grown(_SENTENCES, _LABELLED)})"
    furniture = grown(_SENTENCES, 'label="furniture"')
    articles = grown("claimstream_articles_done_total", 'outcome="labelled"')
    models = f"count by (name, version, backend) ({now('claimstream_model_info')})"
    return (
        number(
            About(
                "Models",
                "Models in force, and workers of each. More than one while a rollout lasts.",
                "none",
                "Change the model",
            ),
            (models, "{{name}} {{version}} ({{backend}})"),
            width=6,
        ),
        number(
            About("Sentences", "Labelled in the time shown, furniture left out.", "short", section),
            (sentences, "sentences"),
            width=6,
        ),
        number(
            About(
                "Sentences an article",
                "Labelled sentences for each labelled article. A fall may be pages that are not "
                "extracted whole.",
                "short",
                section,
            ),
            (f"{sentences} / sum({articles})", "sentences"),
            width=6,
        ),
        number(
            About(
                "Furniture",
                "Share of the text's parts that is no sentence of an article. More than before: "
                "a source's pages have changed.",
                "percentunit",
                section,
            ),
            (f"sum({furniture}) / sum({grown(_SENTENCES)})", "furniture"),
            steps=over(0.25, 0.5),
            width=6,
        ),
    )


def _mix() -> tuple[Panel, ...]:
    said = per_second(_SENTENCES)
    mix = f"sum by (label) ({said}) / ignoring (label) group_left sum({said})"
    at_release = f"avg by (label) ({now('claimstream_release_label_share')})"
    return (
        graph(
            About(
                "Label mix",
                "Share of each label among the sentences, furniture included.",
                "percentunit",
                "ClaimstreamLabelMixDrifted",
            ),
            (mix, "{{label}}"),
            is_stacked=True,
            width=12,
        ),
        graph(
            About(
                "Label mix at release",
                "Share of each label among the model's answers on the dev articles of its release: "
                "to compare with what it says now.",
                "percentunit",
                "ClaimstreamLabelMixImplausible",
            ),
            (at_release, "{{label}}"),
            is_stacked=True,
            width=12,
        ),
    )


def _drift() -> tuple[Panel, ...]:
    before, lately = (f"job_label:{_CONFIDENCE}:mean{window}" for window in ("7d_before", "6h"))
    return (
        graph(
            About(
                "Drift from the week before",
                "Share of the last day's sentences, of all workers, that would need another label "
                "to give the mix of the 7 days before. Begins on the second day.",
                "percentunit",
                "ClaimstreamLabelMixDrifted",
            ),
            ("max(job:claimstream_label_mix:drift1d)", "drift"),
            steps=over(0.05, 0.1),
        ),
        graph(
            About(
                "Drift from the release",
                "Share of the last 6 hours' sentences, of all workers, that would need another "
                "label to give the mix of the release. Newsrooms differ by a third or so.",
                "percentunit",
                "ClaimstreamLabelMixImplausible",
            ),
            ("max(job:claimstream_label_mix:drift_from_release6h)", "drift"),
            steps=over(0.35, 0.5),
        ),
        graph(
            About(
                "Confidence lost",
                "How far the mean confidence of the last 6 hours, of all workers, lies under that "
                "of the 7 days before, by label. Begins after 6 hours.",
                "percentunit",
                "ClaimstreamConfidenceDropped",
            ),
            (f"max by (label) ({before} - {lately})", "{{label}}"),
            steps=over(0.025, 0.05),
        ),
    )


def _failures() -> tuple[Panel, ...]:
    raised = per_second("claimstream_dead_letters_total", 'stage="infer"')
    return (
        number(
            About(
                "Breaker opened",
                "How often, in the time shown, workers held their articles because the model "
                "failed.",
                "none",
                "ClaimstreamBreakerOpen",
            ),
            (f"sum({grown('claimstream_breaker_openings_total')})", "times"),
            steps=over(1, 10),
            width=6,
        ),
        graph(
            About(
                "Holding",
                "1 while a worker holds its articles because the model fails.",
                "short",
                "ClaimstreamBreakerOpen",
            ),
            (now("claimstream_breaker_open"), "{{instance}}"),
            steps=over(1),
            width=9,
        ),
        graph(
            About(
                "Articles that the model failed on",
                "Dead letters of inference, by reason; poison is what killed processes.",
                "ops",
                "ClaimstreamPoison",
            ),
            (f"sum by (reason) ({raised})", "{{reason}}"),
            steps=over(0.01, 0.1),
            width=9,
        ),
    )


def _confidence() -> tuple[Panel, ...]:
    section = "ClaimstreamConfidenceDropped"
    total, count = per_second(f"{_CONFIDENCE}_sum"), per_second(f"{_CONFIDENCE}_count")
    uncertain = per_second("claimstream_uncertain_sentences_total")
    return (
        graph(
            About("Mean confidence", "Of the sentences of each label.", "percentunit", section),
            (f"sum by (label) ({total}) / sum by (label) ({count})", "{{label}}"),
            steps=under(0.8),
        ),
        graph(
            About(
                "The least sure tenth",
                "One sentence in ten of each label has a lower confidence than this.",
                "percentunit",
                section,
            ),
            (quantile(0.1, _CONFIDENCE, "label"), "{{label}}"),
            steps=under(0.5),
        ),
        graph(
            About(
                "Uncertain",
                "Share of each label's sentences whose confidence lies under the threshold that "
                "is set.",
                "percentunit",
                section,
            ),
            (f"sum by (label) ({uncertain}) / sum by (label) ({count})", "{{label}}"),
            steps=over(0.1, 0.2),
        ),
        distribution(
            About(
                "Confidence",
                "Sentences a second by confidence, all labels together.",
                "percentunit",
                section,
            ),
            f"sum by (le) ({per_second(f'{_CONFIDENCE}_bucket')})",
            steps=under(0.6),
            width=24,
        ),
    )
