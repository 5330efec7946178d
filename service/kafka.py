"""How every Kafka client of ours connects: addresses, security, and one clear error if it fails."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from service.settings import KafkaSettings

# aiokafka logs every failed attempt. What matters of that is in the error that is raised; in a
# command that has not set up logging, Python would print the rest to standard error.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())

# A dead letter is the article's record with our headers on top: the largest one needs more room.
HEADER_ROOM_BYTES: Final = 64 * 1024

_STOP_S: Final = 5.0

# What no waiting mends: wrong passwords, mechanisms and certificates.
_REFUSALS: Final = (
    AuthenticationFailedError,
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
    ssl.SSLError,
)
# Of TLS's errors, those of a connection that is cut off.
_CUT_OFF: Final = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


class BrokerError(Exception):
    """The cluster cannot be reached or refuses; the message says which and why in one line."""


class RefusedError(BrokerError):
    """The settings are wrong, so that waiting does not help: passwords, certificates."""


def ssl_context(kafka: KafkaSettings) -> ssl.SSLContext | None:
    """Build the context for TLS, or None where the connection is in clear.

    Raises:
        RefusedError: the file of CA certificates cannot be read.
    """
    if kafka.security_protocol == "PLAINTEXT":
        return None
    try:
        return ssl.create_default_context(cafile=kafka.ca_file)
    except OSError as error:
        raise RefusedError(f"CA certificates {kafka.ca_file}: {error.strerror or error}") from error


def sasl_password(kafka: KafkaSettings) -> str | None:
    """Take the password out of its wrapping, for a client that is about to be built."""
    return kafka.sasl_password.get_secret_value() if kafka.sasl_password else None


def client_options(kafka: KafkaSettings) -> dict[str, Any]:
    """Keyword arguments that all aiokafka clients take.

    Raises:
        RefusedError: the file of CA certificates cannot be read.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": kafka.bootstrap_servers,
        "client_id": kafka.client_id,
        "security_protocol": kafka.security_protocol,
        "ssl_context": ssl_context(kafka),
    }
    if kafka.security_protocol == "SASL_SSL":
        options |= {
            "sasl_mechanism": kafka.sasl_mechanism,
            "sasl_plain_username": kafka.sasl_username,
            "sasl_plain_password": sasl_password(kafka),
        }
    return options


@asynccontextmanager
async def admin_client(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Connect an admin client within ``connect_timeout_s`` seconds.

    Raises:
        BrokerError: the cluster cannot be reached in that time, or refuses what is asked.
        RefusedError: it takes neither our password nor our certificates, or we not its.
    """
    client = AIOKafkaAdminClient(
        **client_options(kafka), request_timeout_ms=round(kafka.connect_timeout_s * 1000)
    )
    try:
        async with asyncio.timeout(kafka.connect_timeout_s):
            await client.start()
        yield client
    except TimeoutError as error:
        raise BrokerError(
            f"no broker at {kafka.bootstrap_servers} within {kafka.connect_timeout_s:g} s"
        ) from error
    except (KafkaError, OSError) as error:
        if refusal := await _refusal(kafka):
            raise RefusedError(f"{kafka.bootstrap_servers} refuses us: {refusal}") from error
        raise BrokerError(f"no broker at {kafka.bootstrap_servers}: {error}") from error
    finally:
        await client.close()


async def start_consumer(consumer: AIOKafkaConsumer) -> None:
    """Start a consumer. Cancelled meanwhile, it first lets it finish, for a while.

    aiokafka 0.14.0 forgets a connection that it is making when it is cancelled: it stays open.

    Raises:
        aiokafka.errors.KafkaError: the cluster cannot be used.
    """
    start = asyncio.create_task(consumer.start())
    try:
        await asyncio.shield(start)
    except asyncio.CancelledError:
        await asyncio.wait({start}, timeout=_STOP_S)
        if not start.cancel() and not start.cancelled():
            start.exception()  # taken note of: whoever cancelled does not wait for it
        raise


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


async def _refusal(kafka: KafkaSettings) -> Exception | None:
    """Connect by hand to find out what aiokafka only logs when it gets no connection."""
    if kafka.security_protocol == "PLAINTEXT":
        return None
    options = client_options(kafka)
    del options["bootstrap_servers"]
    for host, port, _ in collect_hosts(kafka.bootstrap_servers, randomize=False):
        try:
            connection = await create_conn(
                host, port, request_timeout_ms=round(kafka.connect_timeout_s * 1000), **options
            )
        except _CUT_OFF:
            continue
        except _REFUSALS as error:
            return error
        except (KafkaError, OSError):  # a timeout is an OSError too
            continue
        connection.close()
    return None
