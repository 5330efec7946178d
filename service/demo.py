"""The main job on one machine: broker, topics, a worker, the seeds published, the results shown."""

from __future__ import annotations

import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from service.broker import EmbeddedBroker, free_port
from service.processes import QUICK, worker_process
from service.settings import Settings

_STOPPING_S = 30.0


class DemoError(Exception):
    """The demo did not come to its end; the message says why."""


def run(console: Console, settings: Settings, *, embedded: bool, once: bool) -> None:
    """Show the main job.

    Args:
        console: where to.
        settings: what is in force otherwise.
        embedded: start a broker of our own instead of using the cluster of the settings.
        once: end when every seed came back labelled; else stay up until Ctrl-C.

    Raises:
        DemoError: an article did not come back labelled in time, or the worker ended.
        service.broker.BrokerStartError: the embedded broker cannot be started.
        service.files.FileError: the seeds are not there.
    """
    # Both end the demo in order, also where it was started in the background of a script, whose
    # children begin with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with ExitStack() as stack:
        log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "worker.log"
        changes: dict[str, dict[str, Any]] = {
            "kafka": dict(QUICK),
            "http": {"port": free_port()},
        }
        if embedded:
            broker = stack.enter_context(EmbeddedBroker())
            changes["kafka"]["bootstrap_servers"] = broker.bootstrap_servers
        groups = {
            name: getattr(settings, name).model_copy(update=values)
            for name, values in changes.items()
        }
        process = stack.enter_context(_worker(changes, log))
        # What takes a second to load is loaded, and the topics are created, while the worker does
        # the same: it waits for topics.
        from service.showing import show_seeds  # noqa: PLC0415 - see above

        show_seeds(console, settings.model_copy(update=groups), process, log, once=once)


@contextmanager
def _worker(changes: dict[str, dict[str, Any]], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker; it ends with the context."""
    with (
        log.open("wb") as output,
        worker_process(changes, output, stop_timeout_s=_STOPPING_S) as process,
    ):
        yield process
