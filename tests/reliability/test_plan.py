"""Plans and material follow from the seed."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from tests.labellers import RuleLabeller
from tests.reliability.campaign import surroundings
from tests.reliability.chaos import disorder, order
from tests.reliability.faults import RESTART_COMMAND
from tests.reliability.material import KEYS, expecting, records
from tests.reliability.plan import DISORDERLY, OF_THE_BROKER, OF_THE_NETWORK, RESTART, make_plan


def test_the_same_seed_gives_the_same() -> None:
    """Plan and records are the same for the same seed, and others for another."""
    first, again, other = (disorder(seed, 60, 100, 30) for seed in (1, 1, 2))
    assert (first.plan, first.records) == (again.plan, again.records)
    assert first.plan != other.plan
    assert first.records != other.records
    assert order(1, 5).plan == order(1, 5).plan


def test_every_kind_comes_before_any_comes_again() -> None:
    """A plan of twice as many faults as there are kinds has each kind twice, evenly spread."""
    kinds = [*DISORDERLY, *OF_THE_NETWORK]
    plan = make_plan(7, kinds, 2 * len(kinds), 100, 3)
    assert Counter(fault.kind for fault in plan) == {kind.name: 2 for kind in kinds}
    times = [fault.at_s for fault in plan]
    assert times == sorted(times)
    assert max(times[at + 1] - times[at] for at in range(len(times) - 1)) < 100 / len(kinds)
    assert {fault.worker for fault in plan} == {0, 1, 2}


def test_material_has_all_that_ends_otherwise() -> None:
    """Of a few thousand records some end as tombstones and dead letters, and keys come again."""
    expect = expecting(RuleLabeller())
    made = list(islice(records(3, 3000), 3000))
    kinds = Counter(expect(record).outcome for record in made)
    assert kinds["labelled"] > 2800
    assert kinds["tombstone"] > 3
    assert kinds["dead_letter"] > 10
    assert len({key for key, _ in made}) <= KEYS + 1
    values = [value for _, value in made if value is not None and value.startswith(b'{"id": "')]
    assert len(set(values)) == len(values)


def test_an_external_cluster_leaves_out_what_needs_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not our broker is not paused; without a proxy the network is left alone."""
    every = [*DISORDERLY, *OF_THE_NETWORK, *OF_THE_BROKER]
    for name in ("CLAIMSTREAM_TEST_BOOTSTRAP", "CLAIMSTREAM_TEST_PROXY_PORT", RESTART_COMMAND):
        monkeypatch.delenv(name, raising=False)
    assert surroundings(every) == (every, "")
    monkeypatch.setenv("CLAIMSTREAM_TEST_BOOTSTRAP", "kafka:9092")
    kinds, words = surroundings(every)
    assert kinds == list(DISORDERLY)
    assert "not our process" in words
    assert RESTART_COMMAND in words
    assert "CLAIMSTREAM_TEST_PROXY_PORT" in words
    monkeypatch.setenv("CLAIMSTREAM_TEST_PROXY_PORT", "19092")
    monkeypatch.setenv(RESTART_COMMAND, "true")
    kinds, words = surroundings(every)
    assert kinds == [*DISORDERLY, *OF_THE_NETWORK, RESTART]
    assert words == "the broker is not paused: it is not our process"
