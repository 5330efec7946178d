"""Waiting at start: what is waited for, what is told, and when it ends."""

from __future__ import annotations

import asyncio
import time

import pytest
import structlog

from service.kafka import BrokerError, RefusedError
from service.topics import TopicsMissingError
from service.waiting import wait_for


class Cluster:
    """Fails as the test wants, then answers."""

    def __init__(self, *errors: Exception, for_ever: bool = False) -> None:
        """Take the errors of the first attempts; ``for_ever`` repeats the last."""
        self.errors = list(errors)
        self.for_ever = for_ever
        self.attempts = 0
        self.said: list[str | None] = []

    async def attempt(self) -> str:
        """Try."""
        self.attempts += 1
        if len(self.errors) > 1 or (self.errors and self.for_ever):
            raise self.errors.pop(0) if len(self.errors) > 1 else self.errors[0]
        if self.errors:
            raise self.errors.pop(0)
        return "there"


def wait(cluster: Cluster, longest_s: float | None = None) -> str:
    """Wait for the cluster."""
    return asyncio.run(wait_for(cluster.attempt, longest_s, cluster.said.append))


def test_what_is_there_is_not_waited_for() -> None:
    """The first attempt that works is the only one, and nothing is logged."""
    cluster = Cluster()
    with structlog.testing.capture_logs() as logs:
        assert wait(cluster) == "there"
    assert (cluster.attempts, logs, cluster.said) == (1, [], [None])


def test_it_tries_until_it_works() -> None:
    """A broker that is away, then topics that are missing: each is said once, and both pass."""
    cluster = Cluster(
        BrokerError("no broker"), BrokerError("no broker"), TopicsMissingError("none")
    )
    with structlog.testing.capture_logs() as logs:
        assert wait(cluster) == "there"
    assert cluster.attempts == 4
    assert cluster.said == ["no broker", "no broker", "none", None]
    # Retries are logged by stamina too, which the worker turns off.
    ours = [each for each in logs if each["event"] in {"waiting", "waited"}]
    assert [each.get("reason") for each in ours] == ["no broker", "none", None]


def test_wrong_settings_are_not_waited_out() -> None:
    """A refusal ends it at once."""
    cluster = Cluster(RefusedError("wrong password"), for_ever=True)
    with pytest.raises(RefusedError):
        wait(cluster)
    assert cluster.attempts == 1


def test_a_time_can_be_set() -> None:
    """After the time set for it, the last reason is raised."""
    cluster = Cluster(BrokerError("no broker"), for_ever=True)
    started = time.monotonic()
    with pytest.raises(BrokerError, match="no broker"):
        wait(cluster, 1.0)
    assert time.monotonic() - started < 5
    assert cluster.attempts > 1
