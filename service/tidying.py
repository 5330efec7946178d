"""Tidies memory up, once everything is loaded that a process will keep."""

from __future__ import annotations

import ctypes
import gc


def tidy() -> None:
    """Give back what loading took for a while, and have what stays left alone.

    What is there now is no garbage: looked through again and again while a long article is put
    together, it would keep every thread waiting. And glibc keeps what was freed until it is asked:
    some 40 MB after loading ``base``.
    """
    gc.collect()
    gc.freeze()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library
        return
    trim(0)
