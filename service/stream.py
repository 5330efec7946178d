"""The Faust app and its agent: takes records from the articles topic and hands them to the handler.

Values stay bytes until the handler has them: Faust's own decoding stalls silently at the first bad
record. The agent takes several at once without acknowledging any. While they are labelled in the
inference thread, the consumer's own thread fetches the next into the stream's buffer, and the
broker confirms those before.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

import faust
from faust.auth import OAuthCredentials

from service.batches import in_batches
from service.consumer import DrainingConsumer
from service.handling import Handler
from service.header_names import take_any_name
from service.kafka import sasl_password, ssl_context, token_file
from service.metrics import Metrics
from service.poison import Guard
from service.settings import KafkaSettings, Settings

# Batches that wait fetched in memory while one is labelled.
_BUFFERED_BATCHES: Final = 4
_FETCH_BYTES: Final = 1024 * 1024
# A member that polls nothing for so long leaves the group. Nothing is polled while a long article
# is labelled, or the breaker is open. Whether the worker is stuck is for its health to say.
_POLL_INTERVAL_S: Final = 7 * 24 * 3600.0
# A request to join the group is answered when the rebalance ends, which may take its whole time.
_JOIN_ROOM_S: Final = 10.0


class StreamEndedError(Exception):
    """The stream ended by itself; the worker would go on living without consuming."""


class WorkerApp(faust.App):  # type: ignore[misc]  # Faust's classes are Any to mypy
    """A Faust app whose consumer hands over cleanly, and which needs no folder on disk."""

    logger = logging.getLogger("faust.app")

    def __init__(self, name: str, *, consumer_parts: dict[str, Any], **options: Any) -> None:
        """Take Faust's arguments, and what our consumer is given on top of them."""
        self._consumer_parts = consumer_parts
        super().__init__(name, **options)

    def _new_consumer(self) -> DrainingConsumer:
        return DrainingConsumer(
            self.transport,
            **self._consumer_parts,
            callback=self.topics.on_message,
            on_partitions_revoked=self._on_partitions_revoked,
            on_partitions_assigned=self._on_partitions_assigned,
            loop=self.transport.loop,
            beacon=self.beacon,
        )

    def _create_directories(self) -> None:
        """Create none: there are no tables, and the file system may be read-only."""


def build_app(settings: Settings, handler: Handler, guard: Guard, metrics: Metrics) -> WorkerApp:
    """Build the app; call in the event loop that is to run it.

    Raises:
        service.kafka.RefusedError: a certificate or a key cannot be read.
    """
    kafka, worker = settings.kafka, settings.worker
    buffered = _BUFFERED_BATCHES * worker.batch_articles
    take_any_name()
    app = WorkerApp(
        kafka.group,
        consumer_parts={
            "handler": handler,
            "guard": guard,
            "metrics": metrics,
            "settings": settings,
        },
        **connection(kafka),
        broker_commit_interval=kafka.commit_interval_s,
        broker_heartbeat_interval=kafka.heartbeat_interval_s,
        broker_max_poll_interval=_POLL_INTERVAL_S,
        broker_max_poll_records=buffered,
        broker_rebalance_timeout=kafka.rebalance_timeout_s,
        broker_request_timeout=max(kafka.rebalance_timeout_s, kafka.session_timeout_s)
        + _JOIN_ROOM_S,
        broker_session_timeout=kafka.session_timeout_s,
        consumer_auto_offset_reset="earliest",
        # Of each partition at once. A larger record comes alone (KIP-74, Kafka 0.10.1).
        consumer_max_fetch_size=_FETCH_BYTES,
        key_serializer="raw",
        value_serializer="raw",
        stream_buffer_maxsize=buffered,
        stream_recovery_delay=0.0,
        # Topics are created by our own command, with the right settings.
        topic_allow_declare=False,
        topic_disable_leader=True,
        # Metrics and health are served by ourselves (service.health); Faust's web server would
        # listen on all interfaces.
        web_enabled=False,
    )
    # What goes out has a producer of our own (service.delivery).
    app.boot_strategy.enable_kafka_producer = False
    app.finalize()
    topic = app.topic(settings.topics.articles, key_type=bytes, value_type=bytes)

    @app.agent(topic, name="articles", concurrency=1)  # type: ignore[untyped-decorator]
    async def articles(stream: Any) -> None:
        """Take records for as long as the app runs; any error ends the app."""
        consumer = app.consumer

        def is_current(message: Any) -> bool:
            return bool(message.generation_id == app.consumer_generation_id)

        def has_more() -> bool:
            return not stream.channel.queue.empty()

        async def crash_when_broken() -> None:
            await app.crash(await handler.broken())

        breaking = asyncio.create_task(crash_when_broken())
        batches = in_batches(
            stream.noack().events(), has_more, worker.batch_articles, worker.batch_tokens
        )
        try:
            async for messages in batches:
                await handler.handle(
                    messages, is_current, consumer.acknowledge, consumer.commit_now
                )
            if not app.should_stop:
                await app.crash(StreamEndedError("the stream of articles ended by itself"))
        except Exception as error:  # noqa: BLE001 - an exception that leaves an agent stalls Faust
            await app.crash(error)
        finally:
            breaking.cancel()

    return app


def connection(kafka: KafkaSettings) -> dict[str, Any]:
    """Faust's settings for the connection, the same as our other clients use.

    Raises:
        service.kafka.RefusedError: a certificate or a key cannot be read.
    """
    context = ssl_context(kafka)
    hosts = kafka.bootstrap_servers.split(",")
    options: dict[str, Any] = {
        "broker": ";".join(f"kafka://{host.strip()}" for host in hosts),
        "broker_client_id": kafka.client_id,
    }
    # Without a context Faust would authenticate in clear.
    if kafka.security_protocol == "SASL_SSL" and (tokens := token_file(kafka)):
        options["broker_credentials"] = OAuthCredentials(oauth_cb=tokens, ssl_context=context)
    elif kafka.security_protocol == "SASL_SSL":
        options["broker_credentials"] = faust.SASLCredentials(
            username=kafka.sasl_username,
            password=sasl_password(kafka),
            ssl_context=context,
            mechanism=kafka.sasl_mechanism,
        )
    elif context is not None:
        options["broker_credentials"] = faust.SSLCredentials(context)
    return options
