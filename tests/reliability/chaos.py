"""The fault campaign: ``python -m tests.reliability.chaos``, or ``make chaos``.

Three legs: faults of all kinds with a cheap labeller; orderly events only, after which nothing may
have come twice; and a few faults with the released model. The plan follows from the seed. The exit
code is 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from service.release import load
from service.settings import ModelSettings
from tests.labellers import RuleLabeller
from tests.reliability.campaign import WORKERS, Campaign, Leg, Result, seeds_of, surroundings
from tests.reliability.material import article, expecting, records
from tests.reliability.plan import (
    DISORDERLY,
    OF_THE_BROKER,
    OF_THE_NETWORK,
    ORDERLY,
    Kind,
    make_plan,
)
from tests.reliability.report import broken_promises, tell_result

# Of the time that faults are made, so much is left at the end for the rest of the stream.
_FEED_PART: Final = 0.95
_TRUTH_RECORDS: Final = 300
_TRUTH_FAULTS: Final = 5
_TRUTH_S: Final = 60.0
_TRUTH_KINDS: Final = (
    Kind("killed"),
    Kind("told to stop"),
    Kind("all connections cut"),
    Kind("paused for long", 9, 12),
    Kind("answers lost", 1, 2),
)

# What must not come twice must not fail because a machine is slow either.
PATIENT: Final = {
    "KAFKA__REQUEST_TIMEOUT_S": "30",
    "WORKER__STALL_S": "120",
    "WORKER__STOP_TIMEOUT_S": "120",
}

Tell = Callable[[str], None]


def disorder(seed: int, seconds: float, count: int, faults: int) -> Leg:
    """Faults of all kinds, whatever the others do."""
    of_plan, of_material = seeds_of(seed)
    every = [*DISORDERLY, *OF_THE_NETWORK, *OF_THE_BROKER, *ORDERLY]
    kinds, left_out = surroundings(every)
    return Leg(
        "faults of all kinds",
        make_plan(of_plan, kinds, faults, seconds, WORKERS),
        list(records(of_material, count)),
        expecting(RuleLabeller()),
        "tests.reliability.chaos_worker",
        feed_s=seconds * _FEED_PART,
        left_out=left_out,
    )


def order(seed: int, rounds: int) -> Leg:
    """Orderly events only, one after the other, under load."""
    of_plan, of_material = seeds_of(seed)
    # The last round of a stream that is slower than its rounds still has something to do.
    good = itertools.islice(_good(of_material), rounds * 200)
    return Leg(
        "orderly events only",
        make_plan(of_plan, ORDERLY, rounds, 1, WORKERS),
        list(good),
        expecting(RuleLabeller()),
        "tests.reliability.chaos_worker",
        feed_s=rounds * 8.0,
        extra=PATIENT,
        session_s=9.0,
        one_by_one=True,
    )


def truth(seed: int) -> Leg:
    """A few faults with the released model, whose outcomes must be what it gives here."""
    of_plan, of_material = seeds_of(seed)
    kinds, left_out = surroundings(_TRUTH_KINDS)
    return Leg(
        "the released model",
        make_plan(of_plan, kinds, _TRUTH_FAULTS, _TRUTH_S, WORKERS),
        list(itertools.islice(_good(of_material), _TRUTH_RECORDS)),
        expecting(load(ModelSettings(size="small"))),
        "tests.real_worker",
        feed_s=_TRUTH_S * _FEED_PART,
        extra={"MODEL__SIZE": "small"},
        left_out=left_out,
    )


def run(leg: Leg, folder: Path, tell: Tell) -> Result:
    """Run a leg, and tell what came of it."""
    tell(f"\n== {leg.name}: {len(leg.records)} records, {len(leg.plan)} faults; kept in {folder}")
    if leg.left_out:
        tell(f"left out: {leg.left_out}")
    for fault in leg.plan:
        tell(str(fault))
    result = asyncio.run(Campaign(leg, folder, tell).run())
    tell_result(result, tell)
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all legs, or those asked for; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=20.0, help="of faults of all kinds")
    parser.add_argument("--seed", type=int, default=None, help="drawn if not given")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--faults", type=int, default=0, help="10 a minute if not given")
    parser.add_argument("--rounds", type=int, default=20, help="of orderly events")
    parser.add_argument("--folder", type=Path, default=None, help="for history and logs")
    parser.add_argument(
        "--legs", nargs="+", choices=("faults", "orderly", "truth"), default=None, help="all"
    )
    given = parser.parse_args(arguments)
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    folder = given.folder or Path(tempfile.mkdtemp(prefix="chaos-"))
    faults = given.faults or max(1, round(given.minutes * 10.25))
    legs: dict[str, Callable[[], Leg]] = {
        "faults": lambda: disorder(seed, given.minutes * 60, given.records, faults),
        "orderly": lambda: order(seed, given.rounds),
        "truth": lambda: truth(seed),
    }
    _tell(f"seed {seed}: the same seed gives the same plan")
    begun = time.monotonic()
    broken = False
    for name in given.legs or legs:
        result = run(legs[name](), folder / name, _tell)
        broken |= bool(broken_promises(result))
    _tell(f"\n{'BROKEN' if broken else 'all promises kept'} in {time.monotonic() - begun:.0f} s")
    return int(broken)


def _good(seed: int) -> Sequence[tuple[bytes | None, bytes | None]]:
    drawn = random.Random(seed)
    return [
        article(number, f"article-{drawn.randrange(100)}", "The mayor spoke. We should go.")
        for number in range(20_000)
    ]


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
