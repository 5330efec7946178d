"""Makes the faults of a plan, each as its name says."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Final

from tests.reliability.fleet import Fleet, Say, pause_process
from tests.reliability.material import ABORTS, OUT_OF_MEMORY, article
from tests.reliability.plan import OF_THE_BROKER, OF_THE_NETWORK, RESTART, Fault, Kind
from tests.reliability.proxy import Kind as TroubleKind
from tests.reliability.proxy import Proxy
from tests.reliability.streams import Feeder

# Kafka's error codes.
_NOT_ENOUGH_REPLICAS: Final = 19
_STORAGE: Final = 56
_NOT_AUTHORIZED: Final = 29
# Numbers of the articles that faults publish, far from those of the stream.
_FROM: Final = 10_000_000

RESTART_COMMAND: Final = "CLAIMSTREAM_TEST_BROKER_RESTART"

# Kinds that are a trouble of the proxy's: which, whether of one worker, and how much of it.
_TROUBLES: Final[dict[str, tuple[TroubleKind, bool, float]]] = {
    "connections torn in mid-request": ("tear", False, 0),
    "network stands still for a worker": ("hold", True, 0),
    "network stands still for all": ("hold", False, 0),
    "black hole for a worker": ("drop", True, 0),
    "black hole for all": ("drop", False, 0),
    "connections refused": ("refuse connections", False, 0),
    "network slow": ("delay", False, 0.3),
    "network throttled": ("throttle", False, 20_000),
    "answers lost": ("lose answers", False, 0),
    "records refused for a while": ("refuse records", False, _NOT_ENOUGH_REPLICAS),
    "records refused, storage full": ("refuse records", False, _STORAGE),
    "records refused for good": ("refuse records", False, _NOT_AUTHORIZED),
}
# Kinds that are a file in the folder that workers look into, and what is in it.
_CONTROLS: Final = {
    "model slow": ("slow", "0.05"),
    "model fails each third call": ("every", "3"),
    "model fails altogether": ("broken", "1"),
    "clock stepped on": ("clock", "3600"),
    "clock stepped back": ("clock", "-3600"),
}


def possible(kinds: list[Kind], *, has_proxy: bool, has_broker: bool) -> tuple[list[Kind], str]:
    """The kinds that can be made here, and in plain words which cannot and why."""
    words = []
    if not has_broker:
        kinds = [kind for kind in kinds if kind not in OF_THE_BROKER]
        words.append("the broker is not paused: it is not our process")
        if os.environ.get(RESTART_COMMAND):
            kinds.append(RESTART)
        else:
            words.append(f"the broker is not restarted: {RESTART_COMMAND} names no command")
    if not has_proxy:
        kinds = [kind for kind in kinds if kind not in OF_THE_NETWORK]
        words.append(
            "the network is not troubled: the cluster does not advertise our proxy "
            "(CLAIMSTREAM_TEST_PROXY_PORT)"
        )
    return kinds, "; ".join(words)


class Faults:
    """Makes faults."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that there is to trouble
        self,
        fleet: Fleet,
        proxy: Proxy | None,
        feeder: Feeder,
        control: Path,
        broker_pid: int | None,
        say: Say,
    ) -> None:
        """Take what is to be troubled."""
        self._fleet = fleet
        self._proxy = proxy
        self._feeder = feeder
        self._control = control
        self._broker_pid = broker_pid
        self._say = say
        self._published = 0
        self._broker_pauses = 0
        self._usual = fleet.wanted
        self.left_out: list[str] = []
        self._moments: dict[str, Callable[[Fault], Awaitable[bool]]] = {
            "killed": self._kill,
            "all killed": self._kill_all,
            "told to stop": self._stop,
            "paused": self._pause,
            "paused for long": self._pause,
            "one worker less": self._scale_to(1),
            "workers added": self._scale_to(5),
            "more workers than partitions": self._scale_to(10),
            "broker paused": self._pause_broker,
            "broker paused for long": self._pause_broker,
            "broker restarted": self._restart_broker,
            "all connections cut": self._cut,
            "a worker's connections cut": self._cut,
            "article out of memory": self._publish(OUT_OF_MEMORY),
            "article aborts the process": self._publish(ABORTS),
        }

    async def make(self, fault: Fault) -> None:
        """Make a fault, and return when it is over."""
        self._say(fault.kind, is_fault=True, worker=fault.worker, seconds=round(fault.seconds, 2))
        if fault.kind in _CONTROLS:
            with self._file(*_CONTROLS[fault.kind]):
                await asyncio.sleep(fault.seconds)
            done = True
        elif fault.kind in _TROUBLES:
            with self._trouble(fault):
                await asyncio.sleep(fault.seconds)
            done = self._proxy is not None
        else:
            done = await self._moments[fault.kind](fault)
        if done:
            self._say(f"over: {fault.kind}", worker=fault.worker)
        else:
            self.left_out.append(fault.kind)
            self._say(f"not made: {fault.kind}", worker=fault.worker)

    def _trouble(self, fault: Fault) -> AbstractContextManager[None]:
        if self._proxy is None:
            return nullcontext()
        kind, is_of_one, amount = _TROUBLES[fault.kind]
        client = self._client(fault) if is_of_one else None
        return self._proxy.trouble(kind, client, amount)

    @contextmanager
    def _file(self, name: str, text: str) -> Iterator[None]:
        file = self._control / name
        file.write_text(text, encoding="ascii")
        try:
            yield
        finally:
            file.unlink(missing_ok=True)

    def _client(self, fault: Fault) -> str:
        return self._fleet.slots[fault.worker].client

    async def _kill(self, fault: Fault) -> bool:
        return self._fleet.signal(fault.worker, signal.SIGKILL)

    async def _kill_all(self, _: Fault) -> bool:
        numbers = range(len(self._fleet.slots))
        killed = [self._fleet.signal(number, signal.SIGKILL) for number in numbers]
        return any(killed)

    async def _stop(self, fault: Fault) -> bool:
        return self._fleet.stop(fault.worker)

    async def _pause(self, fault: Fault) -> bool:
        return await self._fleet.pause(fault.worker, fault.seconds)

    def _scale_to(self, count: int) -> Callable[[Fault], Awaitable[bool]]:
        async def scale(fault: Fault) -> bool:
            self._fleet.scale(count)
            await asyncio.sleep(fault.seconds)
            self._fleet.scale(self._usual)
            return True

        return scale

    async def _pause_broker(self, fault: Fault) -> bool:
        if self._broker_pid is None:
            return False
        self._broker_pauses += 1
        pause_process(self._broker_pid, on=True)
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            self._broker_pauses -= 1
            if not self._broker_pauses:
                pause_process(self._broker_pid, on=False)
        return True

    async def _restart_broker(self, _: Fault) -> bool:
        command = shlex.split(os.environ[RESTART_COMMAND])
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL)
        return await process.wait() == 0

    async def _cut(self, fault: Fault) -> bool:
        if self._proxy is None:
            return False
        client = None if fault.kind == "all connections cut" else self._client(fault)
        return self._proxy.cut(client) > 0

    def _publish(self, words: str) -> Callable[[Fault], Awaitable[bool]]:
        async def publish(_: Fault) -> bool:
            self._published += 1
            number = _FROM + self._published
            await self._feeder.send([article(number, f"article-{self._published}", words)])
            return True

        return publish
