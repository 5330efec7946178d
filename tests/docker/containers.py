"""Containers as closed as they come: nothing may be written, no right is left."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from tests.docker.engine import Engine
from tests.docker.images import BUILT

CLOSED: Final = (
    *("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--memory", "512m", "--memory-swap", "512m", "--cpus", "1"),
)


class Container:
    """A container that runs in the background."""

    def __init__(self, engine: Engine, name: str) -> None:
        """Take its id."""
        self._engine = engine
        self._name = name

    def inspect(self, field: str) -> Any:
        """A field of what the engine knows of it, by its path."""
        return json.loads(
            self._engine.run("inspect", "--format", f"{{{{json {field}}}}}", self._name)
        )

    def wait_for(self, field: str, wanted: object, timeout_s: float) -> None:
        """Wait until a field has a value."""
        deadline = time.monotonic() + timeout_s
        while (found := self.inspect(field)) != wanted:
            assert time.monotonic() < deadline, f"{field} still {found}: {self.logs()}"
            time.sleep(0.2)

    def logs(self) -> str:
        """What it has written to standard error."""
        return self._engine.try_run("logs", self._name).stderr

    def stop(self, grace_s: int) -> float:
        """Send SIGTERM, SIGKILL after a time of grace; the seconds until it has ended."""
        start = time.monotonic()
        self._engine.run("stop", "--time", str(grace_s), self._name)
        return time.monotonic() - start


@contextmanager
def container(engine: Engine, environment: Mapping[str, str], *command: str) -> Iterator[Container]:
    """Run a command of ours in the background, on the machine's network; removed at the end."""
    variables = [part for key, value in environment.items() for part in ("--env", f"{key}={value}")]
    name = engine.run("run", "--detach", "--network", "host", *CLOSED, *variables, BUILT, *command)
    try:
        yield Container(engine, name)
    finally:
        engine.try_run("rm", "--force", name)
