"""Where the command ``claimstream`` begins."""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """Run the command line."""
    if os.getpid() == 1:
        # The first process of a container ignores what it has no handler for. From here on it does
        # not, though it takes a while to load the rest.
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    from service.cli import main as run  # noqa: PLC0415 - the rest

    run()
