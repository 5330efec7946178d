"""Sends what goes out, and waits for the broker's word that it is safe.

The producer is aiokafka's and not Faust's: ``topic.send`` of Faust only enqueues, a delivery that
fails is a warning to it, and that warning quotes the whole article.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from service.kafka import HEADER_ROOM_BYTES, BrokerError, client_options
from service.metrics import Metrics
from service.records import Headers
from service.settings import Settings

# aiokafka gives up on a record after the request timeout, and notices that a little later.
_GRACE_S: Final = 2.0

Confirmation = asyncio.Future[Any]


class DeliveryError(Exception):
    """The broker did not confirm; nothing that depends on it may be acknowledged."""


class TooLargeError(Exception):
    """The record is larger than the broker takes."""


class Outbox:
    """A producer that tells apart what is the record's fault and what is the cluster's."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        """Take the cluster's settings; call in the event loop."""
        kafka = settings.kafka
        self._timeout_s = kafka.request_timeout_s
        self._metrics = metrics
        self._producer = AIOKafkaProducer(
            **client_options(kafka),
            acks="all",
            max_request_size=kafka.max_record_bytes + HEADER_ROOM_BYTES,
            request_timeout_ms=round(kafka.request_timeout_s * 1000),
        )

    async def start(self) -> None:
        """Connect.

        Raises:
            BrokerError: the cluster cannot be reached.
        """
        try:
            await self._producer.start()
        except KafkaError as error:
            await self._producer.stop()
            raise BrokerError(str(error)) from error

    async def stop(self) -> None:
        """Disconnect, sending nothing more that is not confirmed in time."""
        await asyncio.wait_for(self._producer.stop(), self._timeout_s + _GRACE_S)

    async def send(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers
    ) -> Confirmation:
        """Hand a record to the producer.

        Returns:
            What :meth:`confirmed` awaits.

        Raises:
            TooLargeError: the record is larger than the producer may send.
            DeliveryError: the producer cannot take it.
        """
        try:
            if key is None and value is None:
                confirmation = await self._send_empty(topic, headers)
            else:
                confirmation = await self._producer.send(topic, value, key=key, headers=headers)
        except MessageSizeTooLargeError as error:
            raise TooLargeError(_too_large(value)) from error
        except KafkaError as error:
            self._metrics.producer_errors.inc()
            raise DeliveryError(f"{topic} takes nothing: {error!r}") from error
        confirmation.add_done_callback(self._count_error)
        return confirmation

    async def confirmed(self, confirmations: Sequence[Confirmation]) -> list[bool]:
        """Wait for the broker's word on each.

        Returns:
            For each whether it is safe; if not, the broker found it too large.

        Raises:
            DeliveryError: the broker refused for another reason or said nothing in time.
        """
        if not confirmations:
            return []
        _, pending = await asyncio.wait(confirmations, timeout=self._timeout_s + _GRACE_S)
        if pending:
            raise DeliveryError(f"the broker said nothing for {self._timeout_s + _GRACE_S:g} s")
        errors = [confirmation.exception() for confirmation in confirmations]
        for error in errors:
            if error is not None and not isinstance(error, MessageSizeTooLargeError):
                raise DeliveryError(f"the broker did not confirm: {error!r}") from error
        return [error is None for error in errors]

    async def ping(self, timeout_s: float) -> bool:
        """Say whether the cluster answers the producer within so many seconds."""
        try:
            refreshed: Awaitable[bool] = self._producer.client.force_metadata_update()
            return await asyncio.wait_for(refreshed, timeout_s)
        except (TimeoutError, KafkaError):
            return False

    async def _send_empty(self, topic: str, headers: Headers) -> Confirmation:
        """Send a record without key and value, which aiokafka takes only as a batch."""
        batch = self._producer.create_batch()
        batch.append(key=None, value=None, timestamp=None, headers=headers)
        partitions = await self._producer.partitions_for(topic)
        partition = random.choice(sorted(partitions))  # noqa: S311 - spreads, guards nothing
        confirmation: Confirmation = await self._producer.send_batch(
            batch, topic, partition=partition
        )
        return confirmation

    def _count_error(self, confirmation: Confirmation) -> None:
        if not confirmation.cancelled() and confirmation.exception() is not None:
            self._metrics.producer_errors.inc()


def _too_large(value: bytes | None) -> str:
    return f"{len(value or b'')} bytes are more than the broker takes"
