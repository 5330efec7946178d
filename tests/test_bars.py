"""Progress bars: how many of how many, a rate and the time left, on terminals only."""

import re
from pathlib import Path

import pytest
from rich.progress import Progress

from service.cli.bars import Rate, bar
from tests.terminals import run_on_terminal

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.5, "2.0/s"), (4, "0.2/s"), (0.01, "100/s"), (0.0001, "10,000/s")]
)
def test_rates_are_legible_at_any_speed(seconds: float, shown: str) -> None:
    """Slow ones have a decimal, fast ones none."""
    now = 0.0
    progress = Progress(get_time=lambda: now, disable=True)
    task = progress.add_task("", total=10)
    assert Rate().render(progress.tasks[0]).plain == ""
    for _ in range(4):
        progress.advance(task)
        now += seconds
    assert Rate().render(progress.tasks[0]).plain == shown


def test_no_bar_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    """Into a file or a pipe nothing is written."""
    with bar() as progress:
        progress.advance(progress.add_task("work", total=2))
    assert capsys.readouterr() == ("", "")


def test_evaluating_shows_how_far_it_is() -> None:
    """The articles done and to be done, and how long that takes; figures are printed besides."""
    ran = run_on_terminal(
        ["evaluate", str(ROOT / "seeds/gold/rates.json"), "--json"],
        {"CLAIMSTREAM_MODEL__SIZE": "small"},
    )
    assert ran.code == 0
    assert '"macro_f1"' in ran.output
    assert re.search(r"labelling .*0/1", ran.shown)
    assert re.search(r"\d:\d\d:\d\d|-:--:--", ran.shown)
