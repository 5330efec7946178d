"""Writes the contracts' JSON Schemas (2020-12): ``python -m service.schemas FOLDER [--release]``.

With ``--release`` they are also kept under ``released/VERSION``, as what producers and readers may
rely on from then on. deploy/contracts.md says when the version changes, and how.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from service.compatibility import Direction, breaks
from service.contracts import Article, LabelledArticle

# Of the contracts, not of the program. Raise it with every change of a schema.
VERSION: Final = "1.0.0"

# Which way each contract goes decides what breaks it.
DIRECTIONS: Final[dict[str, Direction]] = {
    "article.v1.json": "input",
    "labelled-article.v1.json": "output",
}
RELEASED: Final = "released"

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Schemas = dict[str, dict[str, Any]]  # by file name


class ReleaseError(Exception):
    """The schemas cannot be released as this version; the message says why, a line a fault."""


def schemas() -> Schemas:
    """The schema of each contract, by file name.

    Nothing of ours puts a field into a labelled article that its model does not know. Its schema
    allows it all the same: readers check with it what a later version, with more fields, sends.
    """
    labelled = LabelledArticle.model_json_schema(mode="serialization")
    return {
        "article.v1.json": {"$schema": _DIALECT, **Article.model_json_schema()},
        "labelled-article.v1.json": {"$schema": _DIALECT, **_opened(labelled)},
    }


def released(folder: Path) -> dict[str, Schemas]:
    """The schemas of each released version, by version."""
    return {
        version.name: {
            file.name: json.loads(file.read_text(encoding="utf-8"))
            for file in sorted(version.glob("*.json"))
        }
        for version in sorted((folder / RELEASED).iterdir())
    }


def write(folder: Path) -> None:
    """Write every schema into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (folder / name).write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")


def release(folder: Path) -> None:
    """Keep the schemas as those of VERSION.

    Raises:
        ReleaseError: VERSION was released with others, or they break an earlier release of the
            same major version.
    """
    target = folder / RELEASED / VERSION
    if target.exists():
        if released(folder)[VERSION] != schemas():
            raise ReleaseError(f"{VERSION} was released with other schemas: raise VERSION")
        return
    if target.parent.exists() and (faults := breaks_since_releases(folder)):
        raise ReleaseError("\n".join(faults))
    write(target)


def breaks_since_releases(folder: Path) -> list[str]:
    """What works with a released version of the same major one, and not with the schemas now."""
    now = schemas()
    return [
        f"{version}: {name}: {fault}"
        for version, then in released(folder).items()
        if version.partition(".")[0] == VERSION.partition(".")[0]
        for name, schema in then.items()
        for fault in breaks(schema, now[name], DIRECTIONS[name])
    ]


def _opened(schema: Any) -> Any:
    """The same schema with fields allowed that it does not name."""
    if isinstance(schema, list):
        return [_opened(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _opened(part)
        for name, part in schema.items()
        if (name, part) != ("additionalProperties", False)
    }


if __name__ == "__main__":
    _folder = Path(sys.argv[1])
    write(_folder)
    if sys.argv[2:] == ["--release"]:
        try:
            release(_folder)
        except ReleaseError as error:
            sys.exit(str(error))
