"""The embedded broker: up in a second, on loopback only, and never left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from service import broker
from service.broker import BrokerStartError, EmbeddedBroker, answers, free_port


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and ") Z " in stat.read_text())


def _wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while _is_running(pid):
        assert time.monotonic() < deadline, "left behind"
        time.sleep(0.02)


def test_it_answers_while_the_context_lasts() -> None:
    """The broker answers inside the context; after it neither its port nor its process is left."""
    with EmbeddedBroker() as embedded:
        port, pid = embedded.port, embedded.pid
        assert embedded.bootstrap_servers == f"127.0.0.1:{port}"
        assert answers(port)
    assert not answers(port)
    assert not _is_running(pid)


def test_it_listens_on_loopback_only() -> None:
    """The port is closed on this machine's other addresses."""
    # All of 127/8 is this machine on Linux; only 127.0.0.1 is listened on.
    with EmbeddedBroker() as embedded, socket.socket() as other:
        assert other.connect_ex(("127.0.0.2", embedded.port)) != 0


def test_it_logs_to_a_file(tmp_path: Path) -> None:
    """What the broker itself says goes where it is told."""
    log = tmp_path / "broker.log"
    with EmbeddedBroker(log=log) as embedded:
        assert str(embedded.port) in log.read_text()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_its_parent(number: signal.Signals) -> None:
    """However the process that started it ends, the broker ends too."""
    program = (
        "import time\n"
        "from service.broker import EmbeddedBroker\n"
        "with EmbeddedBroker() as broker:\n"
        "    print(broker.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert _is_running(pid)
        parent.send_signal(number)
        assert parent.wait(10) == -number
    _wait_until_gone(pid)


def test_ctrl_c_does_not_reach_it() -> None:
    """Ctrl-C in the terminal goes to our process group, and the broker is not in it."""
    with EmbeddedBroker() as embedded:
        assert os.getpgid(embedded.pid) != os.getpgid(0)


def test_a_taken_port_is_one_clear_error() -> None:
    """A port that is in use is told, not waited for."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BrokerStartError, match="cannot be started: it ended at once"):
            EmbeddedBroker(port=port).__enter__()


def test_a_missing_package_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the error says what to install."""

    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(broker, "files", missing)
    with pytest.raises(BrokerStartError, match=r"pip install 'claimstream\[demo\]'"):
        EmbeddedBroker().__enter__()


def test_nothing_answers_on_a_free_port() -> None:
    """A port without a broker does not answer, nor does one that is no broker."""
    assert not answers(free_port())
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert not answers(silent.getsockname()[1], timeout_s=0.1)
