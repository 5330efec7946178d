"""What can be said of a cluster that is not there, and of offsets."""

import asyncio
import time

from aiokafka import TopicPartition

from service.broker import free_port
from service.doctor.cluster import check_cluster, lag
from service.settings import KafkaSettings, Settings

FIRST, SECOND = TopicPartition("a", 0), TopicPartition("a", 1)


def test_no_broker_is_said_once() -> None:
    """One failure, and of everything else that it was not checked; within the settings' time."""
    servers = f"127.0.0.1:{free_port()}"
    started = time.monotonic()
    settings = Settings(kafka=KafkaSettings(bootstrap_servers=servers, connect_timeout_s=5))
    broker, *rest = asyncio.run(check_cluster(settings))
    assert time.monotonic() - started < 15
    assert (broker.check, broker.status) == ("broker", "fail")
    assert servers in broker.found
    assert "CLAIMSTREAM_KAFKA__BOOTSTRAP_SERVERS" in str(broker.do)
    assert [finding.check for finding in rest] == [
        "topic news.articles.v1",
        "topic news.claims.v1",
        "topic news.articles.v1.dlq",
        "consumer group",
        "clock",
    ]
    assert {finding.status for finding in rest} == {"not checked"}


def test_certificates_that_are_not_there_are_named() -> None:
    """It is the settings that are wrong then, not the cluster."""
    kafka = KafkaSettings(security_protocol="SSL", ca_file="none.pem")  # type: ignore[arg-type]
    broker = asyncio.run(check_cluster(Settings(kafka=kafka)))[0]
    assert broker.status == "fail"
    assert "none.pem" in broker.found
    assert "CLAIMSTREAM_KAFKA__CA_FILE" in str(broker.do)


def test_what_waits_is_counted_from_what_was_committed() -> None:
    """A group that has committed nothing begins with the oldest record that there still is."""
    extent = {FIRST: (10, 15), SECOND: (0, 3)}
    assert lag(extent, {}) == lag(extent, {FIRST: -1}) == 5 + 3
    assert lag(extent, {FIRST: 12, SECOND: 3}) == 3
    assert lag(extent, {FIRST: 4, SECOND: 9}) == 5
