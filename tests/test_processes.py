"""How many worker processes, on which ports, and what the parent answers to wrong use."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from service.cores import usable_cores
from service.processes import (
    ProcessesError,
    count_processes,
    environment,
    http_ports,
    run_processes,
    worker_process,
)
from service.settings import HttpSettings, LogSettings, Settings, WorkerSettings
from tests.test_cli import assert_one_clear_line, claimstream

SETTINGS = Settings(
    http=HttpSettings(port=0),
    log=LogSettings(level="ERROR"),
    worker=WorkerSettings(stop_timeout_s=20),
)
SLEEPS = "import time; time.sleep(60)"


def test_a_number_or_as_many_as_there_are_cores() -> None:
    """A number is taken as it is, auto is the usable cores."""
    assert count_processes("3") == 3
    assert count_processes("auto") == usable_cores()


@pytest.mark.parametrize("wanted", ["0", "-1", "many", "1.5", "", "²"])
def test_other_counts_are_wrong_use(wanted: str) -> None:
    """One line that says what is possible, exit code 2, before anything is started."""
    result = claimstream("worker", "--processes", wanted)
    assert_one_clear_line(result, 2, "a number from 1 on, or auto")


def test_each_has_a_port_of_its_own() -> None:
    """Ports follow each other from the one of the settings on; 0 stays free choice."""
    assert http_ports(HttpSettings(port=8000), 3) == [8000, 8001, 8002]
    assert http_ports(HttpSettings(port=0), 2) == [0, 0]
    assert http_ports(HttpSettings(port=65535), 1) == [65535]
    with pytest.raises(ProcessesError, match="the last is 65535"):
        http_ports(HttpSettings(port=65535), 2)


def test_too_few_ports_are_wrong_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last process would have no port: one line, exit code 2."""
    monkeypatch.setenv("CLAIMSTREAM_HTTP__PORT", "65535")
    assert_one_clear_line(claimstream("worker", "--processes", "2"), 2, "no 2 ports from 65535 on")


def test_changed_settings_become_variables() -> None:
    """Names of groups and settings are put together as the settings read them."""
    changes = {"kafka": {"group": "desk"}, "http": {"port": 8001}}
    assert environment(changes) == {
        "CLAIMSTREAM_KAFKA__GROUP": "desk",
        "CLAIMSTREAM_HTTP__PORT": "8001",
    }


def test_a_worker_that_does_not_end_is_killed(tmp_path: Path) -> None:
    """One that ignores SIGTERM is gone when the context has ended."""
    ready = tmp_path / "ready"
    deaf = (
        "import signal, pathlib, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"pathlib.Path({str(ready)!r}).touch(); time.sleep(60)"
    )
    with worker_process(
        {}, subprocess.DEVNULL, stop_timeout_s=0.2, command=[sys.executable, "-c", deaf]
    ) as process:
        while not ready.exists():
            time.sleep(0.05)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(("ends_with", "code"), [("7", 7), ("2", 2), ("0", 1)])
def test_one_that_ends_unasked_ends_all(tmp_path: Path, ends_with: str, code: int) -> None:
    """Its exit code becomes the parent's; even 0, as nobody had told it to end, becomes 1."""
    first = tmp_path / "first"
    program = (
        "import pathlib, sys, time\n"
        f"first = pathlib.Path({str(first)!r})\n"
        "try:\n    first.touch(exist_ok=False)\n"
        "except FileExistsError:\n    time.sleep(60)\n"
        f"sys.exit({ends_with})"
    )
    started = time.monotonic()
    assert run_processes(SETTINGS, 2, [sys.executable, "-c", program]) == code
    assert time.monotonic() - started < 50


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_before_a_worker_has_begun_anything(number: signal.Signals) -> None:
    """Workers that die of the signal itself have nothing in hand: 0; handlers are put back."""
    before = signal.getsignal(number)
    timer = threading.Timer(1, signal.raise_signal, [number])
    timer.start()
    assert run_processes(SETTINGS, 2, [sys.executable, "-c", SLEEPS]) == 0
    timer.join()
    assert signal.getsignal(number) is before


def test_a_second_signal_hurries_the_workers() -> None:
    """Each signal is forwarded: a worker that waits for a second one gets it."""
    program = (
        "import signal, sys, time\n"
        "told = []\n"
        "def note(*_):\n    told.append(1)\n    if len(told) > 1:\n        sys.exit(5)\n"
        "signal.signal(signal.SIGTERM, note)\n"
        "time.sleep(60)"
    )
    timers = [threading.Timer(after, signal.raise_signal, [signal.SIGTERM]) for after in (3, 4)]
    for timer in timers:
        timer.start()
    assert run_processes(SETTINGS, 2, [sys.executable, "-c", program]) == 5
    for timer in timers:
        timer.join()
