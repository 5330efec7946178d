"""What an HTML page says about itself."""

import json
from typing import Any

import pytest

from service.feeds.pages import read_page
from tests.feeds.samples import sample

STORY = "<p>The old orchard will not be built over, the county decided after a year of protest.</p>"


def page(head: str = "", *data: Any) -> str:
    """A page with this in its head."""
    scripts = "".join(
        f"<script type='application/ld+json'>{one if isinstance(one, str) else json.dumps(one)}"
        "</script>"
        for one in data
    )
    return f"<html><head>{head}{scripts}</head><body><article>{STORY}</article></body></html>"


def test_a_page_of_a_newspaper() -> None:
    """Title, time, publisher, address and author; the page itself stays as it came."""
    markup = sample("page.html").decode()
    item = read_page(markup)
    assert item.html == markup
    assert item.title == "Orchard saved"
    assert item.published_at == "2026-11-22T19:45:00Z"
    assert item.publisher == "Valley News Ltd"
    assert item.url == "https://valley.example/orchard"
    assert item.author == "Ann Vale"


def test_a_page_with_meta_elements_only() -> None:
    """Without JSON-LD the day, the site's name and the canonical address are there."""
    item = read_page(
        page(
            "<title>Orchard saved</title><meta property='og:site_name' content='Valley News'>"
            "<meta property='article:published_time' content='2026-11-22T19:45:00Z'>"
            "<link rel='canonical' href='https://valley.example/orchard'>"
        )
    )
    assert item.title == "Orchard saved"
    assert item.published_at == "2026-11-22"
    assert item.publisher == "Valley News"
    assert item.url == "https://valley.example/orchard"


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ("2026-11-22T19:45:00Z", "2026-11-22T19:45:00Z"),
        ("2026-11-22T19:45", "2026-11-22"),
        ("soon", None),
    ],
)
def test_the_time_in_the_data(told: str, wanted: str | None) -> None:
    """A time with its zone is better than a day, and no time at all is none."""
    item = read_page(page("", {"@type": "NewsArticle", "datePublished": told}))
    assert item.published_at == wanted


@pytest.mark.parametrize("broken", ["{", "[1, 2", '"a"', "[" * 100_000, "null", "{}"])
def test_broken_data_is_as_good_as_absent(broken: str) -> None:
    """What cannot be read does not keep the next piece of data from being read."""
    good = {"@type": "NewsArticle", "publisher": {"name": "Valley News"}}
    assert read_page(page("", broken, good)).publisher == "Valley News"


@pytest.mark.parametrize("markup", ["", "<html></html>", "<div>" * 300])
def test_a_page_unfit_to_read_is_passed_on(markup: str) -> None:
    """Labelling tells what is wrong with it: here only the page itself is known."""
    assert read_page(markup)._asdict() == {**dict.fromkeys(read_page("")._fields), "html": markup}
