"""The whole measurement from the command line, on two tiny articles; its figures fit together."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from service.bench.results import Report
from tests.bench.articles import TEXTS
from tests.test_cli import ROOT, assert_one_clear_line, claimstream

pytestmark = pytest.mark.timeout(1800)
# Starts torch some ten times: a minute and more of processor time.
measures = pytest.mark.slow

SVG = "<svg"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of articles, and of plots when the measurement has been made."""
    folder = tmp_path_factory.mktemp("bench")
    lines = [json.dumps({"id": text.name, "body": text.text}) for text in TEXTS]
    (folder / "articles.jsonl").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def printed(folder: Path) -> str:
    """What ``bench --quick --json`` prints, measured as shortly as it goes."""
    done = subprocess.run(
        [
            *[sys.executable, "-m", "service", "bench", str(folder / "articles.jsonl")],
            *["--size", "small", "--quick", "--minutes", "0.02", "--json"],
            *["--plots", str(folder / "plots")],
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.fixture(scope="module")
def report(printed: str) -> Report:
    """The same, read by the model of the results, which refuses what is missing or unknown."""
    return Report.model_validate_json(printed)


@measures
def test_the_agreed_shape(printed: str) -> None:
    """One line of JSON with the parts that were agreed."""
    assert printed.count("\n") == 1
    figures = json.loads(printed)
    assert set(figures) == {
        "machine", "rounds", "variants", "latency", "length", "agreement", "notes",
    }  # fmt: skip
    assert {"name", "ours", "sentences_per_s", "ratio", "floor_share"} <= set(
        figures["variants"][0]
    )


@measures
def test_ours_and_the_three_peers_are_measured(report: Report) -> None:
    """Our backends come first, one of them is taken by itself, then the three peers."""
    assert [one.ours for one in report.variants][-3:] == [False] * 3
    assert [one.name[:3] for one in report.variants][-3:] == ["(a)", "(b)", "(c)"]
    assert sum(one.is_auto for one in report.variants) == 1
    assert all(one.ours for one in report.variants if one.is_auto)
    assert {one.size for one in report.variants} == {"small"}


@measures
def test_rates_ratios_and_floors_fit_together(report: Report) -> None:
    """The ratio is to (c), the share is of the floor, the median lies in its range."""
    padded = report.variants[-1]
    assert padded.ratio == 1
    for one in report.variants:
        assert one.lowest <= one.sentences_per_s <= one.highest
        assert one.ratio == pytest.approx(one.sentences_per_s / padded.sentences_per_s)
        assert one.floor_sentences_per_s is not None
        assert one.floor_share == pytest.approx(one.sentences_per_s / one.floor_sentences_per_s)
        assert one.startup_s > 0
    assert report.machine.peak_gflops["float32"]
    peers = {one.floor_sentences_per_s for one in report.variants if not one.ours}
    assert len(peers) == 1


@measures
def test_rounds_label_whole_articles(report: Report) -> None:
    """As many sentences as the articles of a round have, in at least three rounds."""
    (rounds,) = report.rounds
    assert rounds.sentences == sum(text.sentences for text in TEXTS[: rounds.articles])
    assert rounds.rounds >= 3


@measures
def test_latency_alone_and_at_two_loads(report: Report) -> None:
    """One row for an article alone and one for each load, in milliseconds and own times."""
    assert [one.load for one in report.latency] == [None, 0.5, 0.9]
    for one in report.latency:
        assert one.articles >= 1
        assert (one.ms.p50 is None) == (one.articles < 2)
        assert one.ms.p99 is None or one.articles >= 100


@measures
def test_cost_by_length_and_number(report: Report) -> None:
    """Lengths are measured from the shortest on; those without time are named."""
    (length,) = report.length
    measured = [point.words for point in length.points]
    assert [*measured, *length.left_out] == [10, 100, 1_000, 10_000, 100_000]
    assert measured[0] == 10
    assert all(point.ms_per_word > 0 for point in length.points)
    assert length.amounts[0].articles == 1
    assert length.amounts[0].sentences == TEXTS[0].sentences


@measures
def test_agreement_with_float32(report: Report) -> None:
    """Every backend of ours that is not float32 itself is compared, on the given articles."""
    ours = {one.name for one in report.variants if one.ours} - {"torch-float32"}
    assert {one.backend for one in report.agreement} == ours
    for one in report.agreement:
        assert 1 <= one.sentences <= sum(text.sentences for text in TEXTS)
        assert 0 <= one.differing <= 1


@measures
def test_plots_are_drawn(report: Report, folder: Path) -> None:
    """Three SVG files, the processor's name in the first."""
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    files = {path.name: path.read_text() for path in (folder / "plots").iterdir()}
    assert set(files) == {"throughput.svg", "latency.svg", "length.svg"}
    assert all(SVG in content for content in files.values())
    assert report.variants


@pytest.mark.parametrize("command", [["bench"], ["bench", "stream"]], ids=" ".join)
def test_bad_input_is_wrong_use(command: list[str], tmp_path: Path) -> None:
    """No file, no article, no sentence: one line, exit code 2, before anything is started."""
    assert_one_clear_line(claimstream(*command, str(tmp_path / "none")), 2, "no such file")
    (tmp_path / "bad.jsonl").write_text("rubbish")
    assert_one_clear_line(claimstream(*command, str(tmp_path / "bad.jsonl")), 2, "line 1")
    (tmp_path / "empty.txt").write_text(" ")
    assert_one_clear_line(claimstream(*command, str(tmp_path / "empty.txt")), 2, "no sentence")


@pytest.mark.parametrize("command", [["bench"], ["bench", "stream"]], ids=" ".join)
def test_a_missing_model_is_told(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, exit code 2, before anything is started."""
    monkeypatch.setenv("CLAIMSTREAM_MODEL__PATH", str(tmp_path / "model"))
    assert_one_clear_line(claimstream(*command), 2, "no model in")


def test_plots_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install before it measures anything."""
    monkeypatch.setattr("service.bench.plots.find_spec", lambda _: None)
    result = claimstream("bench", "--plots", str(tmp_path / "plots"))
    assert_one_clear_line(result, 2, "pip install 'claimstream[dev]'")


def test_a_folder_for_plots_that_cannot_be_made(tmp_path: Path) -> None:
    """A file in its place: one line, exit code 2."""
    (tmp_path / "plots").write_text("")
    result = claimstream("bench", "--plots", str(tmp_path / "plots"))
    assert_one_clear_line(result, 2, "plots")


def test_help_has_examples() -> None:
    """--help of both says how they are used, and that of the first names the second."""
    first, second = claimstream("bench", "--help"), claimstream("bench", "stream", "--help")
    assert first.exit_code == second.exit_code == 0
    assert "Example: claimstream bench " in first.stdout
    assert "claimstream bench stream" in " ".join(first.stdout.split())
    assert "Example: claimstream bench stream" in second.stdout
