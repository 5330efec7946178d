"""What is said of topics that are as planned, and of those that are not."""

from typing import Any

import pytest

from service.doctor.topics import differing, judge_topic
from service.settings import Settings
from service.topics import TopicPlan, plans

ARTICLES, CLAIMS, DEAD = plans(Settings())
SERVERS = "kafka:9092"


def topic(count: int = 4, **changes: Any) -> dict[str, Any]:
    """A topic as a cluster lists it; changes are made to its first partition."""
    partitions = [{"leader": 1, "replicas": [1, 2], "isr": [1, 2]} for _ in range(count)]
    partitions[0] |= changes
    return {"error_code": 0, "partitions": partitions}


@pytest.mark.parametrize("plan", [ARTICLES, CLAIMS, DEAD])
def test_as_planned(plan: TopicPlan) -> None:
    """Nothing is to be done, and it is said what was compared."""
    finding = judge_topic(plan, topic(), dict(plan.config), SERVERS)
    assert finding.status == "ok"
    assert finding.do is None
    assert "cleanup.policy, retention.ms, max.message.bytes as planned" in finding.found


@pytest.mark.parametrize("config", [None, {}])
def test_a_broker_that_does_not_tell(config: dict[str, str] | None) -> None:
    """Then it is not claimed that the settings are right."""
    finding = judge_topic(ARTICLES, topic(), config, SERVERS)
    assert finding.status == "ok"
    assert "not told" in finding.found


def test_what_does_not_work_fails() -> None:
    """A topic that is not there, one that may not be read, one without a leader."""
    missing = judge_topic(ARTICLES, None, None, SERVERS)
    assert (missing.status, missing.do) == ("fail", "claimstream topics create")
    refused = judge_topic(ARTICLES, {"error_code": 29, "partitions": []}, None, SERVERS)
    assert refused.status == "fail"
    assert "TopicAuthorizationFailed" in refused.found
    headless = judge_topic(ARTICLES, topic(leader=-1), dict(ARTICLES.config), SERVERS)
    assert headless.status == "fail"
    assert "1 of 4 partitions have no leader" in headless.found


def test_every_difference_is_named_with_its_remedy() -> None:
    """Partitions, replicas that lag, and settings, with one command of Kafka's own tools."""
    found = {"cleanup.policy": "delete", "retention.ms": "1000", "max.message.bytes": "1048588"}
    finding = judge_topic(CLAIMS, topic(3, isr=[1]), found, SERVERS)
    assert finding.status == "warn"
    assert finding.found == (
        "1 of 3 partitions lack a replica; 3 partitions, not 4; "
        "cleanup.policy is delete, not compact,delete; retention.ms is 1000, not 604800000; "
        "max.message.bytes is 1048588, not 10485760"
    )
    assert "CLAIMSTREAM_TOPICS__PARTITIONS=3" in str(finding.do)
    assert (
        "--entity-name news.claims.v1 --add-config 'cleanup.policy=[compact,delete],"
        "retention.ms=604800000,max.message.bytes=10485760'"
    ) in str(finding.do)


@pytest.mark.parametrize(
    ("found", "is_fault"),
    [
        ({"retention.ms": "-1"}, False),
        ({"retention.ms": "99999999999"}, False),
        ({"retention.ms": "60000"}, True),
        ({"max.message.bytes": "99999999999"}, False),
        ({"max.message.bytes": "1"}, True),
        ({"cleanup.policy": "delete, compact"}, False),
        ({"cleanup.policy": "compact"}, True),
        ({"min.insync.replicas": "2"}, False),
        ({}, False),
    ],
)
def test_more_than_is_wanted_is_no_fault(found: dict[str, str], *, is_fault: bool) -> None:
    """Longer, larger and for ever are enough; the order of policies means nothing."""
    assert bool(differing(CLAIMS.config, found)) == is_fault
