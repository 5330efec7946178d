"""Fixtures: an engine, and our image built by it, once for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.docker.engine import Engine, running_engine
from tests.docker.images import BUILT, base_image, build


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A Docker engine."""
    with running_engine(tmp_path_factory.mktemp("docker")) as running:
        yield running


@pytest.fixture(scope="session")
def image(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image that serves, built."""
    build(engine, base_image(engine, tmp_path_factory.mktemp("base")), "serve", BUILT)
    return BUILT
