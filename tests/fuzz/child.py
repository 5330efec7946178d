"""Fuzzes one target in this process: ``python -m tests.fuzz.child TARGET [libFuzzer's options]``.

Coverage is taken of our own code, and of the libraries in Python that read what is hostile.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

import atheris

_LIBRARIES: Final = ["trafilatura", "htmldate", "justext", "courlan", "feedparser"]


def main() -> None:
    """Fuzz until the options say that it is enough, or an input breaks a promise."""
    name = sys.argv.pop(1)
    with atheris.instrument_imports(include=["service", *_LIBRARIES]):
        for library in _LIBRARIES:
            import_module(library)
        targets = import_module("tests.fuzz.targets")
    atheris.Setup(sys.argv, targets.timed(targets.TARGETS[name]))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
