"""Packages of Node.js that tests use where somebody has put them; nothing is installed here."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parent.parent


def find_package(name: str) -> Path | None:
    """Find a package's folder, in the folders of NODE_PATH or in the project's own node_modules."""
    folders = [Path(part) for part in os.environ.get("NODE_PATH", "").split(os.pathsep) if part]
    for folder in (*folders, ROOT / "node_modules"):
        if (folder / name).is_dir():
            return folder / name
    return None
