"""Worker: where does the time go, how full are the batches, is the process well?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from boards.panels import (
    About,
    Panel,
    board,
    graph,
    now,
    number,
    over,
    per_second,
    quantile,
    under,
)

_STAGE = "claimstream_stage_duration_seconds"
# What the process itself tells is told by other processes too.
_OURS = 'job="claimstream"'


def worker() -> dashboard.Dashboard:
    """The dashboard of what happens inside a worker."""
    return board(
        "worker",
        "worker",
        "Where does the time go, how full are the batches, is the process well?",
        [
            ("Stages", _stages()),
            ("Batches", _batches()),
            ("In flight", _in_flight()),
            ("Event loop and memory", (*_loop(), *_memory())),
            ("Process", _process()),
        ],
    )


def _stages() -> tuple[Panel, ...]:
    section = "ClaimstreamFreshnessBurnFast"
    about = (
        "Time of one article in each stage, read off a histogram; deliver is that of a batch. "
        "An article of usual length takes well under a second."
    )
    return (
        *(
            graph(
                About(f"Stages, p{percent}", about, "s", section),
                (quantile(percent / 100, _STAGE, "stage"), "{{stage}}"),
                steps=over(5, 60),
            )
            for percent in (50, 95)
        ),
        graph(
            About(
                "Where the time goes",
                "Seconds spent in each stage, per second and worker. At 100 % a worker is busy "
                "all the time.",
                "percentunit",
                section,
            ),
            (f"avg by (stage) ({per_second(f'{_STAGE}_sum')})", "{{stage}}"),
            steps=over(0.8, 0.95),
            is_stacked=True,
        ),
    )


def _batches() -> tuple[Panel, ...]:
    tokens, retries = "claimstream_batch_tokens", "claimstream_retries_total"
    return (
        graph(
            About(
                "Articles a batch",
                "Records taken at once. Full batches (16, if not set otherwise) mean that more is "
                "waiting.",
                "short",
                "Scale",
            ),
            (_mean("claimstream_batch_articles"), "mean"),
            (quantile(0.95, "claimstream_batch_articles"), "p95"),
        ),
        graph(
            About(
                "Tokens a batch",
                "Tokens that went through the network for the records taken at once. The time of "
                "inference follows it.",
                "short",
                "Scale",
            ),
            (_mean(tokens), "mean"),
            (quantile(0.95, tokens), "p95"),
        ),
        graph(
            About(
                "Fill",
                "Share of the windows' room that was tokens. What short articles leave empty is "
                "not padded, and costs nothing.",
                "percentunit",
                "Scale",
            ),
            (_mean("claimstream_batch_fill_ratio"), "mean"),
            steps=under(0.25),
        ),
        graph(
            About("Tokens a second", "What each worker's network gets through.", "short", "Scale"),
            (f"sum by (instance) ({per_second(f'{tokens}_sum')})", "{{instance}}"),
            width=12,
        ),
        graph(
            About(
                "Retries",
                "Further tries at articles whose labelling failed, by worker.",
                "ops",
                "ClaimstreamDeadLetters",
            ),
            (f"sum by (instance) ({per_second(retries)})", "{{instance}}"),
            steps=over(0.1, 1),
            width=12,
        ),
    )


def _in_flight() -> tuple[Panel, ...]:
    progress = now("claimstream_last_progress_timestamp_seconds")
    return (
        graph(
            About(
                "Articles in flight",
                "Records taken and not yet done, by worker.",
                "short",
                "ClaimstreamStalled",
            ),
            (now("claimstream_in_flight_articles"), "{{instance}}"),
        ),
        graph(
            About(
                "Bytes in flight",
                "Bytes of the records taken, and of all fetched, that are not yet done. Many in "
                "few articles is one that takes minutes.",
                "bytes",
                "ClaimstreamStalled",
            ),
            (now("claimstream_in_flight_bytes"), "{{instance}} taken"),
            (now("claimstream_fetched_bytes"), "{{instance}} fetched"),
            steps=over(1e6, 1e7),
        ),
        graph(
            About(
                "Since the last article",
                "Time since each worker last brought an article to its end.",
                "s",
                "ClaimstreamStalled",
            ),
            (f"time() - ({progress} > 0)", "{{instance}}"),
            steps=over(120, 300),
        ),
    )


def _loop() -> tuple[Panel, ...]:
    lag, section = "claimstream_event_loop_lag_seconds", "ClaimstreamEventLoopBlocked"
    return (
        graph(
            About(
                "Event loop blocked",
                "Share of the time in which the loop was held up; health, commits and deliveries "
                "wait meanwhile.",
                "percentunit",
                section,
            ),
            (per_second(f"{lag}_sum"), "{{instance}}"),
            steps=over(0.05, 0.2),
        ),
        graph(
            About("Event loop lag, p99", "How late the loop woke up a timer.", "s", section),
            (quantile(0.99, lag, "instance"), "{{instance}}"),
            steps=over(0.1, 1),
        ),
        graph(
            About(
                "Garbage collections",
                "Of the oldest generation, which hold everything up for a moment.",
                "ops",
                section,
            ),
            (
                per_second("python_gc_collections_total", f'{_OURS}, generation="2"'),
                "{{instance}}",
            ),
            steps=over(1),
        ),
    )


def _memory() -> tuple[Panel, ...]:
    resident = now("process_resident_memory_bytes", _OURS)
    section = "ClaimstreamMemoryNearLimit"
    return (
        graph(
            About("Memory", "Resident, by worker.", "bytes", section),
            (resident, "{{instance}}"),
            width=12,
        ),
        graph(
            About(
                "Memory of its limit",
                "Share of what the container may use; nothing where it has no limit.",
                "percentunit",
                section,
            ),
            (f"{resident} / {now('claimstream_memory_limit_bytes')}", "{{instance}}"),
            steps=over(0.8, 0.9),
            width=12,
        ),
    )


def _process() -> tuple[Panel, ...]:
    opened, most = now("process_open_fds", _OURS), now("process_max_fds", _OURS)
    started = now("process_start_time_seconds", _OURS)
    return (
        graph(
            About("CPU", "Cores that each worker uses.", "short", "ClaimstreamEventLoopBlocked"),
            (per_second("process_cpu_seconds_total", _OURS), "{{instance}}"),
        ),
        graph(
            About(
                "Open files",
                "Share of the file descriptors that the process may open.",
                "percentunit",
                "First look",
            ),
            (f"{opened} / {most}", "{{instance}}"),
            steps=over(0.5, 0.8),
        ),
        number(
            About(
                "Restarts",
                "How often workers began anew in the time shown.",
                "none",
                "ClaimstreamCrashLoop",
            ),
            (f"sum(changes({started}[$__range]))", "restarts"),
            steps=over(1, 3),
        ),
        number(
            About(
                "Builds",
                "Versions in force, and workers of each. More than one while a rollout lasts.",
                "none",
                "Deploy",
            ),
            (f"count by (version, python) ({now('claimstream_build_info')})", "{{version}}"),
        ),
        graph(
            About(
                "Spans of traces",
                "Made, and taken by the tracing endpoint; the difference is dropped. None while "
                "tracing is off.",
                "ops",
                "Follow an article",
            ),
            (f"sum({per_second('claimstream_trace_spans_total')})", "made"),
            (f"sum({per_second('claimstream_trace_spans_exported_total')})", "taken"),
            width=24,
        ),
    )


def _mean(histogram: str) -> str:
    return f"sum({per_second(f'{histogram}_sum')}) / sum({per_second(f'{histogram}_count')})"
