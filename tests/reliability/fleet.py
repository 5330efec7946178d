"""Worker processes as a supervisor keeps them: those that end are started again."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

import aiohttp

from service.settings import Settings
from tests.reliability.plan import SESSION_S
from tests.workers import Worker

# As a supervisor of the usual kind: asks for the health so often, and restarts after so many noes.
_LOOK_S: Final = 0.1
_ASK_S: Final = 2.0
_NOES: Final = 3
_STOP_S: Final = 60.0
# With no worker ready for so long, all are stopped until the group has forgotten them, as an
# operator would whose group does not settle.
_UNSETTLED_S: Final = 45.0
_FORGOTTEN_S: Final = 2 * SESSION_S

Say = Callable[..., None]


class Slot:
    """A place for a worker: at most one process at a time."""

    def __init__(self, number: int) -> None:
        """Begin without one."""
        self.number = number
        self.worker: Worker | None = None
        self.starts = 0
        self.started = 0.0
        self.noes = 0
        self.is_paused = False
        self.told_to_stop = False

    @property
    def client(self) -> str:
        """The id by which its Kafka clients call themselves."""
        return f"worker-{self.number}"

    @property
    def is_running(self) -> bool:
        """Whether there is a process that has not ended."""
        return self.worker is not None and self.worker.process.poll() is None


class Fleet:
    """Keeps so many workers running, as an asynchronous context manager."""

    def __init__(
        self, settings: Settings, folder: Path, say: Say, *, module: str, extra: dict[str, str]
    ) -> None:
        """Take what workers are started with.

        Args:
            settings: of all workers.
            folder: for their logs.
            say: told what happens, as a name and details.
            module: which worker.
            extra: more settings, as ``GROUP__NAME``.
        """
        self._settings = settings
        self._folder = folder
        self._say = say
        self._module = module
        self._extra = extra
        self._wanted = 0
        self.slots: list[Slot] = []
        self.exits: list[int] = []
        self.restarts = 0
        self.resets = 0
        self._is_resetting = False
        self._settled = time.monotonic()

    async def __aenter__(self) -> Self:
        """Begin with none."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._tasks = [asyncio.create_task(self._supervise()), asyncio.create_task(self._ask())]
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Kill those that still run."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for slot in self.slots:
            if slot.worker is not None:
                slot.worker.__exit__()

    @property
    def wanted(self) -> int:
        """How many workers there should be."""
        return self._wanted

    def scale(self, count: int) -> None:
        """Let there be so many; those too many are told to stop, the last first."""
        self._wanted = count
        while len(self.slots) < count:
            self.slots.append(Slot(len(self.slots)))
        for slot in self.slots[count:]:
            self.stop(slot.number)

    def signal(self, number: int, what: signal.Signals) -> bool:
        """Send a signal to a worker that runs; say whether one does."""
        slot = self.slots[number]
        if not slot.is_running:
            return False
        assert slot.worker is not None
        slot.worker.process.send_signal(what)
        return True

    def stop(self, number: int) -> bool:
        """Tell a worker to stop, once; say whether it runs."""
        slot = self.slots[number]
        if slot.told_to_stop or not self.signal(number, signal.SIGTERM):
            return False
        slot.told_to_stop = True
        return True

    async def pause(self, number: int, seconds: float) -> bool:
        """Pause a worker; say whether one ran."""
        slot = self.slots[number]
        if slot.is_paused or not self.signal(number, signal.SIGSTOP):
            return False
        assert slot.worker is not None
        slot.is_paused, process = True, slot.worker.process
        try:
            await asyncio.sleep(seconds)
        finally:
            slot.is_paused = False
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
        return True

    async def wait_until_ready(self, timeout_s: float) -> None:
        """Wait until each has its partitions, or is told that it gets none."""
        deadline = time.monotonic() + timeout_s
        while True:
            wanted = self.slots[: self._wanted]
            if all([await self._get(slot, "/readyz") == 200 for slot in wanted]):
                return
            assert time.monotonic() < deadline, f"not ready; see {self._folder}"
            await asyncio.sleep(0.2)

    async def end(self) -> list[int]:
        """Tell all to stop, and say with which codes they ended."""
        self._wanted = 0
        running = [slot for slot in self.slots if slot.is_running]
        processes = [slot.worker.process for slot in running if slot.worker is not None]
        for slot in running:
            self.stop(slot.number)
        deadline = time.monotonic() + _STOP_S
        while time.monotonic() < deadline and any(one.poll() is None for one in processes):  # noqa: ASYNC110 - a process ends without telling
            await asyncio.sleep(_LOOK_S)
        return [code for one in processes if (code := one.poll()) is not None]

    def _start(self, slot: Slot) -> None:
        slot.starts += 1
        slot.started = time.monotonic()
        slot.noes, slot.told_to_stop = 0, False
        log = self._folder / f"{slot.client}-{slot.starts:03}.log"
        own = self._extra | {"KAFKA__CLIENT_ID": slot.client}
        slot.worker = Worker(self._settings, log, module=self._module, **own).__enter__()
        self._say("started", worker=slot.number, log=log.name, pid=slot.worker.process.pid)

    async def _supervise(self) -> None:
        """Start what should run and does not."""
        while True:
            for slot in self.slots:
                if slot.worker is not None and not slot.is_running:
                    code = slot.worker.process.returncode
                    self.exits.append(code)
                    self._say(
                        "ended", worker=slot.number, code=code, told_to_stop=slot.told_to_stop
                    )
                    slot.worker = None
                if slot.worker is None and slot.number < self._wanted and not self._is_resetting:
                    self.restarts += slot.starts > 0
                    self._start(slot)
            await asyncio.sleep(_LOOK_S)

    async def _ask(self) -> None:
        """Kill what is not healthy, and begin anew where nobody gets anywhere."""
        while True:
            await asyncio.sleep(_ASK_S)
            if any([await self._get(slot, "/readyz") == 200 for slot in self.slots]):
                self._settled = time.monotonic()
            if self._is_unsettled():
                await self._reset()
            for slot in self.slots:
                if not slot.is_running or slot.is_paused:
                    continue
                answer = await self._get(slot, "/healthz")
                slot.noes = slot.noes + 1 if answer == 503 else 0
                if slot.noes >= _NOES:
                    self._say("unhealthy, killed", worker=slot.number)
                    self.signal(slot.number, signal.SIGKILL)

    def _is_unsettled(self) -> bool:
        """Say whether workers that are up for long enough have all had no partitions for long."""
        since = max([self._settled, *(slot.started for slot in self.slots if slot.is_running)])
        return time.monotonic() - since > _UNSETTLED_S

    async def _reset(self) -> None:
        """Stop all workers, wait until the group has forgotten them, and start them again."""
        self._say("the group does not settle, all stopped")
        self.resets += 1
        self._is_resetting = True
        for slot in self.slots:
            self.stop(slot.number)
        deadline = time.monotonic() + _STOP_S
        while time.monotonic() < deadline and any(slot.is_running for slot in self.slots):  # noqa: ASYNC110 - the same
            await asyncio.sleep(_LOOK_S)
        await asyncio.sleep(_FORGOTTEN_S)
        self._is_resetting = False
        self._settled = time.monotonic()

    async def _get(self, slot: Slot, path: str) -> int:
        """Ask a worker for its status; 0 if it does not answer (yet)."""
        if slot.worker is None:
            return 0
        try:
            timeout = aiohttp.ClientTimeout(total=5)
            async with (
                aiohttp.ClientSession(timeout=timeout) as client,
                client.get(slot.worker.address + path) as answer,
            ):
                return answer.status
        except (OSError, aiohttp.ClientError, TimeoutError):
            return 0


def pause_process(pid: int, *, on: bool) -> None:
    """Pause a process, or let it go on."""
    os.kill(pid, signal.SIGSTOP if on else signal.SIGCONT)
