"""Fuzzes all targets, one after the other: ``python -m tests.fuzz [--minutes M] [TARGET …]``.

What adds coverage is kept in a folder, one for each target, and is where the next run begins. An
input that breaks a promise is kept in ``found``, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from tests.fuzz.nasty import dictionary, samples
from tests.fuzz.targets import TARGETS

_ROOT: Final = Path(__file__).resolve().parent.parent.parent
_MAX_BYTES: Final = 8192
# A target tells itself when an input takes too long; this is for one that never ends.
_HANG_S: Final = 60
_COUNT: Final = re.compile(r"^#(\d+)\s+\w+\s+cov: (\d+)", re.MULTILINE)
_EXECUTED: Final = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)


class Round(NamedTuple):
    """What came of fuzzing one target; ``coverage`` in edges of the instrumented code."""

    target: str
    inputs: int
    seconds: float
    coverage: int
    kept: int
    is_clean: bool


def main() -> int:
    """Fuzz, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--minutes", type=float, default=2.0, help="for each target")
    parser.add_argument("--corpus", type=Path, default=_ROOT / ".fuzz", help="where it is kept")
    options = parser.parse_args()
    if unknown := set(options.targets) - set(TARGETS):
        parser.error(f"no target {', '.join(sorted(unknown))}: there are {', '.join(TARGETS)}")
    if find_spec("atheris") is None:
        parser.error("atheris is not installed: pip install 'claimstream[fuzz]'")
    rounds = []
    for target in options.targets or TARGETS:
        rounds.append(_fuzz(target, options.minutes * 60, options.corpus))
        _print(rounds[-1])
    sys.stdout.write(f"{sum(one.inputs for one in rounds):,} inputs in all\n")
    return 0 if all(one.is_clean for one in rounds) else 1


def _fuzz(target: str, seconds: float, corpus: Path) -> Round:
    """Fuzz one target in a process of its own, which libFuzzer takes over."""
    own, found = corpus / target, corpus / "found"
    for folder in (own, found):
        folder.mkdir(parents=True, exist_ok=True)
    words = corpus / "words.dict"
    words.write_text(dictionary(), encoding="ascii")
    command = [
        *(sys.executable, "-m", "tests.fuzz.child", target),
        *(f"-max_total_time={seconds:.0f}", f"-max_len={_MAX_BYTES}", f"-timeout={_HANG_S}"),
        *(f"-artifact_prefix={found}/{target}-", f"-dict={words}"),
        *("-print_final_stats=1", "-rss_limit_mb=4096", str(own)),
        *map(str, samples(target)),
    ]
    started = time.monotonic()
    with (corpus / f"{target}.log").open("w+", encoding="utf-8", errors="replace") as log:
        code = subprocess.run(command, stdout=log, stderr=log, check=False, cwd=_ROOT).returncode
        log.seek(0)
        said = log.read()
    if code:
        sys.stderr.write(said[-4000:])
    counted = [(int(count), int(edges)) for count, edges in _COUNT.findall(said)]
    executed = _EXECUTED.search(said)
    return Round(
        target,
        int(executed[1]) if executed else max((count for count, _ in counted), default=0),
        time.monotonic() - started,
        max((edges for _, edges in counted), default=0),
        sum(1 for _ in own.iterdir()),
        code == 0,
    )


def _print(one: Round) -> None:
    verdict = "nothing found" if one.is_clean else "FOUND SOMETHING"
    sys.stdout.write(
        f"{one.target:14} {one.inputs:>10,} inputs in {one.seconds:6.0f} s, "
        f"{one.coverage:>6,} edges covered, {one.kept:>5,} inputs kept: {verdict}\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
