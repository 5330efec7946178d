"""The demo, as someone who tries it runs it: real model, real broker, real worker."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from service.settings import PREFIX

ROOT = Path(__file__).parent.parent.parent
SEEDS = len([p for p in (ROOT / "seeds").iterdir() if p.suffix in {".json", ".html", ".txt"}])
_STARTED_S = 90.0
# Longer than the demo itself waits: it says better what is wrong.
_ENDED_S = 180.0


class Demo:
    """A running demo and what it has printed."""

    def __init__(self, *arguments: str, **model: str) -> None:
        """Start it, with another model than the default where that is named."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "service", "demo", *arguments],
            cwd=ROOT,
            env=os.environ | {f"{PREFIX}MODEL__{name}".upper(): v for name, v in model.items()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line

    def wait_for(self, words: str) -> None:
        """Wait until it has printed something."""
        deadline = time.monotonic() + _STARTED_S
        while words not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.1)

    def family(self) -> list[psutil.Process]:
        """The demo's process and all below it."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def end(self, number: signal.Signals | None = None) -> int:
        """Send a signal, if any, and wait for the exit code."""
        if number is not None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=_ENDED_S)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@contextmanager
def demo(*arguments: str, **model: str) -> Iterator[Demo]:
    """Run the demo; it is killed if the test fails on the way."""
    running = Demo(*arguments, **model)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.end(signal.SIGKILL)


def gone(processes: list[psutil.Process]) -> bool:
    """Say whether all of them have ended within a minute."""
    return not psutil.wait_procs(processes, timeout=60)[1]


def _shown(pages: str) -> int:
    """How many articles the viewer lists by now."""
    with urllib.request.urlopen(pages, timeout=30) as answer:
        return int(answer.read().count(b'href="/articles/'))


def test_once_shows_every_seed_and_ends() -> None:
    """With --once every article of the seeds comes back labelled, with counts, and it exits 0."""
    with demo("--once") as running:
        running.wait_for("the worker is starting")
        family = running.family()
        assert running.end() == 0
    assert re.search(
        rf"{SEEDS} articles labelled: \d+ fact, \d+ attributed_claim, \d+ opinion", running.output
    )
    assert len(re.findall(r"sentences: \d+ fact", running.output)) == SEEDS
    assert gone(family)


def test_it_stays_up_on_loopback_until_ctrl_c() -> None:
    """Without --once it stays up, listens on loopback only, serves metrics, takes articles."""
    with demo(size="small") as running:
        running.wait_for("Try: claimstream publish")
        family = running.family()
        assert len(family) == 3
        listening = {
            connection.laddr.ip
            for process in family
            for connection in process.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}
        words = " ".join(running.output.split())
        broker = re.findall(r"--bootstrap-servers (\S+)", words)[-1]
        address = re.findall(r"Metrics: (\S+)", words)[-1]
        pages = re.findall(r"Read them in a browser: (\S+)", words)[-1]
        deadline = time.monotonic() + _STARTED_S
        while _shown(pages) < SEEDS:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        with urllib.request.urlopen(address, timeout=30) as answer:
            assert b'claimstream_articles_done_total{outcome="labelled"}' in answer.read()
        published = subprocess.run(
            [sys.executable, "-m", "service", "publish", "-", "--bootstrap-servers", broker],
            cwd=ROOT,
            input='{"id": "extra", "title": "One more", "body": "It rained all day."}',
            capture_output=True,
            text=True,
            check=True,
        )
        assert published.stdout == "articles: 1 taken by the broker, 0 refused\n"
        running.wait_for("One more")
        watched = subprocess.run(
            [
                *[sys.executable, "-m", "service", "watch", "--from-start", "--json"],
                *["--limit", str(SEEDS + 1), "--bootstrap-servers", broker],
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert len(watched.stdout.splitlines()) == SEEDS + 1
        assert running.end(signal.SIGINT) == 0
    assert gone(family)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_it_ends_in_order(number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end it with 0 and nothing left, also when started with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        running = Demo(size="small")
    finally:
        signal.signal(signal.SIGINT, before)
    running.wait_for("Try: claimstream publish")
    family = running.family()
    assert running.end(number) == 0
    assert "stopping" in running.output
    assert gone(family)


def test_nothing_is_left_behind_by_a_kill() -> None:
    """Killed with SIGKILL, the demo takes its broker and its worker with it."""
    with demo() as running:
        running.wait_for("the worker is starting")
        family = running.family()
        running.end(signal.SIGKILL)
    assert gone(family)
