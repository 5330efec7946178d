"""Makes the dashboards: ``python deploy/grafana/dashboards.py``, after a change of boards/.

Also after a change of deploy/runbook.md, for that is shown as a dashboard too.
"""
# ruff: noqa: INP001 - a script beside the files that it makes

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from boards.kafka import kafka
from boards.model import model
from boards.overview import overview
from boards.runbook import runbook
from boards.worker import worker
from grafana_foundation_sdk.cog.encoder import JSONEncoder

FOLDER: Final = Path(__file__).parent / "dashboards"
BOARDS: Final = (overview, worker, model, kafka, runbook)


def write(folder: Path) -> None:
    """Write every dashboard to a file of its own name."""
    for board in BOARDS:
        built = json.dumps(board().build(), cls=JSONEncoder, indent=2, ensure_ascii=False)
        (folder / f"{board.__name__}.json").write_text(built + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
