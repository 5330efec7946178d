"""Numbers that outlive any worker: one for each partition, kept in the cluster.

They are kept as the committed offsets of a consumer group that never has a member. Such a group
any client may read and write, every broker keeps it, and it needs neither a topic nor a disk. (The
text that Kafka keeps beside an offset would do too, but the embedded broker forgets it.)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from service.kafka import BrokerError, client_options, start_consumer, stop_consumer
from service.settings import KafkaSettings

Place = tuple[str, int]  # topic and partition


class JournalError(Exception):
    """The cluster does not keep the journal; the message says why."""


class Journal:
    """Reads and writes the numbers of the partitions that it was last asked for."""

    def __init__(self, kafka: KafkaSettings) -> None:
        """Take the cluster and our group; call in the event loop."""
        self._timeout_s = kafka.connect_timeout_s
        self._consumer = AIOKafkaConsumer(
            **client_options(kafka), group_id=f"{kafka.group}.begun", enable_auto_commit=False
        )

    async def start(self) -> None:
        """Connect.

        Raises:
            JournalError: the cluster cannot be reached.
        """
        async with self._errors():
            await start_consumer(self._consumer)

    async def stop(self) -> None:
        """Disconnect."""
        await stop_consumer(self._consumer)

    async def read(self, places: Collection[Place]) -> dict[Place, int]:
        """Read the numbers of partitions; only these may then be written.

        Returns:
            The number of each that has one.

        Raises:
            JournalError: the cluster does not answer, or refuses.
        """
        partitions = [TopicPartition(*place) for place in places]
        self._consumer.assign(partitions)
        self._consumer.pause(*partitions)  # no record is ever fetched
        async with self._errors():
            found = await asyncio.gather(*map(self._consumer.committed, partitions))
        return {
            (partition.topic, partition.partition): number
            for partition, number in zip(partitions, found, strict=True)
            if number is not None
        }

    async def ends(self, places: Collection[Place]) -> dict[Place, int]:
        """Ask how far partitions reach: the offset after the last record of each.

        It has a connection of its own, so it knows of records that a dead fetcher does not see.

        Raises:
            JournalError: the cluster does not answer, or refuses.
        """
        async with self._errors():
            found = await self._consumer.end_offsets([TopicPartition(*place) for place in places])
        return {(partition.topic, partition.partition): end for partition, end in found.items()}

    async def write(self, numbers: Mapping[Place, int]) -> None:
        """Write numbers, and return when the cluster has them.

        Raises:
            JournalError: the cluster does not answer, or refuses.
        """
        async with self._errors():
            await self._consumer.commit(
                {TopicPartition(*place): number for place, number in numbers.items()}
            )

    @asynccontextmanager
    async def _errors(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._timeout_s):
                yield
        except TimeoutError as error:
            raise JournalError(f"the broker said nothing for {self._timeout_s:g} s") from error
        except KafkaError as error:
            raise JournalError(repr(error)) from error


async def open_journal(kafka: KafkaSettings) -> Journal:
    """Connect a journal.

    Raises:
        BrokerError: the cluster cannot be reached within ``connect_timeout_s`` seconds.
    """
    journal = Journal(kafka)
    try:
        await journal.start()
    except JournalError as error:
        await journal.stop()
        raise BrokerError(f"no journal at {kafka.bootstrap_servers}: {error}") from error
    return journal
