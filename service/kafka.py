"""How every Kafka client of ours connects: addresses, security, and one clear error if it fails."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError

from service.refusals import BROKEN_RULES, find_refusal
from service.settings import KafkaSettings
from service.tokens import TokenFile

# aiokafka logs every failed attempt. What matters of that is in the error that is raised; in a
# command that has not set up logging, Python would print the rest to standard error.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())

# A dead letter is the article's record with our headers on top: the largest one needs more room.
HEADER_ROOM_BYTES: Final = 64 * 1024

_STOP_S: Final = 5.0


class BrokerError(Exception):
    """The cluster cannot be reached or refuses; the message says which and why in one line."""


class RefusedError(BrokerError):
    """The settings are wrong, so that waiting does not help: passwords, certificates."""


def ssl_context(kafka: KafkaSettings) -> ssl.SSLContext | None:
    """Build the context for TLS, or None where the connection is in clear.

    Raises:
        RefusedError: a certificate or a key cannot be read.
    """
    if kafka.security_protocol == "PLAINTEXT":
        return None
    try:
        context = ssl.create_default_context(cafile=kafka.ca_file)
    except OSError as error:
        raise RefusedError(f"CA certificates {kafka.ca_file}: {_why(error)}") from error
    if kafka.cert_file:

        def password() -> str:
            # Without a function OpenSSL would ask for it on the terminal.
            if kafka.key_password is None:
                raise ValueError("the key is encrypted: set key_password")
            return kafka.key_password.get_secret_value()

        try:
            context.load_cert_chain(kafka.cert_file, kafka.key_file, password)
        except (OSError, ValueError) as error:
            files = " and ".join(str(file) for file in (kafka.cert_file, kafka.key_file) if file)
            locked = ", or key_password does not open it" if kafka.key_password else ""
            raise RefusedError(f"certificate {files}: {_why(error, locked)}") from error
    return context


def _why(error: Exception, or_else: str = "") -> str:
    if isinstance(error, ssl.SSLError):
        if error.reason == "KEY_VALUES_MISMATCH":
            return "the key belongs to another certificate"
        return f"this is no certificate or key in PEM{or_else}"
    return getattr(error, "strerror", None) or str(error)


def sasl_password(kafka: KafkaSettings) -> str | None:
    """Take the password out of its wrapping, for a client that is about to be built."""
    return kafka.sasl_password.get_secret_value() if kafka.sasl_password else None


def token_file(kafka: KafkaSettings) -> TokenFile | None:
    """What hands out tokens, where OAUTHBEARER is how we authenticate."""
    if kafka.sasl_mechanism != "OAUTHBEARER" or kafka.sasl_token_file is None:
        return None
    return TokenFile(kafka.sasl_token_file)


def client_options(kafka: KafkaSettings) -> dict[str, Any]:
    """Keyword arguments that all aiokafka clients take.

    Raises:
        RefusedError: a certificate or a key cannot be read.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": kafka.bootstrap_servers,
        "client_id": kafka.client_id,
        "security_protocol": kafka.security_protocol,
        "ssl_context": ssl_context(kafka),
    }
    if kafka.security_protocol == "SASL_SSL":
        options |= {"sasl_mechanism": kafka.sasl_mechanism}
        if tokens := token_file(kafka):
            options |= {"sasl_oauth_token_provider": tokens}
        else:
            options |= {
                "sasl_plain_username": kafka.sasl_username,
                "sasl_plain_password": sasl_password(kafka),
            }
    return options


def reader_options(kafka: KafkaSettings) -> dict[str, Any]:
    """The same for a consumer that follows a topic, whose largest record it must take.

    Raises:
        RefusedError: a certificate or a key cannot be read.
    """
    return client_options(kafka) | {
        "fetch_max_wait_ms": round(kafka.fetch_wait_s * 1000),
        "max_partition_fetch_bytes": kafka.max_record_bytes,
    }


@asynccontextmanager
async def admin_client(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Connect an admin client within ``connect_timeout_s`` seconds.

    Raises:
        BrokerError: the cluster cannot be reached in that time, or refuses what is asked.
        RefusedError: it takes neither our password nor our certificates, or we not its.
    """
    options = client_options(kafka)
    client = AIOKafkaAdminClient(
        **options, request_timeout_ms=round(kafka.connect_timeout_s * 1000)
    )
    try:
        async with asyncio.timeout(kafka.connect_timeout_s):
            await _to_its_end(_start(client))
        yield client
    except (KafkaError, OSError) as error:  # a timeout is an OSError too
        if refusal := await find_refusal(options, kafka.connect_timeout_s):
            raise RefusedError(refusal) from error
        servers = kafka.bootstrap_servers
        if isinstance(error, TimeoutError):
            late = f"no broker at {servers} within {kafka.connect_timeout_s:g} s"
            raise BrokerError(late) from error
        raise BrokerError(f"no broker at {servers}: {error}") from error
    finally:
        await _to_its_end(client.close())


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Await what aiokafka does. Cancelled meanwhile, first let it finish, for a while.

    aiokafka 0.14.0 forgets a connection that it is making when it is cancelled: it stays open. And
    a client that closes takes the cancelling of whoever waits for it for that of its own task: it
    is swallowed, and who was to end goes on for ever.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=_STOP_S)
        if not task.cancel() and not task.cancelled():
            task.exception()  # taken note of: whoever cancelled does not wait for it
        raise


async def _start(client: AIOKafkaAdminClient) -> None:
    try:
        await client.start()
    except BROKEN_RULES as error:
        if isinstance(error, OSError):  # a certificate that is refused
            raise
        # What was wrong is found out by hand, as with everything else that aiokafka does not tell.
        raise KafkaConnectionError(repr(error)) from error


async def start_consumer(consumer: AIOKafkaConsumer) -> None:
    """Start a consumer. Cancelled meanwhile, it first lets it finish, for a while.

    Raises:
        aiokafka.errors.KafkaError: the cluster cannot be used.
    """
    await _to_its_end(consumer.start())


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer, also one whose broker is away or that has only just started.

    aiokafka 0.14.0 awaits the requests that it has cancelled, so that a stop may end with a
    CancelledError that nobody asked for, and leave its connections open. And its tasks must have
    begun before they may be stopped.
    """
    await asyncio.sleep(0)
    stop = asyncio.create_task(consumer.stop())
    await asyncio.wait({stop}, timeout=_STOP_S)
    if not stop.done() or stop.cancelled() or stop.exception() is not None:
        stop.cancel()
        await consumer._client.close()  # noqa: SLF001 - there is no other way


async def check_broker(kafka: KafkaSettings) -> None:
    """Make sure that the cluster answers.

    Raises:
        BrokerError: it does not within ``connect_timeout_s`` seconds.
    """
    async with admin_client(kafka):
        return
