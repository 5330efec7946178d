"""A real worker that looks at its event loop a hundred times a second.

``python -m tests.reliability.ticking_worker``: in production a timer twice a second is enough; to
see every time that the loop is blocked it takes more.
"""

import sys

from service import vitals
from service.settings import Settings
from service.worker import run

if __name__ == "__main__":
    vitals._TICK_S = 0.01  # type: ignore[misc]  # noqa: SLF001 - what this is for
    sys.exit(run(Settings()))
