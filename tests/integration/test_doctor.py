"""The doctor against a real broker: before there is anything, and as things come to be."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner

from service.broker import free_port
from service.cli import app
from service.doctor.cluster import check_cluster
from service.doctor.findings import Finding
from service.settings import Settings
from tests.cluster import Cluster, articles
from tests.conftest import StartWorker
from tests.workers import environment


def found(settings: Settings) -> dict[str, Finding]:
    """What is found of the cluster; topics by what they are for."""
    names = {
        f"topic {name}": kind
        for kind, name in settings.topics
        if kind in {"articles", "claims", "dead_letters"}
    }
    findings = asyncio.run(check_cluster(settings))
    return {names.get(finding.check, finding.check): finding for finding in findings}


def test_topics_that_are_missing_fail(bootstrap_servers: str) -> None:
    """The broker is fine, each topic is named with what to do, and looking creates none."""
    cluster = Cluster(bootstrap_servers)
    for _ in range(2):
        findings = found(cluster.settings)
        assert findings["broker"].status == "ok"
        for kind in ("articles", "claims", "dead_letters"):
            assert findings[kind].status == "fail"
            assert findings[kind].do == "claimstream topics create"
        assert findings["consumer group"].status == findings["clock"].status == "not checked"


def test_topics_of_ours_are_as_planned(cluster: Cluster) -> None:
    """Also their settings, as the broker tells them; without records no clock is judged."""
    findings = found(cluster.settings)
    for kind in ("articles", "claims", "dead_letters"):
        assert findings[kind].status == "ok"
        assert "4 partitions" in findings[kind].found
        assert "max.message.bytes as planned" in findings[kind].found
    assert findings["consumer group"].status == "ok"
    assert "0 workers, 0 records wait" in findings["consumer group"].found
    assert findings["clock"].status == "not checked"


def test_other_settings_than_the_topics_have_are_told(cluster: Cluster) -> None:
    """More partitions and replicas than there are, and a longer retention."""
    other = {"partitions": 7, "retention_days": 400, "replication_factor": 3}
    topics = cluster.settings.topics.model_copy(update=other)
    findings = found(cluster.settings.model_copy(update={"topics": topics}))
    assert findings["claims"].status == "warn"
    assert "4 partitions, not 7; retention.ms is" in findings["claims"].found
    assert findings["broker"].status == "warn"
    assert "3 replicas" in findings["broker"].found


def test_articles_that_nobody_takes_are_counted(
    cluster: Cluster, start_worker: StartWorker
) -> None:
    """A warning while there is no worker; none once one has labelled them."""
    cluster.publish(articles(5))
    group = found(cluster.settings)["consumer group"]
    assert group.status == "warn"
    assert "0 workers, 5 records wait" in group.found
    assert group.do == "start a worker: claimstream worker"
    start_worker(cluster.settings).wait_until_ready()
    cluster.outcomes(5)
    deadline = time.monotonic() + 60
    while "1 worker, 0 records wait" not in (group := found(cluster.settings)["consumer group"])[2]:
        assert time.monotonic() < deadline, group
    assert group.status == "ok"


@pytest.mark.parametrize(("ahead_s", "status"), [(-60, "ok"), (3600, "warn")])
def test_records_of_the_future_show_a_wrong_clock(
    cluster: Cluster, ahead_s: int, status: str
) -> None:
    """A record that was written an hour from now is told; one from the past is as it should be."""

    async def publish() -> None:
        servers = cluster.settings.kafka.bootstrap_servers
        async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
            at_ms = round((time.time() + ahead_s) * 1000)
            topic = cluster.settings.topics.articles
            await producer.send_and_wait(topic, b"{}", timestamp_ms=at_ms)

    asyncio.run(publish())
    clock = found(cluster.settings)["clock"]
    assert clock.status == status
    assert ("from now" in clock.found) == (status == "warn")


def test_the_command_tells_all_and_ends_accordingly(
    bootstrap_servers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1 while a topic is missing, 0 when all is well; as JSON every check with its status."""
    cluster = Cluster(bootstrap_servers)
    changed = {**environment(cluster.settings), "CLAIMSTREAM_MODEL__SIZE": "small"}
    for name, value in {**changed, "CLAIMSTREAM_HTTP__PORT": str(free_port())}.items():
        monkeypatch.setenv(name, value)

    def doctor() -> tuple[int, dict[str, Any]]:
        result = CliRunner().invoke(app, ["doctor", "--json"], catch_exceptions=False)
        return result.exit_code, json.loads(result.stdout)

    code, before = doctor()
    assert (code, before["ok"]) == (1, False)
    cluster.create_topics()
    code, after = doctor()
    assert (code, after["ok"]) == (0, True)
    statuses = {check["check"]: check["status"] for check in after["checks"]}
    assert set(statuses) >= {
        *("Python", "processor", "cores", "memory", "settings", "secrets folder"),
        *("model", "backend", "HTTP port", "broker", "consumer group", "clock"),
    }
    assert all(check["do"] for check in before["checks"] if check["status"] == "fail")
