"""Our commands as an operator runs them: processes of their own, told by environment variables."""

from __future__ import annotations

import os
import subprocess
import sys

from service.settings import Settings
from tests.workers import environment

# A loaded machine takes long to start a process.
_PATIENCE_S = 120.0


def run(settings: Settings, *command: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end.

    Args:
        settings: what differs from the defaults goes into its environment.
        command: its name and arguments.
        extra: further environment variables, whole names.
    """
    return subprocess.run(
        [sys.executable, "-m", "service", *command],
        env=os.environ | environment(settings) | extra,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
