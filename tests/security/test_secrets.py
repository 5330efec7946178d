"""Secrets stay where they are: nothing that is printed, logged or served holds one."""

from __future__ import annotations

import base64
import logging
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli import app
from service.logs import configure_logs
from service.settings import LogSettings, Settings
from tests.cluster import articles
from tests.conftest import StartWorker
from tests.security.certificates import Certificates
from tests.security.commands import run
from tests.security.conftest import Secured
from tests.security.sasl import Users
from tests.workers import environment

CANARY, TOKEN, OPENER = "canary-hunter2-Zyzzyva", "eyJ.canarytoken.Quokka", "canary-opens-Xylem"
USERS = Users("desk", CANARY, TOKEN)
OTHERS = Users("desk", "another", "another")
PREFIX = "CLAIMSTREAM_"


def leaked(*told: str) -> list[str]:
    """The lines of what was told that hold a secret, as it is or as it goes over the wire."""
    secrets = [CANARY, TOKEN, OPENER, f"desk\0desk\0{CANARY}"]
    forms = [*secrets, *(base64.b64encode(secret.encode()).decode() for secret in secrets)]
    return [line for text in told for line in text.splitlines() if any(f in line for f in forms)]


def variables(certificates: Certificates, folder: Path, mechanism: str) -> dict[str, str]:
    """Environment variables to log in with, and the secrets in files, as in Kubernetes."""
    held = folder / "secrets"
    held.mkdir(exist_ok=True)
    (held / f"{PREFIX}KAFKA__SASL_PASSWORD").write_text(CANARY)
    (held / f"{PREFIX}KAFKA__KEY_PASSWORD").write_text(OPENER)
    (folder / "token").write_text(TOKEN)
    return {
        f"{PREFIX}SECRETS_DIR": str(held),
        f"{PREFIX}KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
        f"{PREFIX}KAFKA__SASL_MECHANISM": mechanism,
        f"{PREFIX}KAFKA__SASL_USERNAME": "desk",
        f"{PREFIX}KAFKA__SASL_TOKEN_FILE": str(folder / "token"),
        f"{PREFIX}KAFKA__CA_FILE": str(certificates.ca),
        f"{PREFIX}LOG__LEVEL": "DEBUG",
        "PYTHONASYNCIODEBUG": "1",
    }


def _for_worker(extra: dict[str, str]) -> dict[str, str]:
    return {name.removeprefix(PREFIX): value for name, value in extra.items()}


def test_what_is_told_is_searched_for_what_is_secret() -> None:
    """The search finds each secret, as it is and as it is sent."""
    assert leaked("all is well\nnothing to see") == []
    sent = base64.b64encode(CANARY.encode()).decode()
    assert leaked(f"well\npassword={CANARY}", f"{sent} sent") == [
        f"password={CANARY}",
        f"{sent} sent",
    ]


@pytest.mark.parametrize(
    "mechanism", ["PLAIN", pytest.param("OAUTHBEARER", marks=pytest.mark.slow)]
)
def test_a_worker_at_debug(
    secured: Secured,
    certificates: Certificates,
    start_worker: StartWorker,
    tmp_path: Path,
    mechanism: str,
) -> None:
    """A worker that says all it can tells no secret: let in, at work, cut off, refused."""
    behind, settings = secured.cluster()
    behind.create_topics()
    behind.publish([*articles(1), (b"bad", b'{"id": "bad", "body": "RAISE ALWAYS"}')])
    extra = _for_worker(variables(certificates, tmp_path, mechanism))
    told = []
    with secured.front.set(certificates.server.serve(), USERS) as front:
        worker = start_worker(settings, **extra).wait_until_ready()
        deadline = time.monotonic() + 60
        while worker.metric("claimstream_articles_done_total") < 2:
            assert time.monotonic() < deadline, worker.log
            time.sleep(0.1)
        told += [worker.get(path)[1] for path in ("/metrics", "/healthz", "/readyz", "/")]
        front.cut_off()
        assert worker.stop() == 0
        assert front.logins
        told.append(worker.log)
    with secured.front.set(certificates.server.serve(), OTHERS):
        worker = start_worker(settings, **extra, LOG__FORMAT="console")
        assert worker.wait() == 2
        told.append(worker.log)
    assert "refuses us" in told[-1]
    assert leaked(*told) == []


def _commands(file: Path) -> list[list[str]]:
    return [
        ["settings"],
        ["settings", "--json"],
        ["publish", str(file)],
        ["topics", "create"],
        ["dlq", "list"],
        ["dlq", "replay", "--yes"],
    ]


@pytest.mark.parametrize(
    "mechanism", ["PLAIN", pytest.param("OAUTHBEARER", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("users", [USERS, OTHERS], ids=["let in", "refused"])
def test_commands(
    secured: Secured, certificates: Certificates, tmp_path: Path, mechanism: str, users: Users
) -> None:
    """No command tells a secret, whether it is let in or refused."""
    behind, settings = secured.cluster()
    behind.create_topics()
    file = tmp_path / "a.jsonl"
    file.write_bytes(articles(1)[0][1])
    extra = environment(settings) | variables(certificates, tmp_path, mechanism)
    told = []
    with secured.front.set(certificates.server.serve(), users) as front:
        for command in _commands(file):
            done = CliRunner().invoke(app, command, env=extra)
            told += [done.output, repr(done.exception)]
        assert bool(front.logins) == (users is USERS)
        assert bool(front.refused) == (users is OTHERS)
    assert leaked(*told) == []


@pytest.mark.slow
@pytest.mark.parametrize("command", [["view", "--no-labeller", "--port", "0"], ["doctor"]])
@pytest.mark.parametrize("mechanism", ["PLAIN", "OAUTHBEARER"])
def test_commands_as_processes(
    secured: Secured,
    certificates: Certificates,
    tmp_path: Path,
    mechanism: str,
    command: list[str],
) -> None:
    """The same of commands that set up logs of their own, at DEBUG, and are refused."""
    _, settings = secured.cluster()
    extra = variables(certificates, tmp_path, mechanism) | {f"{PREFIX}MODEL__SIZE": "small"}
    with secured.front.set(certificates.server.serve(), OTHERS) as front:
        done = run(settings, *command, **extra)
        assert front.refused > 0
    assert "refuses us" in done.stdout + done.stderr
    assert leaked(done.stdout, done.stderr) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAFKA__SESSION_TIMEOUT_S", CANARY),
        ("KAFKA__SASL_MECHANISM", CANARY),
        ("KAFKA", f'{{"sasl_password": "{CANARY}"'),
        ("KAFKA", f'{{"sasl_pasword": "{CANARY}"}}'),
    ],
)
def test_settings_that_are_wrong(
    name: str, value: str, tmp_path: Path, certificates: Certificates
) -> None:
    """What is said of a wrong setting does not quote what was put there by mistake."""
    extra = variables(certificates, tmp_path, "PLAIN") | {f"{PREFIX}{name}": value}
    done = CliRunner().invoke(app, ["settings"], env=extra)
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    assert leaked(done.output) == []


@pytest.mark.parametrize("form", ["console", "json"])
def test_tracebacks_without_variables(
    form: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A traceback in the log shows where, and not what the variables held."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    configure_logs(LogSettings(format=form, level="DEBUG"))

    def connect(options: dict[str, str]) -> None:
        raise ValueError(f"{len(options)} options")

    try:
        connect({"sasl_plain_password": CANARY})
    except ValueError:
        logging.getLogger("faust.app").exception("crashed")
    told = capsys.readouterr().err
    assert "1 options" in told
    assert leaked(told) == []


def test_settings_hide_what_is_secret(certificates: Certificates, tmp_path: Path) -> None:
    """Nothing that shows settings shows what is secret about them."""
    folder = tmp_path / "secrets"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables(certificates, tmp_path, "PLAIN").items():
            patch.setenv(name, value)
        settings = Settings()
    assert settings.kafka.key_password is not None
    assert folder.is_dir()
    assert leaked(repr(settings), str(settings), settings.model_dump_json()) == []
