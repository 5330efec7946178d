"""Connections: what clients are given, and one clear error when there is no cluster."""

import asyncio
import shutil
import ssl
from pathlib import Path

import faust
import pytest
from pydantic import SecretStr, ValidationError

from service.broker import free_port
from service.kafka import BrokerError, RefusedError, admin_client, check_broker, client_options
from service.settings import KafkaSettings
from service.stream import connection
from tests.refusing import Certificate, make_certificate, refusing_broker

openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

SECRET = KafkaSettings(
    security_protocol="SASL_SSL", sasl_username="desk", sasl_password=SecretStr("hush")
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate of loopback's own."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


def test_plaintext_needs_nothing() -> None:
    """Without TLS there is no context and no password."""
    options = client_options(KafkaSettings())
    assert options["security_protocol"] == "PLAINTEXT"
    assert options["ssl_context"] is None
    assert "broker_credentials" not in connection(KafkaSettings())


def test_tls_checks_the_server() -> None:
    """With TLS the broker's certificate and name are checked, by aiokafka and by Faust."""
    kafka = KafkaSettings(security_protocol="SSL")
    context = client_options(kafka)["ssl_context"]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    credentials = connection(kafka)["broker_credentials"]
    assert isinstance(credentials, faust.SSLCredentials)
    assert credentials.context.verify_mode is ssl.CERT_REQUIRED


def test_passwords_go_through_tls_only() -> None:
    """SASL comes with a TLS context everywhere; Faust would silently go without."""
    options = client_options(SECRET)
    assert options["security_protocol"] == "SASL_SSL"
    assert options["ssl_context"] is not None
    assert options["sasl_plain_password"] == "hush"  # noqa: S105 - a test's
    credentials = connection(SECRET)["broker_credentials"]
    assert credentials.protocol.value == "SASL_SSL"
    assert credentials.ssl_context is not None
    assert "hush" not in repr(SECRET) + repr(credentials)


def test_sasl_without_a_password_is_refused() -> None:
    """Half a set of credentials is a wrong setting, told before anything connects."""
    with pytest.raises(ValidationError, match="SASL_SSL needs"):
        KafkaSettings(security_protocol="SASL_SSL", sasl_username="desk")


def test_a_heartbeat_longer_than_the_session_is_refused() -> None:
    """A member that would be thrown out between two heartbeats is a wrong setting."""
    with pytest.raises(ValidationError, match="heartbeat"):
        KafkaSettings(session_timeout_s=3, heartbeat_interval_s=3)


def test_missing_certificates_are_told() -> None:
    """A file of certificates that does not exist is named."""
    kafka = KafkaSettings(security_protocol="SSL", ca_file=Path("no-such.pem"))
    with pytest.raises(RefusedError, match=r"no-such\.pem"):
        client_options(kafka)


def test_several_brokers_and_ipv6() -> None:
    """All bootstrap servers reach Faust, IPv6 addresses among them."""
    kafka = KafkaSettings(bootstrap_servers="a:1, b:2,[::1]:3")
    app = faust.App("test", **connection(kafka))
    app.finalize()
    found = [(url.host, url.port) for url in app.conf.broker]
    assert found == [("a", 1), ("b", 2), ("::1", 3)]


def test_an_unreachable_broker_is_one_clear_error() -> None:
    """Where nothing listens the error comes at once and names the address."""
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(BrokerError, match=f"no broker at {address}"):
        asyncio.run(check_broker(KafkaSettings(bootstrap_servers=address)))


def test_a_broker_that_answers(bootstrap_servers: str) -> None:
    """Where a broker answers there is nothing to say."""
    asyncio.run(check_broker(KafkaSettings(bootstrap_servers=bootstrap_servers)))


@pytest.mark.parametrize("turns", range(6))
def test_who_is_cancelled_ends(bootstrap_servers: str, turns: int) -> None:
    """Also where that comes while the client closes, after so many turns of the event loop."""
    closes = asyncio.Event()

    async def use() -> None:
        async with admin_client(KafkaSettings(bootstrap_servers=bootstrap_servers)):
            closes.set()
        await asyncio.Event().wait()

    async def cancel() -> None:
        task = asyncio.create_task(use())
        await closes.wait()
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task}, timeout=20)
        assert task.cancelled()

    asyncio.run(cancel())


async def _check(kafka: KafkaSettings) -> None:
    try:
        await check_broker(kafka)
    finally:
        await asyncio.sleep(
            0.1
        )  # asyncio closes a connection whose handshake failed a little later


@openssl
def test_a_certificate_that_nobody_vouches_for(certificate: Certificate) -> None:
    """A broker whose certificate our CAs did not sign is a wrong setting, told in one line."""
    with refusing_broker(certificate) as address:
        kafka = KafkaSettings(bootstrap_servers=address, security_protocol="SSL")
        with pytest.raises(
            RefusedError, match="is not to be trusted: self-signed certificate"
        ) as caught:
            asyncio.run(_check(kafka))
    assert "\n" not in str(caught.value)


@openssl
def test_a_wrong_password(certificate: Certificate) -> None:
    """A broker that does not take our password is a wrong setting; the password is not told."""
    with refusing_broker(certificate) as address:
        kafka = SECRET.model_copy(
            update={
                "bootstrap_servers": address,
                "ca_file": certificate.file,
                "sasl_mechanism": "PLAIN",
            }
        )
        with pytest.raises(RefusedError, match="wrong password") as caught:
            asyncio.run(_check(kafka))
    assert "hush" not in str(caught.value)


@openssl
def test_a_mechanism_that_the_broker_has_not(certificate: Certificate) -> None:
    """A way of authentication that the broker does not know is a wrong setting."""
    with refusing_broker(certificate) as address:
        kafka = SECRET.model_copy(
            update={"bootstrap_servers": address, "ca_file": certificate.file}
        )
        with pytest.raises(RefusedError, match="SCRAM-SHA-512"):
            asyncio.run(_check(kafka))


def test_an_outage_with_tls_is_no_refusal() -> None:
    """Where nothing listens waiting may help, with TLS as without."""
    kafka = KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port()}", security_protocol="SSL")
    with pytest.raises(BrokerError) as caught:
        asyncio.run(_check(kafka))
    assert not isinstance(caught.value, RefusedError)
