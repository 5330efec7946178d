"""Sends what goes out, and waits for the broker's word that it is safe.

The producer is aiokafka's and not Faust's: ``topic.send`` of Faust only enqueues, a delivery that
fails is a warning to it, and that warning quotes the whole article.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Sequence
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError, MessageSizeTooLargeError

from service.compression import pack_quickly
from service.kafka import HEADER_ROOM_BYTES, BrokerError, RefusedError, client_options
from service.metrics import Metrics
from service.records import Headers
from service.settings import Settings

log = structlog.get_logger(__name__)

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
        self._kafka = settings.kafka
        self._timeout_s = settings.kafka.request_timeout_s
        self._metrics = metrics
        self._producer: Any = None
        self._is_idempotent = settings.kafka.idempotence != "off"
        # aiokafka 0.14.0 goes on counting when the broker refuses a record of an idempotent
        # producer; the broker does not, and would take nothing more from it.
        self._is_out_of_step = False
        self._has_failed = False

    async def start(self) -> None:
        """Connect.

        An idempotent producer sends what was not answered again without making it double. A broker
        that has none for us, as the embedded one (tansu), says so at once.

        Raises:
            BrokerError: the cluster cannot be reached.
            RefusedError: it has no idempotent producer, and we are set to insist on one.
        """
        try:
            self._producer = await self._connect()
        except KafkaConnectionError as error:
            raise BrokerError(f"no producer at {self._kafka.bootstrap_servers}: {error}") from error
        except TimeoutError as error:
            raise BrokerError(
                f"no producer at {self._kafka.bootstrap_servers} "
                f"within {self._kafka.connect_timeout_s:g} s"
            ) from error
        except KafkaError as error:
            if self._kafka.idempotence == "on":
                raise RefusedError(f"the broker has no idempotent producer: {error!r}") from error
            if not self._is_idempotent:
                raise BrokerError(f"the broker takes nothing from us: {error!r}") from error
            log.info("the broker has no idempotent producer, going on without", error=repr(error))
            self._is_idempotent = False
            await self.start()

    async def stop(self) -> None:
        """Disconnect, sending nothing more that is not confirmed in time."""
        if self._has_failed:
            # Cancelled a second time it would cancel what it still waits for, and with that us.
            await asyncio.wait({self._producer._sender.sender_task}, timeout=self._timeout_s)  # noqa: SLF001
        await asyncio.wait_for(self._producer.stop(), self._timeout_s + _GRACE_S)

    async def _connect(self) -> AIOKafkaProducer:
        compression = self._kafka.compression
        pack_quickly()
        producer = AIOKafkaProducer(
            **client_options(self._kafka),
            acks="all",
            # A labelled article says the same names over and over: it shrinks to a third.
            compression_type=None if compression == "none" else compression,
            enable_idempotence=self._is_idempotent,
            max_request_size=self._kafka.max_record_bytes + HEADER_ROOM_BYTES,
            request_timeout_ms=round(self._timeout_s * 1000),
        )
        try:
            async with asyncio.timeout(self._kafka.connect_timeout_s):
                await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

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
            if self._is_out_of_step:
                await self._renew()
            if key is None and value is None:
                confirmation = await self._send_empty(topic, headers)
            else:
                confirmation = await self._producer.send(topic, value, key=key, headers=headers)
        except MessageSizeTooLargeError as error:
            raise TooLargeError(_too_large(value)) from error
        except (KafkaError, TimeoutError) as error:
            self._metrics.producer_errors.inc()
            raise DeliveryError(f"{topic} takes nothing: {error!r}") from error
        confirmation.add_done_callback(self._note)
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
        self._is_out_of_step |= self._is_idempotent and any(errors)
        return [error is None for error in errors]

    async def ping(self, timeout_s: float) -> bool:
        """Say whether the cluster answers the producer within so many seconds."""
        try:
            refreshed: Awaitable[bool] = self._producer.client.force_metadata_update()
            return await asyncio.wait_for(refreshed, timeout_s)
        except (TimeoutError, KafkaError):
            return False

    async def _renew(self) -> None:
        """Go on with a new producer, which counts from nothing."""
        old, self._producer = self._producer, await self._connect()
        self._is_out_of_step = False
        await old.stop()

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

    def _note(self, confirmation: Confirmation) -> None:
        """Count an error, and let nothing follow a record that will not come any more."""
        if confirmation.cancelled() or (error := confirmation.exception()) is None:
            return
        self._metrics.producer_errors.inc()
        if not isinstance(error, MessageSizeTooLargeError):
            self._fail_the_rest(error)

    def _fail_the_rest(self, error: BaseException) -> None:
        """Send nothing more.

        Left to itself, aiokafka 0.14.0 sends what waits behind a batch that it has given up, if the
        broker is back by then: a later version of an article would come without the one before.
        """
        if not self._has_failed:
            self._has_failed = True
            # Only these know what waits. The callback that brings us here runs before the sender.
            self._producer._sender.sender_task.cancel()  # noqa: SLF001
            self._producer._message_accumulator.fail_all(error)  # noqa: SLF001


def _too_large(value: bytes | None) -> str:
    return f"{len(value or b'')} bytes are more than the broker takes"
