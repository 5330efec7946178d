"""Progress bars with a rate."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

_SLOW: Final = 10


def bar() -> Progress:
    """A bar with rate and time left on standard error, where that is a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
    )
    return Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    )


def steps(progress: Progress) -> Callable[[str, int], None]:
    """What is to be told of each offset read: it shows a bar for each reading."""
    tasks: dict[tuple[str, int], TaskID] = {}

    def step(topic: str, total: int) -> None:
        if (topic, total) not in tasks:
            tasks[topic, total] = progress.add_task(f"reading {topic}", total=total)
        progress.advance(tasks[topic, total])

    return step


class Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        """Show the rate once there is one; what is slow, with a decimal."""
        if task.speed is None:
            return Text()
        return Text(f"{task.speed:,.{0 if task.speed >= _SLOW else 1}f}/s")
