"""Two worker processes with a cheap labeller under one parent: ``python -m tests.cheap_processes``.

Settings come from the environment, as for `tests.cheap_worker`.
"""

import sys

from service.processes import run_processes
from service.settings import Settings

if __name__ == "__main__":
    sys.exit(run_processes(Settings(), 2, [sys.executable, "-m", "tests.cheap_worker"]))
