"""The contracts now break no release of theirs, and none can be released that does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import service.schemas
from service.schemas import (
    VERSION,
    ReleaseError,
    breaks_since_releases,
    release,
    released,
    schemas,
    write,
)
from tests.schema_changes import READ

FOLDER = Path(__file__).parent.parent / "deploy" / "schemas"


def test_what_was_released_still_works() -> None:
    """Whoever keeps to a released version of this major one gets on with the schemas now."""
    assert breaks_since_releases(FOLDER) == []


def test_this_version_is_released() -> None:
    """A changed schema is another version, kept as it is: python -m service.schemas --release."""
    assert released(FOLDER)[VERSION] == schemas()


def test_readers_may_be_sent_more() -> None:
    """By the published schema a labelled article may have fields that it does not name."""
    more: dict[str, Any] = json.loads(json.dumps(READ))
    more["later"] = more["sentences"][0]["later"] = more["model"]["later"] = 1
    Draft202012Validator(schemas()["labelled-article.v1.json"]).validate(more)


def test_a_release_that_breaks_another_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It needs another major version; and a version that is out is never written again."""
    release(tmp_path)
    release(tmp_path)
    now = schemas()
    now["article.v1.json"]["required"].append("title")
    monkeypatch.setattr(service.schemas, "schemas", lambda: now)
    with pytest.raises(ReleaseError, match="raise VERSION"):
        release(tmp_path)
    monkeypatch.setattr(service.schemas, "VERSION", "1.1.0")
    with pytest.raises(ReleaseError, match=r"1\.0\.0: article\.v1\.json: title: now required"):
        release(tmp_path)
    monkeypatch.setattr(service.schemas, "VERSION", "2.0.0")
    release(tmp_path)
    assert list(released(tmp_path)) == ["1.0.0", "2.0.0"]


def test_written_files_hold_the_schemas(tmp_path: Path) -> None:
    """What is written reads back as the schemas."""
    write(tmp_path / "new")
    files = {file.name: json.loads(file.read_text()) for file in (tmp_path / "new").iterdir()}
    assert files == schemas()
