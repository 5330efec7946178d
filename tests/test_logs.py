"""Logs, in a process of their own."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

from service.logs import RepeatFilter

PROGRAM = """
import logging, sys, threading
import structlog
from service.logs import configure_logs
from service.settings import LogSettings
configure_logs(LogSettings(level=sys.argv[1], format=sys.argv[2]))
structlog.get_logger("ours").info("hello", offset=7)
logging.getLogger("aiokafka.conn").error("away: %s", "b1")
logging.getLogger("aiokafka.producer").debug("Sending (value=%s)", "the article")
logging.getLogger("faust.app").info("Starting...")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("other").exception("broke")
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
"""


def _logged(level: str, form: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, level, form], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_every_line_is_json() -> None:
    """Our lines and the libraries' are JSON objects with time, level and logger."""
    lines = [json.loads(line) for line in _logged("INFO", "json")]
    assert [line["event"] for line in lines] == ["hello", "away: b1", "broke", "a thread died"]
    assert all({"timestamp", "level", "logger"} <= line.keys() for line in lines)
    assert lines[0]["offset"] == 7
    assert "ZeroDivisionError" in lines[2]["exception"]


def test_articles_are_not_logged_at_debug_either() -> None:
    """Whole records, which aiokafka would write, appear at no level."""
    assert not any("the article" in line for line in _logged("DEBUG", "json"))


def test_lines_for_people() -> None:
    """The other form is plain lines."""
    first = _logged("INFO", "console")[0]
    assert "hello" in first
    assert not first.startswith("{")


def test_the_libraries_repeat_themselves_seldom() -> None:
    """The same kind of message passes once in a while; ours always pass."""
    now = 0.0
    repeat = RepeatFilter(10, lambda: now)

    def passes(name: str, text: str, *arguments: object) -> bool:
        return repeat.filter(logging.LogRecord(name, 40, "", 0, text, arguments, None))

    assert passes("aiokafka.conn", "away: %s", "b1")
    assert not passes("aiokafka.conn", "away: %s", "b2")
    assert passes("aiokafka.conn", "back")
    assert passes("service.worker", "same")
    assert passes("service.worker", "same")
    now = 10.0
    assert passes("aiokafka.conn", "away: %s", "b1")
