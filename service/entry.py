"""Where the command ``claimstream`` begins."""

from __future__ import annotations

import os
import signal


def main() -> None:
    """Run the command line."""
    if os.getpid() == 1:
        # The first process of a container ignores what it has no handler for. From here on it does
        # not, though it takes a while to load the rest. It ends at once, as any other process
        # would: an exception gets lost where Python is importing.
        signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))
    from service.cli import main as run  # noqa: PLC0415 - the rest

    run()
