"""What `tests.test_forked` runs: it tells its environment, and waits or ends."""

import os
import sys
import time

if __name__ == "__main__":
    print(sorted(os.environ.keys() - {"LC_CTYPE"}), flush=True)  # noqa: T201 - for the log
    if "WAITS" in os.environ:
        time.sleep(600)
    sys.exit(int(os.environ["CODE"]))
