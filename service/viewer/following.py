"""Follows the labelled topic through outages of the broker, and tells what happens, step by step.

No consumer group is used: every viewer sees every record, and nothing is committed. Where it had
got to is kept here, so that after an outage nothing is missed and nothing is read twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from service.contracts import LabelledArticle
from service.kafka import BrokerError, reader_options, start_consumer, stop_consumer
from service.settings import Settings
from service.topics import TopicsMissingError, check
from service.viewer.checking import fault
from service.viewer.originals import place_of
from service.viewer.store import Place

# aiokafka hides an outage: it goes on trying in silence. So the broker is asked now and then
# for the topic's end, which also says how much is still to come.
_ASK_EVERY_S: Final = 2.0
_ANSWER_WITHIN_S: Final = 5.0
_RETRY_AFTER_S: Final = 1.0
_POLL_MS: Final = 500
_RECORDS_A_POLL: Final = 50


class Arrived(NamedTuple):
    """A labelled article, its bytes as JSON, when it came to the topic, and from which record."""

    article: LabelledArticle
    size: int
    arrived_at: datetime
    place: Place | None = None


class Withdrawn(NamedTuple):
    """A tombstone: the article of this id is to be removed."""

    article_id: str


class Strange(NamedTuple):
    """A record that is no labelled article of this version, and what is wrong with it."""

    reason: str


class Connected(NamedTuple):
    """The broker answers, and so many records are still to be read."""

    behind: int


class Disconnected(NamedTuple):
    """The broker cannot be used; it is tried again and again."""

    reason: str


Event = Arrived | Withdrawn | Strange | Connected | Disconnected


async def follow(settings: Settings, *, from_start: bool) -> AsyncGenerator[Event]:
    """Yield what happens on the labelled topic, for ever.

    Args:
        settings: which cluster and topic.
        from_start: begin with the oldest record instead of with what comes next.
    """
    positions: dict[TopicPartition, int] = {}
    while True:
        try:
            async with aclosing(_connected(settings, positions, from_start=from_start)) as events:
                async for event in events:
                    yield event
        except TimeoutError:
            yield Disconnected(f"no answer from {settings.kafka.bootstrap_servers}")
        except (BrokerError, TopicsMissingError, KafkaError, OSError) as error:
            yield Disconnected(str(error))
        await asyncio.sleep(_RETRY_AFTER_S)


async def _connected(
    settings: Settings, positions: dict[TopicPartition, int], *, from_start: bool
) -> AsyncGenerator[Event]:
    """Yield what happens until the broker cannot be used; ``positions`` says where to go on.

    Raises:
        BrokerError, TopicsMissingError, KafkaError, OSError, TimeoutError: the broker cannot be
            used.
    """
    # First, because asking for a topic by name makes some clusters create it.
    await check(settings)
    consumer = AIOKafkaConsumer(
        settings.topics.claims,
        **reader_options(settings.kafka),
        # A partition that is new, or lost what had been read of it, is read from its beginning.
        auto_offset_reset="earliest",
    )
    try:
        async with asyncio.timeout(settings.kafka.connect_timeout_s):
            await start_consumer(consumer)
            await _take_places(consumer, positions, from_start=from_start)
        asked = -_ASK_EVERY_S
        while True:
            if time.monotonic() - asked >= _ASK_EVERY_S:
                yield Connected(await _behind(consumer, positions))
                asked = time.monotonic()
            found = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_RECORDS_A_POLL)
            for partition, records in found.items():
                for record in records:
                    yield read(record, settings.topics.articles)
                    positions[partition] = record.offset + 1
                    # A large backlog must not keep the pages waiting.
                    await asyncio.sleep(0)
    finally:
        await stop_consumer(consumer)


async def _take_places(
    consumer: AIOKafkaConsumer, positions: dict[TopicPartition, int], *, from_start: bool
) -> None:
    """Go to where reading is to begin, or to go on, in every partition."""
    partitions = consumer.assignment()
    ends = await consumer.end_offsets(partitions)
    if not positions and not from_start:
        positions |= ends
    for partition in partitions:
        position = positions.get(partition, 0)
        # Beyond the end: the topic was made anew, and all of it is unread.
        positions[partition] = position if position <= ends[partition] else 0
        consumer.seek(partition, positions[partition])


async def _behind(consumer: AIOKafkaConsumer, positions: dict[TopicPartition, int]) -> int:
    """Count the records that are still to be read.

    Raises:
        TimeoutError: the broker does not answer.
        BrokerError: the topic lost what had been read; reading has to begin anew.
    """
    async with asyncio.timeout(_ANSWER_WITHIN_S):
        ends = await consumer.end_offsets(consumer.assignment())
    if any(end < positions.get(partition, 0) for partition, end in ends.items()):
        raise BrokerError("the topic was made anew")
    return sum(end - positions.get(partition, 0) for partition, end in ends.items())


def read(record: Any, articles_topic: str) -> Event:
    """Say what a record of the labelled topic is; none makes it fail."""
    where = f"partition {record.partition}, offset {record.offset}"
    if record.value is None:
        try:
            return Withdrawn((record.key or b"").decode("utf-8"))
        except UnicodeDecodeError:
            return Strange(f"{where}: a tombstone whose key is not UTF-8")
    try:
        article = LabelledArticle.from_json(record.value)
    except ValidationError as error:
        return Strange(f"{where}: no labelled article ({error.error_count()} faults)")
    if reason := fault(article):
        return Strange(f"{where}: {reason}")
    place = None if article.text is not None else place_of(record.headers, articles_topic)
    return Arrived(article, len(record.value), _time(record.timestamp), place)


def _time(milliseconds: int) -> datetime:
    """The record's time; the earliest there is where the record has none, or one out of range."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
