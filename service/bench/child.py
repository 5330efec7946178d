"""The process that one variant runs in: ``python -m service.bench.child``.

It reads one line of JSON that says what to be, loads it, labels one sentence and answers; then it
answers each further line with one line, until its input ends. `service.bench.contenders` asks.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import IO, Any

from service.bench.contenders import PEAKS, WARM_UP
from service.settings import ModelSettings

Answer = Callable[[dict[str, Any]], dict[str, Any]]


def main() -> None:
    """Be what the first line says, and answer the others."""
    requests, answers = sys.stdin.buffer, _private_output()
    first = json.loads(requests.readline())
    ready, answer = _prepare(first["be"], ModelSettings.model_validate(first["model"]))
    _send(answers, ready)
    for line in requests:
        _send(answers, answer(json.loads(line)))


def _prepare(key: str, settings: ModelSettings) -> tuple[dict[str, Any], Answer]:
    """Load what is wanted: the first answer, and what gives the others."""
    if key == PEAKS:
        from service.bench.peak import measure_peaks  # noqa: PLC0415 - brings torch along

        return {}, lambda request: {"peaks": measure_peaks(request["seconds"])}

    from service.bench.variants import build  # noqa: PLC0415 - a part of the start-up time

    variant = build(key, settings)
    variant.label([WARM_UP])
    # This clock is the system's: the one who started this process compares it with his own.
    first_label_at = time.monotonic()

    def label(request: dict[str, Any]) -> dict[str, Any]:
        start = time.perf_counter()
        labels = variant.label(request["texts"])
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "labels": labels, "resident_mb": _resident_mb()}

    ready = {"name": variant.name, "numbers": variant.numbers, "first_label_at": first_label_at}
    return ready, label


def _private_output() -> IO[bytes]:
    """Standard output for our answers alone: what libraries print goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _send(answers: IO[bytes], answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


def _resident_mb() -> float | None:
    """Memory of this process in use right now, in MB; None where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - no path is kept
            pages = int(file.read().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
