"""A worker whose parts can be wedged from outside: ``python -m tests.reliability.wedged_worker``.

SIGUSR1 does what the variable ``TEST_WEDGE`` names: it blocks the event ``loop``, hangs the
consumer's ``thread``, or makes aiokafka's ``fetch`` task wait for ever, as for an answer that never
comes; polls and heartbeats go on. (The model is wedged by an article: see tests.cheap_worker.)
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

from service.consumer import FetchingThread
from service.settings import Settings
from service.worker import run
from tests.cheap_worker import ObedientLabeller


class _Everything(set[int]):
    """Has whatever is asked for, whatever is taken out."""

    def __contains__(self, _: object) -> bool:
        return True


def _hang() -> None:
    threading.Event().wait()


def _wedge(_: int, __: FrameType | None) -> None:
    what = os.environ["TEST_WEDGE"]
    if what == "loop":
        _hang()  # signals are handled in the thread of the event loop
    (thread,) = (one for one in gc.get_objects() if isinstance(one, FetchingThread))
    consumer: Any = thread._consumer  # noqa: SLF001 - a fault from within
    fetcher = consumer._fetcher  # noqa: SLF001 - the same
    work = {
        "thread": _hang,
        "fetch": lambda: setattr(fetcher, "_in_flight", _Everything()),
    }[what]
    thread.thread_loop.call_soon_threadsafe(work)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, _wedge)
    sys.exit(run(Settings(), ObedientLabeller()))
