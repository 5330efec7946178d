"""A real worker process with a cheap labeller: ``python -m tests.cheap_worker``.

Settings come from the environment as for the real one. What the labeller does with an article is
asked for in the article itself, so that one stream can hold every kind:

- ``RAISE ALWAYS`` and ``RAISE ONCE``: it raises each time, or only the first time;
- ``EXHAUST MEMORY`` and ``RECURSE``: it raises what running out of memory or stack raises;
- ``SLEEP 0.5``: it takes so many seconds;
- ``WEDGE``: it never comes back;
- ``ABORT``: the process dies, as when a native library gives up.

And while the file exists that the variable ``TEST_BROKEN_WHILE`` names, it fails on everything.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from service.pipeline import Prediction
from service.segmentation import Segment
from service.settings import Settings
from service.worker import run
from tests.labellers import RuleLabeller

_SLEEP = re.compile(r"SLEEP ([0-9.]+)")


class ObedientLabeller(RuleLabeller):
    """Does to a worker what the articles ask for."""

    def __init__(self) -> None:
        """Remember which articles have raised."""
        self._raised: set[str] = set()

    def predict(self, text: str, segments: Sequence[Segment]) -> list[Prediction]:
        """Predict each segment, or misbehave as the text says."""
        broken_while = os.environ.get("TEST_BROKEN_WHILE")
        if broken_while and Path(broken_while).exists():
            raise RuntimeError("broken altogether")
        if "RAISE ALWAYS" in text:
            raise RuntimeError("asked to raise\nalways")
        if "RAISE ONCE" in text and text not in self._raised:
            self._raised.add(text)
            raise RuntimeError("asked to raise once")
        if "EXHAUST MEMORY" in text:
            raise MemoryError
        if "RECURSE" in text:
            raise RecursionError("asked to recurse")
        if "ABORT" in text:
            os.abort()
        if "WEDGE" in text:
            threading.Event().wait()
        if found := _SLEEP.search(text):
            time.sleep(float(found[1]))
        return super().predict(text, segments)


if __name__ == "__main__":
    sys.exit(run(Settings(), ObedientLabeller()))
