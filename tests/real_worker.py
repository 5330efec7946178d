"""A real worker process with the released model: ``python -m tests.real_worker``."""

import sys

from service.settings import Settings
from service.worker import run

if __name__ == "__main__":
    sys.exit(run(Settings()))
