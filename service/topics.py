"""The three topics: what they are set to, creating them, and checking that they are there."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from aiokafka.admin import NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from service.kafka import HEADER_ROOM_BYTES, BrokerError, admin_client
from service.settings import Settings

_DAY_MS: Final = 24 * 60 * 60 * 1000


class TopicsMissingError(Exception):
    """The worker's topics do not exist; the message says which and what to do."""


class TopicPlan(NamedTuple):
    """A topic as it should be; ``config`` in Kafka's own words."""

    name: str
    partitions: int
    config: dict[str, str]


class TopicReport(NamedTuple):
    """What was done about a topic, and how many partitions it has now."""

    name: str
    outcome: Literal["created", "exists", "has another partition count"]
    partitions: int


def plans(settings: Settings) -> list[TopicPlan]:
    """Say how the topics should be.

    Articles are not compacted, for their key may be null. Labelled articles are: the topic keeps
    the latest version of each article, and a tombstone removes it. Dead letters stay longest.
    """
    topics = settings.topics
    size = settings.kafka.max_record_bytes
    common = {}
    if topics.replication_factor > 1:
        # What is confirmed is on two brokers, and one may be down.
        common["min.insync.replicas"] = str(min(2, topics.replication_factor - 1))

    def plan(name: str, policy: str, days: float, max_bytes: int) -> TopicPlan:
        config = {
            "cleanup.policy": policy,
            "retention.ms": str(round(days * _DAY_MS)),
            "max.message.bytes": str(max_bytes),
        }
        return TopicPlan(name, topics.partitions, config | common)

    return [
        plan(topics.articles, "delete", topics.retention_days, size),
        plan(topics.claims, "compact,delete", topics.retention_days, size),
        plan(
            topics.dead_letters,
            "delete",
            topics.dead_letter_retention_days,
            size + HEADER_ROOM_BYTES,
        ),
    ]


async def create(settings: Settings) -> list[TopicReport]:
    """Create the topics that do not exist; those that do are left as they are.

    Raises:
        BrokerError: the cluster cannot be reached, or refuses to create a topic.
    """
    reports = []
    async with admin_client(settings.kafka) as client:
        existing = _partition_counts(await client.describe_topics())
        for plan in plans(settings):
            if plan.name not in existing:
                topic = NewTopic(
                    plan.name,
                    plan.partitions,
                    settings.topics.replication_factor,
                    topic_configs=plan.config,
                )
                response = await client.create_topics([topic])
                _, code, *message = response.topic_errors[0]
                if code == 0:
                    reports.append(TopicReport(plan.name, "created", plan.partitions))
                    continue
                if code != TopicAlreadyExistsError.errno:
                    reason = next(filter(None, message), for_code(code).__name__)
                    raise BrokerError(f"topic {plan.name} cannot be created: {reason}")
                # Another one was faster.
                existing = _partition_counts(await client.describe_topics())
            found = existing.get(plan.name, plan.partitions)
            same = found == plan.partitions
            reports.append(
                TopicReport(plan.name, "exists" if same else "has another partition count", found)
            )
    return reports


async def check(settings: Settings) -> None:
    """Make sure that the topics exist.

    All topics are listed, because asking for one by name makes some clusters create it.

    Raises:
        BrokerError: the cluster cannot be reached.
        TopicsMissingError: at least one topic does not exist.
    """
    async with admin_client(settings.kafka) as client:
        existing = _partition_counts(await client.describe_topics())
    missing = [plan.name for plan in plans(settings) if plan.name not in existing]
    if missing:
        noun = "topic" if len(missing) == 1 else "topics"
        raise TopicsMissingError(
            f"no {noun} {', '.join(missing)} at {settings.kafka.bootstrap_servers}: "
            "run 'claimstream topics create' first"
        )


def _partition_counts(described: list[dict[str, object]]) -> dict[object, int]:
    counts = {}
    for topic in described:
        partitions = topic["partitions"]
        if topic["error_code"] == 0 and isinstance(partitions, list):
            counts[topic["topic"]] = len(partitions)
    return counts
