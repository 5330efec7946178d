"""TLS over real connections: who is trusted, who is not, and what is said then."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from service.broker import free_port
from service.kafka import BrokerError, RefusedError, admin_client, client_options
from service.settings import KafkaSettings
from tests.cluster import articles
from tests.conftest import StartWorker
from tests.security.certificates import Certificates
from tests.security.commands import run
from tests.security.conftest import Secured
from tests.security.front import Front

BAD_SERVERS = {
    "self-signed": "self-signed certificate",
    "of another CA": "unable to get local issuer certificate",
    "expired": "certificate has expired",
    "of another name": "certificate is not valid for '127.0.0.1'",
}


def _kafka(secured: Secured, **changes: Any) -> KafkaSettings:
    return KafkaSettings(
        bootstrap_servers=secured.front.address, security_protocol="SSL", **changes
    )


def _check(kafka: KafkaSettings) -> None:
    async def check() -> None:
        try:
            async with admin_client(kafka) as client:
                await client.describe_topics()
        finally:
            # asyncio closes a connection whose handshake failed a little later.
            await asyncio.sleep(0.1)

    asyncio.run(check())


def _refusal(kafka: KafkaSettings) -> str:
    """What is said of a cluster that cannot be used; one line, whatever it is."""
    with pytest.raises(RefusedError) as caught:
        _check(kafka)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.slow
def test_the_whole_way_over_mutual_tls(
    secured: Secured, certificates: Certificates, start_worker: StartWorker, tmp_path: Path
) -> None:
    """Publish, worker and watch get through where both sides show certificates."""
    behind, settings = secured.cluster(
        security_protocol="SSL",
        ca_file=certificates.ca,
        cert_file=certificates.client.cert,
        key_file=certificates.client.key,
    )
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(value for _, value in articles(3)))
    behind.create_topics()
    with secured.front.set(certificates.server.serve(clients=certificates.ca)):
        worker = start_worker(settings).wait_until_ready()
        published = run(settings, "publish", str(tmp_path / "a.jsonl"))
        assert "3 taken by the broker" in published.stdout
        watched = run(settings, "watch", "--from-start", "--limit", "3", "--json")
        assert worker.stop() == 0
    ids = {json.loads(line)["article_id"] for line in watched.stdout.splitlines()}
    assert ids == {"article-0", "article-1", "article-2"}
    assert sum(behind.committed().values()) == 3


@pytest.mark.parametrize("kind", BAD_SERVERS)
def test_a_server_that_is_not_to_be_trusted(
    secured: Secured, certificates: Certificates, kind: str
) -> None:
    """A certificate that proves nothing is told with its fault, and no waiting is tried."""
    with secured.front.set(certificates.bad_servers[kind].serve()):
        said = _refusal(_kafka(secured, ca_file=certificates.ca))
    assert said.startswith(f"{secured.front.address} is not to be trusted: ")
    assert BAD_SERVERS[kind] in said


def test_the_wrong_ca(secured: Secured, certificates: Certificates) -> None:
    """A good server is refused by whoever trusts another CA, and by whoever names none."""
    with secured.front.set(certificates.server.serve()):
        for ca in (certificates.other_ca, None):
            said = _refusal(_kafka(secured, ca_file=ca))
            assert "is not to be trusted: unable to get local issuer certificate" in said


def test_brokers_of_another_name_than_the_first(
    secured: Secured, certificates: Certificates
) -> None:
    """A fault of the brokers that a good server sends us to is told, not taken for an outage."""
    first = Front(free_port(), secured.broker.port)
    bad = certificates.bad_servers["of another name"].serve()
    with secured.front.set(bad), first, first.set(certificates.server.serve()):
        kafka = KafkaSettings(
            bootstrap_servers=first.address,
            security_protocol="SSL",
            ca_file=certificates.ca,
            connect_timeout_s=2,
        )
        said = _refusal(kafka)
    assert said.startswith(f"{secured.front.address} is not to be trusted: ")


def test_a_client_without_a_certificate(secured: Secured, certificates: Certificates) -> None:
    """A server that wants a certificate is told from one that is away; so is one not taken."""
    with secured.front.set(certificates.server.serve(clients=certificates.ca)):
        said = _refusal(_kafka(secured, ca_file=certificates.ca))
        assert said.endswith("refuses us: it wants a certificate of ours (cert_file)")
        for pair in (certificates.strange_client, certificates.expired_client):
            kafka = _kafka(secured, ca_file=certificates.ca, cert_file=pair.cert, key_file=pair.key)
            assert "is our certificate (cert_file) right?" in _refusal(kafka)


def test_tls_where_there_is_none_and_the_other_way_round(
    secured: Secured, certificates: Certificates
) -> None:
    """One side with TLS and the other without is told as that."""
    with secured.front.set(certificates.server.serve()):
        clear = KafkaSettings(bootstrap_servers=secured.front.address, connect_timeout_s=3)
        assert "speaks TLS: set security_protocol" in _refusal(clear)


def _broken(certificates: Certificates, folder: Path) -> dict[str, dict[str, Path]]:
    empty, encrypted = folder / "empty.pem", folder / "encrypted.pem"
    empty.write_text("nothing\n")
    encrypted.write_bytes(encrypt(certificates.client.key))
    client = certificates.client
    return {
        "No such file or directory": {"ca_file": folder / "none.pem"},
        "this is no certificate or key in PEM": {"ca_file": empty},
        "no certificate or key in PEM": {"cert_file": empty},
        "none.pem: No such file": {"cert_file": client.cert, "key_file": folder / "none.pem"},
        "belongs to another certificate": {
            "cert_file": client.cert,
            "key_file": certificates.server.key,
        },
        "the key is encrypted: set key_password": {"cert_file": client.cert, "key_file": encrypted},
    }


def encrypt(key: Path) -> bytes:
    """A key in PEM, locked with the password "open"."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - one test's

    return serialization.load_pem_private_key(key.read_bytes(), None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"open"),
    )


def test_files_that_cannot_be_used(certificates: Certificates, tmp_path: Path) -> None:
    """Each file that is missing, broken, locked or another's is named with what is wrong."""
    for fault, files in _broken(certificates, tmp_path).items():
        kafka = KafkaSettings(security_protocol="SSL", **files)
        with pytest.raises(RefusedError) as caught:
            client_options(kafka)
        assert fault in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_locked_key(certificates: Certificates, tmp_path: Path) -> None:
    """A key is opened with its password; a wrong one is told and not shown."""
    locked = tmp_path / "key.pem"
    locked.write_bytes(encrypt(certificates.client.key))
    files = {"cert_file": certificates.client.cert, "key_file": locked}
    opens, shut = ({**files, "key_password": word} for word in ("open", "shut"))
    client_options(KafkaSettings(security_protocol="SSL", **opens))
    with pytest.raises(RefusedError, match="key_password does not open it") as caught:
        client_options(KafkaSettings(security_protocol="SSL", **shut))
    assert "shut" not in str(caught.value)


def test_an_outage_is_no_refusal(secured: Secured, certificates: Certificates) -> None:
    """A connection that is cut off in the middle of the handshake is an outage: it may pass."""
    with secured.front.set(None):
        kafka = _kafka(secured, ca_file=certificates.ca, connect_timeout_s=0.7)
        with pytest.raises(BrokerError) as caught:
            _check(kafka)
    assert not isinstance(caught.value, RefusedError)
