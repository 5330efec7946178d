"""A variant's process as the one who measures sees it: started, asked, ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from service.bench.errors import BenchError
from service.bench.results import Numbers
from service.children import start_child
from service.settings import ModelSettings

PEAKS: Final = "peaks"
# The first sentence that each labels: the end of its start.
WARM_UP: Final = "The mayor said it had rained."

_STOP_S: Final = 10.0
# One thread each, in every library that has threads; and nothing asks a hub for anything.
_ENVIRONMENT: Final = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
}


class Labelled(NamedTuple):
    """What labelling some texts took, in seconds, the labels of each text, and memory in use."""

    seconds: float
    labels: list[list[str]]
    resident_mb: float | None


class Contender:
    """A variant in a process of its own, as a context manager."""

    def __init__(self, key: str, settings: ModelSettings, scratch: Path) -> None:
        """Take what it is to be, of which model, and a folder for what it says on errors."""
        self.key = key
        self.size = settings.path.name if settings.path else settings.size
        self.name = key
        self.numbers: Numbers = "float32"
        self.startup_s = 0.0
        self._model = settings.model_copy(update={"threads": 1})
        self._log = scratch / f"{key.replace(' ', '-')}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it and wait for its first label.

        Raises:
            BenchError: it ended instead.
        """
        started = time.monotonic()
        with self._log.open("wb") as log:
            self._process = start_child(
                [sys.executable, "-m", "service.bench.child"],
                log,
                os.environ | _ENVIRONMENT,
                pipes=True,
            )
        try:
            ready = self._ask({"be": self.key, "model": self._model.model_dump(mode="json")})
        except BaseException:
            self._end(0)
            raise
        if self.key != PEAKS:
            self.name, self.numbers = ready["name"], ready["numbers"]
            self.startup_s = ready["first_label_at"] - started
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        """End it: in order, or at once where the measurement broke."""
        self._end(_STOP_S if kind is None else 0)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._running().pid

    def label(self, texts: Sequence[str]) -> Labelled:
        """Have it label some texts.

        Raises:
            BenchError: it ended instead.
        """
        return Labelled(**self._ask({"texts": list(texts)}))

    def peaks(self, seconds: float) -> dict[Numbers, float | None]:
        """Have it measure the processor's peaks for so many seconds.

        Raises:
            BenchError: it ended instead.
        """
        found: dict[Numbers, float | None] = self._ask({"seconds": seconds})["peaks"]
        return found

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise BenchError(f"{self.name}: not started")
        return self._process

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        process = self._running()
        assert process.stdin is not None  # noqa: S101 - it was started with pipes
        assert process.stdout is not None  # noqa: S101 - the same
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise BenchError(f"{self.name} ended with exit code {process.wait()}: {self._tail()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _end(self, timeout_s: float) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # of a request that nobody was left to read
                    pipe.close()
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _tail(self) -> str:
        """The last line that it wrote to standard error."""
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"
