"""A worker with a cheap labeller that a campaign can trouble.

``python -m tests.reliability.chaos_worker``, as `tests.cheap_worker`.

While a file exists in the folder that ``CLAIMSTREAM_TEST_CONTROL`` names, its labeller is ``slow``
(by the seconds in the file), fails on ``every`` so manyth call, or fails altogether (``broken``);
and its clock, ``time.time``, is off by the seconds in ``clock``. Real clocks are stepped the same
way: the monotonic one, by which event loops go, stays as it is.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from service.pipeline import Prediction
from service.segmentation import Segment
from service.settings import PREFIX, Settings
from service.worker import run
from tests.cheap_worker import ObedientLabeller

_LOOK_S: Final = 0.1


class Control:
    """Reads what a campaign asks for."""

    def __init__(self, folder: Path) -> None:
        """Take the folder."""
        self._folder = folder
        self._offset_s = 0.0
        self._looked = 0.0

    def find(self, name: str) -> float | None:
        """The number in a file; None if there is no such file."""
        try:
            return float((self._folder / name).read_text(encoding="ascii"))
        except FileNotFoundError:
            return None

    def step_clock(self) -> None:
        """Let ``time.time`` be off as asked for, from now on."""
        real = time.time

        def stepped() -> float:
            if time.monotonic() - self._looked > _LOOK_S:
                self._offset_s, self._looked = self.find("clock") or 0.0, time.monotonic()
            return real() + self._offset_s

        time.time = stepped


class TroubledLabeller(ObedientLabeller):
    """Does what articles ask for, and what a campaign asks for."""

    def __init__(self, control: Control) -> None:
        """Take where to look."""
        super().__init__()
        self._control = control
        self._calls = 0

    def predict(self, text: str, segments: Sequence[Segment]) -> list[Prediction]:
        """Predict each segment, or misbehave."""
        self._calls += 1
        if self._control.find("broken") is not None:
            raise RuntimeError("broken altogether")
        every = self._control.find("every")
        if every is not None and self._calls % every == 0:
            raise RuntimeError("it is my turn to fail")
        time.sleep(self._control.find("slow") or 0.0)
        return super().predict(text, segments)


if __name__ == "__main__":
    wanted = Control(Path(os.environ[f"{PREFIX}TEST_CONTROL"]))
    wanted.step_clock()
    sys.exit(run(Settings(), TroubledLabeller(wanted)))
