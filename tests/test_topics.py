"""Creating and checking the topics, against a real broker."""

import asyncio

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from service import topics
from service.kafka import admin_client
from service.topics import TopicsMissingError, plans
from tests.cluster import Cluster


async def _config(cluster: Cluster, name: str) -> dict[str, str]:
    async with admin_client(cluster.settings.kafka) as client:
        resource = ConfigResource(ConfigResourceType.TOPIC, name)
        (answer,) = await client.describe_configs([resource])
    entries = answer.to_object()["resources"][0]["config_entries"]
    return {entry["config_names"]: entry["config_value"] for entry in entries}


def test_created_once_and_harmless_twice(bootstrap_servers: str) -> None:
    """The first call creates all three as planned, the second leaves them as they are."""
    cluster = Cluster(bootstrap_servers)
    names = [plan.name for plan in plans(cluster.settings)]
    first = asyncio.run(topics.create(cluster.settings))
    assert first == [(name, "created", 4) for name in names]
    assert asyncio.run(topics.create(cluster.settings)) == [(name, "exists", 4) for name in names]
    for plan in plans(cluster.settings):
        assert plan.config.items() <= asyncio.run(_config(cluster, plan.name)).items()


def test_another_partition_count_is_told(cluster: Cluster) -> None:
    """Topics that exist with another number of partitions are left so, and reported."""
    other = cluster.settings.model_copy(
        update={"topics": cluster.settings.topics.model_copy(update={"partitions": 7})}
    )
    reports = asyncio.run(topics.create(other))
    assert {report[1:] for report in reports} == {("has another partition count", 4)}


def test_checking_creates_nothing(bootstrap_servers: str) -> None:
    """A check names every missing topic, and they are still missing afterwards."""
    cluster = Cluster(bootstrap_servers)
    for _ in range(2):
        with pytest.raises(TopicsMissingError) as caught:
            asyncio.run(topics.check(cluster.settings))
        for plan in plans(cluster.settings):
            assert plan.name in str(caught.value)


def test_existing_topics_pass(cluster: Cluster) -> None:
    """Where all three exist there is nothing to say."""
    asyncio.run(topics.check(cluster.settings))


def test_replicated_topics_want_two_copies() -> None:
    """With replicas a confirmed record is on more than one broker, and one may be down."""
    settings = Cluster("localhost:1").settings

    def least(replicas: int) -> set[str | None]:
        changed = settings.topics.model_copy(update={"replication_factor": replicas})
        planned = plans(settings.model_copy(update={"topics": changed}))
        return {plan.config.get("min.insync.replicas") for plan in planned}

    assert [least(n) for n in (1, 2, 3, 4)] == [{None}, {"1"}, {"2"}, {"2"}]


def test_a_dead_letter_fits_where_its_article_fitted() -> None:
    """The dead-letter topic takes the largest article with our headers on top."""
    articles, _, dead = (
        int(plan.config["max.message.bytes"]) for plan in plans(Cluster("localhost:1").settings)
    )
    assert dead > articles
