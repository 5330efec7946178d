"""What the doctor shows: narrow, wide, and as JSON."""

import io
import json

import pytest
from rich.console import Console

from service.doctor.findings import Finding, attempt, fail, ok, unchecked, warn
from service.doctor.reporting import show_findings, summary, to_json

FINDINGS = [
    ok("Python", "CPython 3.12.1"),
    warn("cores", "2 to be used; 4 compute threads", "set CLAIMSTREAM_MODEL__THREADS=2"),
    fail("broker", "no broker at kafka:9092 " + "and so on " * 20, "is the cluster up?"),
    unchecked("topic news.articles.v1", "no broker"),
]


@pytest.mark.parametrize("width", [80, 200])
def test_a_line_a_check_and_what_to_do(width: int) -> None:
    """The status is a word, faults have a remedy below, nothing is cut off or too wide."""
    console = Console(file=io.StringIO(), width=width, color_system=None, record=True)
    show_findings(console, FINDINGS)
    out = console.export_text()
    assert max(map(len, out.splitlines())) <= width
    words = " ".join(out.split())
    for finding in FINDINGS:
        assert f"{finding.status} {finding.check} " in words
        assert finding.do is None or f"do: {finding.do}" in words
    assert words.count("and so on") == 20
    assert words.endswith("1 failed, 1 to look at, 1 ok, 1 not checked")


def test_the_summary_always_counts_failures() -> None:
    """Also when there are none."""
    assert summary(FINDINGS[:1]) == "0 failed, 1 ok"


def test_json_has_every_check() -> None:
    """With an overall answer that only failures spoil."""
    whole = json.loads(json.dumps(to_json(FINDINGS)))
    assert whole["ok"] is False
    assert [Finding(**check) for check in whole["checks"]] == FINDINGS
    assert to_json(FINDINGS[:2])["ok"] is True


def test_what_others_say_cannot_steer_the_terminal() -> None:
    """A broker's message is printed without its control characters."""
    out = io.StringIO()
    show_findings(Console(file=out, width=80), [fail("broker", "\x1b[2Jgone", "\x07x")])
    assert not set(out.getvalue()) & set("\x1b\x07")


def test_a_check_that_breaks_down_is_a_failure_and_no_more() -> None:
    """Its error is one line, and the doctor goes on."""

    def run() -> Finding:
        raise ValueError("two\nlines")

    finding = attempt("model", run)
    assert (finding.check, finding.status) == ("model", "fail")
    assert finding.found == "ValueError: two lines"
