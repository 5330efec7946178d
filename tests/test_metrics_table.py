"""The table of metrics is current, and no article can make a metric grow."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from service.contracts import LABELS
from service.metrics import OUTCOMES, build_metrics
from service.metrics_table import families, table
from service.outcomes import REASONS, STAGES
from tests.handlers import Bench, message, run

FILE = Path(__file__).parent.parent / "deploy" / "metrics.md"

# Every value that a label of ours may take. The rest is one for each worker or partition.
VALUES = {
    "outcome": set(OUTCOMES),
    "label": {*LABELS, "furniture"},
    "stage": set(STAGES),
    "reason": set(REASONS),
}
ONE_A_WORKER = {"name", "version", "digest", "backend", "uncertain_below", "python", "group"}
ONE_A_PARTITION = {"topic", "partition"}
# Series of one worker besides those of its partitions. Raise it knowingly.
MOST_SERIES = 350


@pytest.mark.skipif(sys.platform != "linux", reason="figures of the process exist on Linux only")
def test_the_table_is_current() -> None:
    """deploy/metrics.md is what python -m service.metrics_table writes."""
    assert FILE.read_text(encoding="utf-8") == table()


def test_label_values_are_known() -> None:
    """A label takes values that are listed here, or one a worker, or one a partition."""
    for family in families():
        if not family.name.startswith("claimstream_"):
            continue
        for sample in family.samples:
            for label, value in sample.labels.items():
                assert label in ONE_A_WORKER | ONE_A_PARTITION | {"le"} or value in VALUES[label], (
                    f"{family.name}: {label}={value}"
                )


def test_the_number_of_series_is_bounded() -> None:
    """A worker has at most so many series before it has partitions."""
    registry = build_metrics().registry
    assert sum(len(family.samples) for family in registry.collect()) <= MOST_SERIES


def test_articles_make_no_series() -> None:
    """Whatever comes, good or bad, all its counts go to series that were there from the start."""

    async def test() -> None:
        bench = Bench()
        before = _series(bench)
        bad = [message(100 + n) for n in range(20)]
        for n, each in enumerate(bad):
            each.value = json.dumps({"id": f"bad-{n}", f"field-{n}": n}).encode()
            each.topic, each.key = f"topic-{n}", f"key-{n}".encode()
        await bench.handle(*(message(n, f"Number {n} came. RECURSE" * (n % 2)) for n in range(20)))
        await bench.handle(*bad, message(200, "RAISE ALWAYS"), message(201, "EXHAUST MEMORY"))
        assert len(bench.acknowledged) == 42
        assert _series(bench) == before

    run(test())


def _series(bench: Bench) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    return {
        (sample.name, frozenset(sample.labels.items()))
        for family in bench.metrics.registry.collect()
        for sample in family.samples
    }
