"""Memory after loading: what was freed is given back, what stays is left alone."""

import subprocess
import sys

import pytest

# Every second of many pieces is freed, and the last one kept: nothing is given back by itself.
_CODE = """
import gc
from service.bench.busy import resident_mb
from service.tidying import tidy
import os
pieces = [bytearray(50_000) for _ in range(4000)]
del pieces[:-1]
gc.collect()
before = resident_mb(os.getpid())
tidy()
print(before, resident_mb(os.getpid()), gc.get_freeze_count())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is asked of /proc")
def test_freed_memory_goes_back() -> None:
    """Of 200 MB that were taken and freed next to nothing is left, and all that is there frozen."""
    told = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, check=True)
    before, after, frozen = map(float, told.stdout.split())
    assert after <= before
    assert after < 100
    assert frozen > 10_000
