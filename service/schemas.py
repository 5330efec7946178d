"""Writes the contracts' JSON Schemas (2020-12): ``python -m service.schemas FOLDER``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from service.contracts import Article, LabelledArticle

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of each contract, by file name."""
    return {
        "article.v1.json": {"$schema": _DIALECT, **Article.model_json_schema()},
        "labelled-article.v1.json": {
            "$schema": _DIALECT,
            **LabelledArticle.model_json_schema(mode="serialization"),
        },
    }


def write(folder: Path) -> None:
    """Write every schema into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (folder / name).write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
