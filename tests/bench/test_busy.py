"""Processor time of processes."""

import os
import subprocess
import sys
import time

from service.bench.busy import Parts, Stretch, processor_s, resident_mb

_SPIN = "import time\nprint(flush=True)\nwhile True: time.process_time()"


def test_a_busy_process_takes_time_and_an_idle_one_none() -> None:
    """What spins is busy as far as it gets a core; what waits for a line is not."""
    with (
        subprocess.Popen([sys.executable, "-c", _SPIN], stdout=subprocess.PIPE) as spinning,
        subprocess.Popen(
            [sys.executable, "-c", "print(flush=True)\ninput()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as idle,
    ):
        for started in (spinning, idle):
            assert started.stdout is not None
            started.stdout.readline()
        stretch = Stretch(Parts([spinning.pid], idle.pid))
        for _ in range(2):
            with stretch:
                time.sleep(0.5)
        spinning.kill()
        idle.communicate(b"\n")
    busy = stretch.busy
    assert busy.workers is not None
    assert busy.broker is not None
    # On a machine with much else to do the share is small.
    assert 0.02 < busy.workers < 1.2
    assert busy.broker < busy.workers
    assert busy.load is not None


def test_a_process_that_has_ended_is_not_known() -> None:
    """There is no telling, and no error; a part of which one has ended is not known either."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    assert processor_s(ended.pid) is None
    assert resident_mb(ended.pid) is None
    stretch = Stretch(Parts([os.getpid(), ended.pid], 0))
    with stretch:
        pass
    assert stretch.busy.workers is None
    assert stretch.busy.broker is None


def test_memory_of_this_process() -> None:
    """It is something between a Python and a machine."""
    found = resident_mb(os.getpid())
    assert found is not None
    assert 5 < found < 1e6
