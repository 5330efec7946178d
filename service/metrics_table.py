"""Writes the table of all metrics: ``python -m service.metrics_table deploy/metrics.md``."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from prometheus_client import Metric

from service.contracts import LABELS, Model
from service.metrics import NAMESPACE, build_metrics

_HEAD: Final = """\
# Metrics

Made by `python -m service.metrics_table deploy/metrics.md`; do not edit. Every worker serves them
at `/metrics`. Times are in seconds, sizes in bytes. A histogram `x` has the series `x_bucket`,
`x_sum` and `x_count`. No label takes a value that comes from an article.

| metric | type | labels | what it tells |
| --- | --- | --- | --- |
"""

# Labels whose values are not fixed in the code, and what bounds them.
_BOUNDED_BY: Final = {
    "topic": "the articles topic",
    "group": "one a worker",
    "partition": "each one assigned",
    "name": "one a worker",
    "version": "one a worker",
    "digest": "one a worker",
    "backend": "one a worker",
    "uncertain_below": "one a worker",
    "python": "one a worker",
}


def table() -> str:
    """The whole file."""
    rows = "".join(f"{_row(family)}\n" for family in families())
    return _HEAD + rows


def families() -> list[Metric]:
    """Every metric, ours first, each with a sample even where it has none before there is work."""
    metrics = build_metrics()
    metrics.name_model(Model(name="", version="", digest=""))
    metrics.name_consumer(group="", topic="")
    metrics.show_release_mix(dict.fromkeys((*LABELS, "furniture"), 0.0))
    for gauge in (metrics.lag, metrics.lag_seconds):
        gauge.labels("", "")
    return sorted(
        metrics.registry.collect(),
        key=lambda family: (not family.name.startswith(NAMESPACE), family.name),
    )


def _row(family: Metric) -> str:
    name = family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")
    help_ = re.sub(r"\s+", " ", family.documentation).strip()
    return f"| `{name}` | {family.type} | {_labels(family)} | {help_} |"


def _labels(family: Metric) -> str:
    values: dict[str, set[str]] = defaultdict(set)
    for sample in family.samples:
        for label, value in sample.labels.items():
            if label != "le":  # the buckets' own
                values[label].add(value)
    return "; ".join(f"{label}: {_values(label, values[label])}" for label in values)


def _values(label: str, values: Iterable[str]) -> str:
    return _BOUNDED_BY.get(label) or ", ".join(f"`{value}`" for value in sorted(values))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(table(), encoding="utf-8")
