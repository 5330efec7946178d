"""Kafka: how far behind is it, does the group settle, what ends as a dead letter?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from boards.panels import (
    About,
    Panel,
    board,
    graph,
    grown,
    now,
    number,
    over,
    per_second,
    under,
)

_TOPIC = 'topic=~"$topic"'
_RECORDS = "claimstream_consumer_lag_records"
_DEAD = "claimstream_dead_letters_total"


def kafka() -> dashboard.Dashboard:
    """The dashboard of what the workers have to do with the cluster."""
    return board(
        "kafka",
        "Kafka",
        "How far behind is it, does the group settle, what ends as a dead letter?",
        [
            ("Lag", _lag()),
            ("Group", _group()),
            ("Commits and confirmations", _broker()),
            ("Dead letters", _dead_letters()),
        ],
    )


def _lag() -> tuple[Panel, ...]:
    records, partition = now(_RECORDS, _TOPIC), "{{topic}}/{{partition}}"
    seconds = now("claimstream_consumer_lag_seconds", _TOPIC)
    growth = f"sum(deriv({records}[$__rate_interval]))"
    return (
        graph(
            About(
                "Lag",
                "Records of each partition that are not done.",
                "short",
                "ClaimstreamStalled",
            ),
            (f"max by (topic, partition) ({records})", partition),
            steps=over(1_000, 10_000),
            width=12,
        ),
        graph(
            About(
                "Lag in time",
                "Age of the oldest record of each partition that is fetched and not done.",
                "s",
                "ClaimstreamFreshnessBurnFast",
            ),
            (f"max by (topic, partition) ({seconds})", partition),
            steps=over(30, 60),
            width=12,
        ),
        graph(
            About(
                "Lag by worker",
                "Records that wait for each worker. One alone: it is slower, or stalls.",
                "short",
                "ClaimstreamStalled",
            ),
            (f"sum by (instance) ({records})", "{{instance}}"),
            steps=over(1_000, 10_000),
            width=12,
        ),
        graph(
            About(
                "Lag grows by",
                "Records that come in beyond those that are done. Lasting above 0: more workers "
                "are wanted.",
                "ops",
                "Scale",
            ),
            (f"clamp_min({growth}, 0)", "records"),
            steps=over(1),
            width=12,
        ),
    )


def _group() -> tuple[Panel, ...]:
    partitions, rebalances = "claimstream_assigned_partitions", "claimstream_rebalances_total"
    consumers = f"count by (group, topic) ({now('claimstream_consumer_info')})"
    return (
        number(
            About(
                "Partitions assigned",
                "To all workers chosen. Fewer than the topic has: some wait for a worker.",
                "none",
                "ClaimstreamNotConsuming",
            ),
            (f"sum({now(partitions)})", "partitions"),
            steps=under(1),
            width=6,
        ),
        number(
            About(
                "Broker reached",
                "Share of the workers that the broker answers.",
                "percentunit",
                "ClaimstreamNotConsuming",
            ),
            (f"avg({now('claimstream_broker_up')})", "workers"),
            steps=under(1),
            width=6,
        ),
        number(
            About(
                "Rebalances",
                "In the time shown, counted by every worker that took part.",
                "none",
                "ClaimstreamNotConsuming",
            ),
            (f"sum({grown(rebalances)})", "rebalances"),
            steps=over(10, 50),
            width=6,
        ),
        number(
            About("Groups and topics", "What is read, and workers of each.", "none", "First look"),
            (consumers, "{{group}}: {{topic}}"),
            width=6,
        ),
        graph(
            About("Partitions by worker", "A worker without one is a spare.", "short", "Scale"),
            (now(partitions), "{{instance}}"),
            is_stacked=True,
            width=12,
        ),
        graph(
            About(
                "Rebalances by worker",
                "Assignments of partitions. Without end: the group does not settle.",
                "ops",
                "ClaimstreamNotConsuming",
            ),
            (per_second(rebalances), "{{instance}}"),
            steps=over(0.01, 0.1),
            width=12,
        ),
    )


def _broker() -> tuple[Panel, ...]:
    deliver = per_second("claimstream_stage_duration_seconds_bucket", 'stage="deliver"')
    return (
        graph(
            About(
                "Commits",
                "Offset commits that the broker accepted; about one a second under load.",
                "ops",
                "ClaimstreamStalled",
            ),
            (per_second("claimstream_commits_total"), "{{instance}}"),
        ),
        graph(
            About(
                "Errors of the producer",
                "Records that the broker did not confirm, by worker.",
                "ops",
                "ClaimstreamNotConsuming",
            ),
            (per_second("claimstream_producer_errors_total"), "{{instance}}"),
            steps=over(0.01),
        ),
        graph(
            About(
                "Confirmation, p95",
                "Time until the broker had confirmed everything of a batch.",
                "s",
                "ClaimstreamFreshnessBurnFast",
            ),
            (
                f"histogram_quantile(0.95, sum by (le, instance) ({deliver}))",
                "{{instance}}",
            ),
            steps=over(1, 10),
        ),
    )


def _dead_letters() -> tuple[Panel, ...]:
    return (
        graph(
            About(
                "By stage and reason",
                "decode is the producer's matter; infer and assemble are ours.",
                "ops",
                "ClaimstreamDeadLetters",
            ),
            (f"sum by (stage, reason) ({per_second(_DEAD)})", "{{stage}}: {{reason}}"),
            steps=over(0.1, 1),
            is_stacked=True,
        ),
        graph(
            About(
                "Share",
                "Share of articles, of all workers, that became dead letters: the windows that "
                "the alerts ask for.",
                "percentunit",
                "ClaimstreamDeadLetterFlood",
            ),
            ("max(job:claimstream_dead_letters:ratio_rate10m)", "10m"),
            ("max(job:claimstream_dead_letters:ratio_rate1h)", "1h"),
            steps=over(0.02, 0.25),
        ),
        graph(
            About(
                "In the time shown",
                "Dead letters of each stage. Once mended they can be replayed.",
                "short",
                "Replay dead letters",
            ),
            (f"sum by (stage) ({grown(_DEAD)})", "{{stage}}"),
            steps=over(1, 100),
        ),
    )
