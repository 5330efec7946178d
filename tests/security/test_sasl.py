"""Logging in over real TLS: each mechanism with right and wrong credentials, and never in clear."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from service.kafka import BrokerError, RefusedError, check_broker
from service.settings import PREFIX, KafkaSettings
from tests.cluster import articles
from tests.conftest import StartWorker
from tests.security.certificates import Certificates
from tests.security.commands import run
from tests.security.conftest import Secured
from tests.security.sasl import MECHANISMS, Users

USERS = Users("desk", "correct horse", "eyJ0b2tlbg.right-one_")
IMPOSTOR = USERS._replace(is_impostor=True)


def login(mechanism: str, folder: Path, *, right: bool = True) -> dict[str, Any]:
    """Kafka's settings for a mechanism, with what the cluster knows or with what it does not."""
    if mechanism == "OAUTHBEARER":
        file = folder / "token"
        file.write_text(f"{USERS.token if right else 'guessed'}\n")
        return {"sasl_mechanism": mechanism, "sasl_token_file": file}
    return {
        "sasl_mechanism": mechanism,
        "sasl_username": USERS.name,
        "sasl_password": USERS.password if right else "battery staple",
    }


def _kafka(secured: Secured, certificates: Certificates, **changes: Any) -> KafkaSettings:
    return KafkaSettings(
        bootstrap_servers=secured.front.address,
        security_protocol="SASL_SSL",
        ca_file=certificates.ca,
        **changes,
    )


def _check(kafka: KafkaSettings) -> None:
    async def check() -> None:
        try:
            await check_broker(kafka)
        finally:
            # asyncio closes a connection whose handshake failed a little later.
            await asyncio.sleep(0.1)

    asyncio.run(check())


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_right_and_wrong_credentials(
    secured: Secured, certificates: Certificates, mechanism: str, tmp_path: Path
) -> None:
    """Whoever knows the secret is let in; whoever does not is told so, and the secret is not."""
    with secured.front.set(certificates.server.serve(), USERS) as front:
        _check(_kafka(secured, certificates, **login(mechanism, tmp_path)))
        assert {how for _, how in front.logins} == {mechanism}
        before = len(front.logins)
        with pytest.raises(RefusedError) as caught:
            _check(_kafka(secured, certificates, **login(mechanism, tmp_path, right=False)))
        assert (len(front.logins), front.refused > 0) == (before, True)
    said = str(caught.value)
    assert said.startswith(f"{front.address} refuses us: ")
    assert "invalid" in said.lower()
    assert not any(word in said for word in ("\n", "battery", "guessed"))


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_server_that_does_not_know_the_password(
    secured: Secured, certificates: Certificates, mechanism: str, tmp_path: Path
) -> None:
    """With SCRAM a server has to prove that it knows the password; one that cannot is refused."""
    kafka = _kafka(secured, certificates, **login(mechanism, tmp_path))
    with (
        secured.front.set(certificates.server.serve(), IMPOSTOR),
        pytest.raises(RefusedError, match="does not keep to the rules of SASL") as caught,
    ):
        _check(kafka)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mechanism", ["PLAIN", "OAUTHBEARER"])
def test_no_credential_leaves_without_trust(
    secured: Secured, certificates: Certificates, mechanism: str, tmp_path: Path
) -> None:
    """A server without TLS, or with a certificate that proves nothing, is told nothing."""
    kafka = _kafka(secured, certificates, **login(mechanism, tmp_path), connect_timeout_s=0.7)
    secrets = [USERS.name, USERS.password, USERS.token]
    forms = [s.encode() for s in secrets] + [base64.b64encode(s.encode()) for s in secrets]
    with secured.front.set(None, None) as front:
        with pytest.raises(BrokerError):
            _check(kafka)
        assert front.in_clear  # it did try
        assert not any(form in front.in_clear for form in forms)
    with secured.front.set(certificates.bad_servers["expired"].serve(), USERS) as front:
        with pytest.raises(RefusedError, match="expired"):
            _check(kafka.model_copy(update={"connect_timeout_s": 10}))
        assert (front.logins, front.refused) == ([], 0)


def test_sasl_in_clear_is_no_setting() -> None:
    """There is no way to ask for it; half a login is refused before anything connects."""
    for wrong in (
        {"security_protocol": "SASL_PLAINTEXT", "sasl_username": "desk", "sasl_password": "hush"},
        {"security_protocol": "SASL_SSL", "sasl_username": "desk"},
        {"security_protocol": "SASL_SSL", "sasl_mechanism": "OAUTHBEARER", "sasl_username": "desk"},
        {"security_protocol": "PLAINTEXT", "ca_file": "ca.pem"},
        {"security_protocol": "SSL", "key_file": "key.pem"},
    ):
        with pytest.raises(ValidationError) as caught:
            KafkaSettings(**wrong)  # type: ignore[arg-type]
        assert "hush" not in str(caught.value)


def _claims(end: float) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": end}).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJSUzI1NiJ9.{claims}.c2lnbmF0dXJl"


def test_tokens_that_cannot_be_shown(
    secured: Secured, certificates: Certificates, tmp_path: Path
) -> None:
    """A file that is missing, holds no token or one that is over is named; nobody is shown it."""
    file = tmp_path / "token"
    kafka = _kafka(secured, certificates, sasl_mechanism="OAUTHBEARER", sasl_token_file=file)
    bad = {
        "No such file or directory": None,
        "this is no token": "two words",
        "this is no token ": "",
        "it ended at": _claims(time.time() - 60),
    }
    with secured.front.set(certificates.server.serve(), USERS) as front:
        for fault, held in bad.items():
            if held is not None:
                file.write_text(held)
            with pytest.raises(RefusedError) as caught:
                _check(kafka)
            assert f"token {file}: {fault.strip()}" in str(caught.value)
            assert not (held and held in str(caught.value))
        assert (front.logins, front.refused) == ([], 0)


def test_the_whole_way_with_a_token_that_is_renewed(
    secured: Secured, certificates: Certificates, start_worker: StartWorker, tmp_path: Path
) -> None:
    """Worker, publish and watch log in with a token; a connection made later takes the newest.

    Both sides show certificates, too.
    """
    short = USERS._replace(token=_claims(time.time() + 3600))
    behind, settings = secured.cluster(
        security_protocol="SASL_SSL",
        ca_file=certificates.ca,
        cert_file=certificates.client.cert,
        key_file=certificates.client.key,
        sasl_mechanism="OAUTHBEARER",
        sasl_token_file=tmp_path / "token",
    )
    behind.create_topics()
    (tmp_path / "token").write_text(short.token)
    (tmp_path / "a.jsonl").write_bytes(articles(1)[0][1])
    server = certificates.server.serve(clients=certificates.ca)
    with secured.front.set(server, short):
        worker = start_worker(settings).wait_until_ready()
    # Renewed as Kubernetes does it: the name is moved to the new file at once. The old one ends.
    (tmp_path / "next").write_text(USERS.token)
    (tmp_path / "next").rename(tmp_path / "token")
    with secured.front.set(server, USERS) as front:
        front.cut_off()
        published = run(settings, "publish", str(tmp_path / "a.jsonl"))
        assert published.returncode == 0, published.stderr
        watched = run(settings, "watch", "--from-start", "--limit", "1", "--json")
        assert watched.returncode == 0, watched.stderr
        assert front.refused == 0
        assert {how for _, how in front.logins} == {"OAUTHBEARER"}
        assert worker.stop() == 0
    assert sum(behind.committed().values()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_the_whole_way(
    secured: Secured,
    certificates: Certificates,
    start_worker: StartWorker,
    tmp_path: Path,
    mechanism: str,
) -> None:
    """Each command and the worker get through with each mechanism."""
    _, settings = secured.cluster(
        security_protocol="SASL_SSL", ca_file=certificates.ca, **login(mechanism, tmp_path)
    )
    good, bad = articles(1)[0][1], b'{"id": "bad", "body": "RAISE ALWAYS"}'
    (tmp_path / "a.jsonl").write_bytes(good + b"\n" + bad)
    # Settings that are written out have their secrets hidden, so it goes along by itself.
    secret = {"KAFKA__SASL_PASSWORD": USERS.password}

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        extra = {f"{PREFIX}{name}": value for name, value in secret.items()}
        return run(settings, *arguments, CLAIMSTREAM_MODEL__SIZE="small", **extra)

    with secured.front.set(certificates.server.serve(), USERS) as front:
        assert command("topics", "create").returncode == 0
        worker = start_worker(settings, **secret).wait_until_ready()
        assert command("publish", str(tmp_path / "a.jsonl")).returncode == 0
        watched = command("watch", "--from-start", "--limit", "1", "--json")
        assert json.loads(watched.stdout)["article_id"] == "article-0"
        deadline = time.monotonic() + 60
        while '"bad"' not in (listed := command("dlq", "list", "--json")).stdout:
            assert time.monotonic() < deadline, listed.stderr
        assert "1 replayed" in command("dlq", "replay", "--yes").stdout
        checks = json.loads(command("doctor", "--json").stdout)["checks"]
        assert {f["check"]: f["status"] for f in checks}["broker"] == "ok"
        assert worker.stop() == 0
        assert front.refused == 0
        assert {how for _, how in front.logins} == {mechanism}
