"""The worker's life: start in order, run until told to stop or broken, end with an exit code.

Exit codes: 0 told to stop, and everything begun is delivered and committed; 1 broken or cut off,
what was in hand is read again by the next; 2 it could not start, and waiting would not help or
was to end.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Final

import stamina.instrumentation
import structlog

from service.breaker import Breaker
from service.cores import find_cores
from service.delivery import Outbox
from service.handling import Handler
from service.health import PortTakenError, serve_health
from service.journal import Journal, open_journal
from service.kafka import BrokerError
from service.logs import configure_logs
from service.metrics import Metrics, build_metrics
from service.pipeline import Labeller
from service.poison import Guard
from service.progress import Progress
from service.release import ReleaseError, label_mix, load
from service.settings import Settings
from service.stream import WorkerApp, build_app
from service.tidying import tidy
from service.topics import TopicsMissingError, check
from service.tracing import TracingError, open_traces
from service.vitals import Vitals
from service.waiting import wait_for

log = structlog.get_logger(__name__)

DONE, BROKEN, CANNOT_START = 0, 1, 2

_POLL_S: Final = 0.2
# A broken worker may leave its group, so that the others need not wait for its session to end.
# Whatever takes longer is likely to be what is broken.
_BROKEN_STOP_S: Final = 3.0


def run(settings: Settings, labeller: Labeller | None = None) -> int:
    """Run a worker in this thread, which must be the main one, until SIGTERM or SIGINT.

    Args:
        settings: everything that can be set.
        labeller: what labels; the released model that the settings name if not given.

    Returns:
        The exit code. Why a worker cannot start is told in one line on standard error.
    """
    configure_logs(settings.log)
    cores = find_cores()
    log.info("starting", cores=cores.usable, allowed_cores=cores.allowed, quota=cores.quota)
    # Retries are counted by a metric of our own, in our own registry.
    stamina.instrumentation.set_on_retry_hooks([])
    try:
        return asyncio.run(_run(settings, labeller))
    except (
        BrokerError,
        PortTakenError,
        ReleaseError,
        TopicsMissingError,
        TracingError,
    ) as error:
        sys.stderr.write(f"claimstream: {error}\n")
        return CANNOT_START


async def _run(settings: Settings, labeller: Labeller | None) -> int:
    stopping = _stop_on_signals()
    metrics = build_metrics()
    metrics.name_consumer(settings.kafka.group, settings.topics.articles)
    traces = open_traces(settings, metrics)
    progress = Progress(settings.worker)
    breaker = Breaker(settings.worker, metrics)
    vitals = Vitals(settings, metrics, progress, breaker)
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="inference")
    async with serve_health(settings.http, metrics, vitals):
        watch = asyncio.create_task(vitals.watch())
        try:
            start = asyncio.create_task(_prepare(settings, labeller, executor, metrics, vitals))
            if not await _finished_first(start, stopping):
                return DONE
            outbox, journal, model = start.result()
            guard = Guard(settings, journal)
            handler = Handler(
                settings,
                labeller=model,
                outbox=outbox,
                executor=executor,
                metrics=metrics,
                progress=progress,
                breaker=breaker,
                guard=guard,
                traces=traces,
            )
            app = build_app(settings, handler, guard, metrics)
            vitals.consumer = app.consumer
            return await _live(app, [outbox, journal], stopping, settings)
        finally:
            await traces.close()
            watch.cancel()
            executor.shutdown(wait=False, cancel_futures=True)


async def _prepare(
    settings: Settings,
    labeller: Labeller | None,
    executor: ThreadPoolExecutor,
    metrics: Metrics,
    vitals: Vitals,
) -> tuple[Outbox, Journal, Labeller]:
    """Wait for the cluster first, for that mostly is quick, then load the model.

    Raises:
        RefusedError: the cluster refuses us, whatever we wait.
        BrokerError: the cluster could not be reached in the time set for it.
        TopicsMissingError: a topic did not come to exist in that time.
        ReleaseError: the model is missing or damaged.
    """
    longest_s = settings.worker.start_wait_s
    with _quiet("aiokafka"):  # what it logs about a cluster that cannot be reached is in the error
        await wait_for(lambda: check(settings), longest_s, vitals.wait_for)
    if labeller is None:
        loop = asyncio.get_running_loop()
        loaded: Labeller = await loop.run_in_executor(executor, load, settings.model)
        labeller = loaded
        if mix := label_mix(settings.model.folder):
            metrics.show_release_mix(mix)
    metrics.name_model(labeller.model)
    vitals.has_model = True
    outbox = Outbox(settings, metrics)
    with _quiet("aiokafka"):
        await wait_for(outbox.start, longest_s, vitals.wait_for)
        journal = await wait_for(lambda: open_journal(settings.kafka), longest_s, vitals.wait_for)
    vitals.outbox, vitals.journal = outbox, journal
    tidy()
    return outbox, journal, labeller


async def _live(
    app: WorkerApp,
    clients: Sequence[Outbox | Journal],
    stopping: asyncio.Event,
    settings: Settings,
) -> int:
    """Run the app until it breaks or is told to stop; the exit code."""
    start = asyncio.create_task(app.start())
    # Polled, because a service that crashes in another thread wakes nobody up in this one.
    while not (stopping.is_set() or app.crashed or _failed(start)):
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), _POLL_S)
    reason = start.exception() if _failed(start) else app.crash_reason
    broken = app.crashed or _failed(start)
    if broken:
        log.error("broken, ending without acknowledging", error=repr(reason))
    else:
        log.info("told to stop, finishing what is in hand")
    deadline = _cut_off_after(_BROKEN_STOP_S if broken else settings.worker.stop_timeout_s)
    await app.stop()
    start.cancel()
    await asyncio.wait([start])
    for client in clients:
        try:
            await client.stop()
        except Exception as error:  # noqa: BLE001 - what was not confirmed was not acknowledged
            log.warning("a client did not stop cleanly", error=repr(error))
    if broken or app.crashed:
        # The deadline stays: a thread that hangs must not keep the process.
        return BROKEN
    deadline.cancel()
    log.info("stopped")
    return DONE


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Keep a library's logger, and those below it, silent while the context lasts."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def _failed(start: asyncio.Task[None]) -> bool:
    return start.done() and not start.cancelled() and start.exception() is not None


def _stop_on_signals() -> asyncio.Event:
    """Turn the first SIGTERM or SIGINT into an event; a second one cuts the process off."""
    stopping = asyncio.Event()

    def on_signal() -> None:
        if stopping.is_set():
            _cut_off("told twice to stop")
        stopping.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    return stopping


async def _finished_first(task: asyncio.Task[object], stopping: asyncio.Event) -> bool:
    """Wait for a task, and cancel it when the worker is told to stop before it is finished."""
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if task.done():
        return True
    task.cancel()
    await asyncio.wait({task})
    return False


def _cut_off_after(seconds: float) -> threading.Timer:
    """End the process after so many seconds, even if the event loop or a thread hangs."""
    timer = threading.Timer(seconds, _cut_off, [f"not stopped within {seconds:g} s"])
    timer.daemon = True
    timer.start()
    return timer


def _cut_off(reason: str) -> None:
    log.error("cut off", reason=reason)
    sys.stderr.flush()
    os._exit(BROKEN)
