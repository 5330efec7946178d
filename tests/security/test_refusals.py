"""What every command and the worker do about a cluster that is not to be trusted, or refuses us."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.cli import app
from service.doctor.cluster import check_cluster
from service.settings import Settings
from tests.cluster import articles
from tests.conftest import StartWorker
from tests.security.certificates import Certificates
from tests.security.commands import run
from tests.security.conftest import Secured
from tests.security.sasl import Users
from tests.workers import environment

USERS = Users("desk", "correct horse", "right.token")
IN_PROCESS = [
    ["topics", "create"],
    ["publish"],
    ["watch"],
    ["dlq", "list"],
    ["dlq", "replay", "--yes"],
]
# These end their process in ways of their own.
AS_PROCESSES = [["view", "--no-labeller", "--port", "0"], ["worker"], ["demo"], ["publish"]]

# What is wrong, and what is said of it.
FAULTS = {
    "another CA": "is not to be trusted: unable to get local issuer certificate",
    "expired": "is not to be trusted: certificate has expired",
    "self-signed": "is not to be trusted: self-signed certificate",
    "another name": "is not to be trusted: IP address mismatch",
    "no client certificate": "refuses us: it wants a certificate of ours",
    "wrong password": "refuses us: .*invalid",
    "no token": r"refuses us: token .*: No such file or directory",
}


def _server(fault: str, certificates: Certificates) -> Any:
    bad = {"expired": "expired", "self-signed": "self-signed", "another name": "of another name"}
    if fault in bad:
        return certificates.bad_servers[bad[fault]].serve()
    clients = certificates.ca if fault == "no client certificate" else None
    return certificates.server.serve(clients=clients)


def _settings(
    fault: str, secured: Secured, certificates: Certificates, folder: Path
) -> dict[str, str]:
    ca = certificates.other_ca if fault == "another CA" else certificates.ca
    changes: dict[str, Any] = {
        "security_protocol": "SASL_SSL",
        "ca_file": ca,
        "sasl_username": "desk",
        "sasl_password": "battery staple",
    }
    if fault == "no token":
        changes |= {"sasl_mechanism": "OAUTHBEARER", "sasl_token_file": folder / "none"}
    _, settings = secured.cluster(**changes)
    # A test's settings are written out with their secrets hidden.
    return environment(settings) | {"CLAIMSTREAM_KAFKA__SASL_PASSWORD": "battery staple"}


def _arguments(command: list[str], folder: Path) -> list[str]:
    file = folder / "a.jsonl"
    file.write_bytes(articles(1)[0][1])
    return [*command, str(file)] if command == ["publish"] else command


def _is_one_clear_line(said: str, fault: str) -> None:
    assert re.fullmatch(rf"claimstream: \S+ {FAULTS[fault]}.*\n", said), said
    assert "staple" not in said


@pytest.mark.parametrize("fault", FAULTS)
def test_one_clear_line_and_exit_code_2(
    secured: Secured, certificates: Certificates, tmp_path: Path, fault: str
) -> None:
    """Commands say in one line what is wrong with whom, and end with 2; the doctor says it too."""
    variables = _settings(fault, secured, certificates, tmp_path)
    with secured.front.set(_server(fault, certificates), USERS) as front:
        for command in IN_PROCESS:
            done = CliRunner().invoke(app, _arguments(command, tmp_path), env=variables)
            assert done.exit_code == 2, done.output
            _is_one_clear_line(done.stderr, fault)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            found = asyncio.run(check_cluster(Settings()))
    assert found[0].status == "fail"
    assert re.search(FAULTS[fault], found[0].found)
    assert not front.logins


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("command", AS_PROCESSES, ids=" ".join)
def test_commands_as_processes(
    secured: Secured,
    certificates: Certificates,
    tmp_path: Path,
    fault: str,
    command: list[str],
) -> None:
    """The same as an operator sees it, of the worker and what else goes on for long."""
    variables = _settings(fault, secured, certificates, tmp_path)
    if command == ["demo"]:
        command = ["demo", "--bootstrap-servers", secured.front.address]
    with secured.front.set(_server(fault, certificates), USERS) as front:
        done = run(
            Settings(), *_arguments(command, tmp_path), **variables, CLAIMSTREAM_HTTP__PORT="0"
        )
    assert done.returncode == 2, done.stderr
    *logged, last = done.stderr.splitlines(keepends=True)
    # Only the worker logs, in JSON; the last word is for whoever started it.
    assert all(line.startswith("{") for line in logged)
    assert "Traceback" not in done.stderr
    _is_one_clear_line(last, fault)
    assert not front.logins


def test_a_worker_does_not_wait_for_what_no_waiting_mends(
    secured: Secured, certificates: Certificates, start_worker: StartWorker
) -> None:
    """A certificate that proves nothing ends the worker with 2, for an outage it would wait."""
    _, settings = secured.cluster(security_protocol="SSL", ca_file=certificates.ca)
    with secured.front.set(certificates.bad_servers["expired"].serve()):
        worker = start_worker(settings)
        assert worker.wait() == 2
    lines = [line for line in worker.log.splitlines() if not line.startswith("{")]
    assert lines == [
        f"claimstream: {secured.front.address} is not to be trusted: certificate has expired"
    ]
