"""Ten thousand malformed records among ten thousand good ones."""

from __future__ import annotations

import json
import random

import pytest

from tests.cluster import Cluster, articles
from tests.conftest import StartWorker

COUNT = 10_000
PREFIX = "__connect.errors."


def _malformed(drawn: random.Random, number: int) -> tuple[bytes, bytes]:
    """A record that is no article, unlike any other."""
    good = json.dumps({"id": f"bad-{number}", "body": "It rained."}).encode()
    at = drawn.randrange(1, len(good) - 1)
    value = drawn.choice(
        [
            good[:at],  # cut off
            bytes(drawn.randrange(256) for _ in range(40)) + b"\xff",  # not UTF-8
            good[:at] + b"\x00" + good[at + 1 :],  # a byte that JSON does not have
            json.dumps({"id": number, "body": "It rained."}).encode(),  # the wrong kind
            json.dumps({"id": f"bad-{number}"}).encode(),  # nothing to label
            json.dumps([number]).encode(),
        ]
    )
    return f"bad-{number}".encode(), value


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_all_come_to_their_end(cluster: Cluster, start_worker: StartWorker) -> None:
    """10,000 are labelled; 10,000 are dead letters, each with its reason and its own bytes."""
    drawn = random.Random(5)
    bad = [_malformed(drawn, number) for number in range(COUNT)]
    stream = [*articles(COUNT), *bad]
    drawn.shuffle(stream)
    places = cluster.publish(stream)
    worker = start_worker(cluster.settings)
    outcomes = cluster.outcomes(2 * COUNT, timeout_s=900)
    assert outcomes.duplicates == 0
    sent = dict(zip(places, stream, strict=True))
    assert {out.source for out in outcomes.claims} == {
        place for place, (key, _) in sent.items() if key.startswith(b"article")
    }
    assert len(outcomes.claims) == len(outcomes.dead_letters) == COUNT
    for letter in outcomes.dead_letters:
        assert (letter.key, letter.value) == sent[letter.source]
        assert letter.headers[f"{PREFIX}stage"] == b"decode"
        assert letter.headers[f"{PREFIX}exception.message"]
        assert letter.headers[f"{PREFIX}exception.class.name"].endswith(b"DecodeError")
    assert worker.stop() == 0
    assert sum(cluster.committed().values()) == 2 * COUNT
