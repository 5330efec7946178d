"""Checks of the cluster: broker, topics, consumer group, clock. Looking changes nothing."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from aiokafka import TopicPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from service.doctor.findings import Finding, broken, ok, unchecked, warn
from service.doctor.findings import fail as failed
from service.doctor.topics import judge_topic
from service.kafka import BrokerError, RefusedError, admin_client
from service.reading import Ranges, Reader, ReadError, open_reader
from service.settings import PREFIX, Settings
from service.topics import TopicsMissingError, plans

# Clocks that differ by less are not worth a word.
_AHEAD_S: Final = 5.0
_GROUP, _CLOCK = "consumer group", "clock"


class Described(NamedTuple):
    """What the cluster says of our topics, by name: as it lists them, and how they are set."""

    topics: dict[str, dict[str, Any]]
    configs: dict[str, dict[str, str]]


async def check_cluster(settings: Settings) -> list[Finding]:
    """Check everything that a broker can tell; without one that is said once."""
    names = [f"topic {plan.name}" for plan in plans(settings)]
    try:
        async with admin_client(settings.kafka) as client:
            brokers = await check_broker(client, settings)
            described = await describe(client, settings)
            about_topics = [
                judge_topic(
                    plan,
                    described.topics.get(plan.name),
                    described.configs.get(plan.name),
                    settings.kafka.bootstrap_servers,
                )
                for plan in plans(settings)
            ]
            if settings.topics.articles not in described.topics:
                rest = [unchecked(check, "no articles topic") for check in (_GROUP, _CLOCK)]
                return [brokers, *about_topics, *rest]
            async with open_reader(settings) as reader:
                return [
                    brokers,
                    *about_topics,
                    await _attempt(_GROUP, lambda: check_group(client, reader, settings)),
                    await _attempt(_CLOCK, lambda: check_clock(reader, described, settings)),
                ]
    except BrokerError as error:
        do = (
            f"are {PREFIX}KAFKA__SASL_USERNAME, its password and {PREFIX}KAFKA__CA_FILE right?"
            if isinstance(error, RefusedError)
            else f"is the cluster up, and is {PREFIX}KAFKA__BOOTSTRAP_SERVERS right?"
        )
        rest = [unchecked(name, "no broker") for name in (*names, _GROUP, _CLOCK)]
        return [failed("broker", str(error), do), *rest]


async def check_broker(client: Any, settings: Settings) -> Finding:
    """Whether the cluster answers, and has as many brokers as topics are to have replicas."""
    started = time.perf_counter()
    brokers = len((await client.describe_cluster())["brokers"])
    took_ms = (time.perf_counter() - started) * 1000
    noun = "broker" if brokers == 1 else "brokers"
    said = f"{settings.kafka.bootstrap_servers}: {brokers} {noun}, answered in {took_ms:.0f} ms"
    wanted = settings.topics.replication_factor
    if brokers < wanted:
        return warn(
            "broker",
            f"{said}; new topics are to have {wanted} replicas",
            f"bring up {wanted} brokers, or set {PREFIX}TOPICS__REPLICATION_FACTOR={brokers}",
        )
    return ok("broker", said)


async def describe(client: Any, settings: Settings) -> Described:
    """Ask what topics there are, and how ours are set.

    All topics are listed, because asking for one by name makes some clusters create it.
    """
    topics = {topic["topic"]: topic for topic in await client.describe_topics()}
    ours = [plan.name for plan in plans(settings) if plan.name in topics]
    configs = {}
    try:
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in ours]
        answers = await client.describe_configs(resources) if resources else []
    except KafkaError:
        # Whoever may not ask for settings is told so in the topics' lines.
        answers = []
    for resource in (r for answer in answers for r in answer.to_object()["resources"]):
        if resource["error_code"] == 0:
            entries = resource["config_entries"]
            configs[resource["resource_name"]] = {
                entry["config_names"]: entry["config_value"] for entry in entries
            }
    return Described(topics, configs)


async def check_group(client: Any, reader: Reader, settings: Settings) -> Finding:
    """How many workers there are, and how many articles wait for them."""
    group, topic = settings.kafka.group, settings.topics.articles
    (answer,) = await client.describe_consumer_groups([group])
    (about,) = answer.to_object()["groups"]
    if about["error_code"]:
        reason = for_code(about["error_code"]).__name__
        return failed(_GROUP, f"{group}: {reason}", "may this user read this group?")
    extent = await reader.extent(topic)
    committed = await client.list_consumer_group_offsets(group, partitions=list(extent))
    waiting = lag(extent, {tp: at.offset for tp, at in committed.items()})
    members = len(about["members"])
    said = (
        f"{group}: {members} worker{'' if members == 1 else 's'}, "
        f"{waiting:,} record{' waits' if waiting == 1 else 's wait'} on {topic}"
    )
    if waiting and not members:
        return warn(_GROUP, said, "start a worker: claimstream worker")
    return ok(_GROUP, said)


def lag(extent: Ranges, committed: dict[TopicPartition, int]) -> int:
    """How many records are not done; a group that has committed nothing begins with the first.

    Args:
        extent: of each partition the first offset and the end.
        committed: the group's offsets; negative, or missing, where there is none.
    """
    return sum(
        end - min(end, max(start, committed.get(tp, -1))) for tp, (start, end) in extent.items()
    )


async def check_clock(reader: Reader, described: Described, settings: Settings) -> Finding:
    """Whether the newest record is dated later than now: Kafka tells no time but its records'."""
    topic = settings.topics.articles
    extent = await reader.extent(topic)
    last = {tp: (end - 1, end) for tp, (start, end) in extent.items() if start < end}
    times = [
        record.timestamp_ms async for record in reader.read(last) if record.timestamp_ms is not None
    ]
    if not times:
        return unchecked(_CLOCK, f"{topic} has no record to tell it by")
    ahead_s = max(times) / 1000 - time.time()
    kind = described.configs.get(topic, {}).get("message.timestamp.type")
    whose = "the broker's clock" if kind == "LogAppendTime" else "its producer's clock"
    if ahead_s > _AHEAD_S:
        return warn(
            _CLOCK,
            f"by {whose} the newest record of {topic} was written in {ahead_s:,.0f} s from now",
            "set this machine's clock and that one right (NTP)",
        )
    return ok(
        _CLOCK, f"by {whose} the newest record of {topic} was written {max(0, -ahead_s):,.0f} s ago"
    )


async def _attempt(check: str, run: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await run()
    except (KafkaError, ReadError, TopicsMissingError, TimeoutError) as error:
        return broken(check, error)
