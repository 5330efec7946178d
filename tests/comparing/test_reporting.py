"""How a comparison is shown."""

from __future__ import annotations

import io

from rich.console import Console

from service.comparing.counting import Comparison
from service.comparing.reporting import show_report
from service.comparing.results import Coverage, Report
from tests.comparing.samples import OtherLabeller, labelled
from tests.labellers import RuleLabeller


def shown(report: Report) -> str:
    """The report as text."""
    file = io.StringIO()
    show_report(Console(file=file, width=160), report)
    return file.getvalue()


def found(coverage: Coverage | None = None) -> Report:
    """Two models on an article whose text and id are hostile."""
    body = "He said it rained. We \x1b[2Jshould go. The train was late."
    comparison = Comparison(5)
    comparison.add(labelled("x\x1b[1m", body), labelled("x\x1b[1m", body, OtherLabeller))
    return comparison.report(coverage)


def test_everything_is_shown() -> None:
    """Models, shares, confusion, spans, and the sentence they disagree about, harmless."""
    text = shown(found())
    assert "33.33% of the labels differ: 1 of 3" in text
    assert "rules 1 (rules)" in text
    assert "others 2 (others)" in text
    assert "Of 1 claims of both, 1 have another source and 0 another cue." in text
    assert "opinion 80%  →  fact 80%" in text
    assert "should go." in text
    assert "\x1b" not in text
    assert "Not compared" not in text


def test_what_was_not_compared_is_told() -> None:
    """Articles of one topic alone, of another text, unreadable ones, more than one model."""
    report = found(Coverage(compared=1, of_other_text=2, only_in_a=3, only_in_b=None, unreadable=4))
    text = shown(report)
    assert "3 only in A, 2 with another text in each, 4 records that cannot be read" in text
    assert "only in B" not in text
    two = Comparison(0)
    for labeller in (RuleLabeller, OtherLabeller):
        two.add(labelled(labeller=labeller), labelled())
    assert "More than one model in A" in shown(two.report())
    assert "More than one model in B" not in shown(two.report())
