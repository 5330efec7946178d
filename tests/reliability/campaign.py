"""A campaign: workers, a broker behind a proxy, a stream of articles, and a plan of faults."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from service import topics
from service.broker import EmbeddedBroker
from service.settings import Settings
from tests.cluster import Cluster
from tests.reliability.checking import Verdict, judge
from tests.reliability.faults import Faults, possible
from tests.reliability.fleet import Fleet
from tests.reliability.history import Event, History, Recorder
from tests.reliability.material import Expect, Record
from tests.reliability.plan import SESSION_S, Fault, Kind
from tests.reliability.proxy import Proxy
from tests.reliability.streams import Feeder, Reader

# With no outcome for so long although there is work, and no fault any more, all is given up.
GIVE_UP_S: Final = 120.0
# So long nothing more must come before it is believed that nothing comes.
QUIET_S: Final = 3.0
EXTERNAL: Final = "CLAIMSTREAM_TEST_BOOTSTRAP"
PROXY_PORT: Final = "CLAIMSTREAM_TEST_PROXY_PORT"
READY_S: Final = 180.0
WORKERS: Final = 3

# Short times, so that there is something to see of faults that last for seconds.
HASTY: Final = {
    "KAFKA__REQUEST_TIMEOUT_S": "4",
    "KAFKA__CONNECT_TIMEOUT_S": "5",
    "KAFKA__COMMIT_INTERVAL_S": "0.5",
    "WORKER__RETRY_WAIT_S": "0.01",
    "WORKER__BREAKER_WAIT_S": "0.5",
    "WORKER__BREAKER_MAX_WAIT_S": "2",
    "WORKER__STALL_S": "20",
    "WORKER__STOP_TIMEOUT_S": "40",
}


@dataclass(frozen=True)
class Leg:
    """What a campaign does."""

    name: str
    plan: Sequence[Fault]
    records: Sequence[Record]
    expect: Expect
    module: str
    # Over how many seconds the records are published.
    feed_s: float
    partitions: int = 8
    session_s: float = SESSION_S
    extra: dict[str, str] = field(default_factory=dict)
    # Whether the next fault waits until the one before is over and all is well.
    one_by_one: bool = False
    # Which kinds of faults cannot be made here, and why.
    left_out: str = ""


@dataclass
class Result:
    """What came of it."""

    leg: Leg
    history: History
    verdict: Verdict
    restarts: int
    resets: int
    exits: list[int]
    # The codes of the workers that were told to stop at the end, when nothing more was troubled.
    last_exits: list[int]
    # Records of the log that were not committed after that.
    uncommitted: int
    left_out: list[str]  # faults that had nothing to be made to, as a worker that had just ended
    seconds: float
    gave_up: bool


class Campaign:
    """Runs a leg."""

    def __init__(self, leg: Leg, folder: Path, tell: Callable[[str], None]) -> None:
        """Take the leg, a folder for the history and logs, and what to tell of its course."""
        self._leg = leg
        self._folder = folder
        self._tell = tell
        self._begun = time.monotonic()
        self._recorder = Recorder(folder)

    def clock(self) -> float:
        """Seconds since the campaign began."""
        return round(time.monotonic() - self._begun, 3)

    def say(self, name: str, *, is_fault: bool = False, **details: Any) -> None:
        """Note an event."""
        self._recorder.add([Event(self.clock(), name, is_fault, details)])

    async def run(self) -> Result:
        """Run it to its end."""
        leg = self._leg
        async with AsyncExitStack() as stack:
            stack.callback(self._recorder.close)
            cluster, proxy, broker_pid = await stack.enter_async_context(
                _behind_a_proxy(self._folder, leg)
            )
            settings = cluster.settings
            await topics.create(_steady(settings))
            feeder = Feeder(settings)
            await feeder.start()
            stack.push_async_callback(feeder.stop)
            reader = Reader(settings, self.clock, self._recorder.add, leg.expect)
            await _in_background(stack, reader.follow, reader.follow_commits)
            control = self._folder / "control"
            control.mkdir()
            fleet = await stack.enter_async_context(
                Fleet(
                    settings,
                    self._folder / "logs",
                    self.say,
                    module=leg.module,
                    extra=HASTY | leg.extra | {"TEST_CONTROL": str(control)},
                )
            )
            fleet.scale(WORKERS)
            await fleet.wait_until_ready(READY_S)
            self._begun = time.monotonic()
            faults = Faults(fleet, proxy, feeder, control, broker_pid, self.say)
            fed = asyncio.create_task(feeder.feed(iter(leg.records), len(leg.records), leg.feed_s))
            await (self._one_by_one(faults, fleet) if leg.one_by_one else self._at_times(faults))
            await fed
            fleet.scale(WORKERS)
            self.say("all faults over")
            gave_up = not await self._wait_until_done()
            if not gave_up:
                await fleet.wait_until_ready(READY_S)
            last_exits = await fleet.end()
            await asyncio.sleep(QUIET_S)
            history = self._recorder.history
            return Result(
                leg,
                history,
                judge(history),
                fleet.restarts,
                fleet.resets,
                fleet.exits,
                last_exits,
                _uncommitted(history),
                faults.left_out,
                self.clock(),
                gave_up,
            )

    async def _at_times(self, faults: Faults) -> None:
        """Make each fault at its time, whatever the others do."""
        tasks = []
        for fault in self._leg.plan:
            await asyncio.sleep(max(0.0, fault.at_s - self.clock()))
            tasks.append(asyncio.create_task(faults.make(fault)))
        await asyncio.gather(*tasks)

    async def _one_by_one(self, faults: Faults, fleet: Fleet) -> None:
        """Make each fault when all is well after the one before."""
        for number, fault in enumerate(self._leg.plan, 1):
            await faults.make(fault)
            await fleet.wait_until_ready(READY_S)
            await asyncio.sleep(1)
            self._tell(f"round {number} of {len(self._leg.plan)}: {fault.kind}")

    async def _wait_until_done(self) -> bool:
        """Wait until every record has an outcome and is committed, and nothing more comes."""
        last, since = -1, time.monotonic()
        history = self._recorder.history
        while True:
            if len(history.seen) != last:
                last, since = len(history.seen), time.monotonic()
            quiet_s = time.monotonic() - since
            sources = {seen.source for seen in history.seen}
            waiting = sum(record.place not in sources for record in history.published)
            if not waiting and not _uncommitted(history) and quiet_s > QUIET_S:
                return True
            if quiet_s > GIVE_UP_S:
                self._tell(f"given up: {waiting} records without an outcome")
                return False
            await asyncio.sleep(0.5)


def _uncommitted(history: History) -> int:
    """Records of the log after the last committed offset of their partition."""
    committed = {one.partition: one.offset for one in history.committed}
    return sum(one.offset >= committed.get(one.partition, 0) for one in history.published)


def _steady(settings: Settings) -> Settings:
    kafka = settings.kafka.model_copy(update={"client_id": "steady"})
    return settings.model_copy(update={"kafka": kafka})


async def _in_background(stack: AsyncExitStack, *what: Callable[[], Awaitable[None]]) -> None:
    """Keep these going until the stack is left."""

    async def end(task: asyncio.Future[None]) -> None:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()

    for each in what:
        stack.push_async_callback(end, asyncio.ensure_future(each()))


@asynccontextmanager
async def _behind_a_proxy(
    folder: Path, leg: Leg
) -> AsyncIterator[tuple[Cluster, Proxy | None, int | None]]:
    """Topics on a broker that nobody reaches but through our proxy.

    An external cluster (``CLAIMSTREAM_TEST_BOOTSTRAP``) must advertise the proxy, at loopback and
    the port that ``CLAIMSTREAM_TEST_PROXY_PORT`` names; without, there is no proxy.

    Yields:
        The topics, the proxy or None, the broker's process or None.
    """
    external, port = os.environ.get(EXTERNAL), os.environ.get(PROXY_PORT)
    if external and not port:
        yield _cluster(external, leg), None, None
        return
    async with Proxy(int(port or 0)) as proxy:
        here = f"127.0.0.1:{proxy.port}"
        if external:
            host, _, its_port = external.split(",")[0].rpartition(":")
            proxy.upstream = host, int(its_port)
            yield _cluster(here, leg), proxy, None
            return
        with EmbeddedBroker(log=folder / "broker.log", advertised_port=proxy.port) as broker:
            proxy.upstream = "127.0.0.1", broker.port
            proxy.dismisses = True
            yield _cluster(here, leg), proxy, broker.pid


def _cluster(bootstrap_servers: str, leg: Leg) -> Cluster:
    cluster = Cluster(bootstrap_servers, leg.partitions)
    kafka = cluster.settings.kafka.model_copy(update={"session_timeout_s": leg.session_s})
    cluster.settings = cluster.settings.model_copy(update={"kafka": kafka})
    return cluster


def surroundings(kinds: Sequence[Kind]) -> tuple[list[Kind], str]:
    """The kinds of faults that can be made here, and in plain words which cannot and why."""
    is_ours = EXTERNAL not in os.environ
    return possible(list(kinds), has_proxy=is_ours or PROXY_PORT in os.environ, has_broker=is_ours)


def seeds_of(seed: int) -> tuple[int, int]:
    """Seeds of the plan and of the material, from one."""
    drawn = random.Random(seed)
    return drawn.getrandbits(32), drawn.getrandbits(32)
