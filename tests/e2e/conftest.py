"""The browser ends with the tests."""

from collections.abc import Iterator

import pytest

from tests.e2e.browser import end_browser


@pytest.fixture(scope="session", autouse=True)
def _browser_ends() -> Iterator[None]:
    """End the browser that the tests share."""
    yield
    end_browser()
