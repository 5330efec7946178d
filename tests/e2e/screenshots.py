"""Takes the README's pictures of the viewer: the seeds, labelled by the released model.

``python -m tests.e2e.screenshots`` writes them into ``deploy/screenshots``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from service.cli.edge import load_labeller
from service.contracts import LabelledArticle
from service.decoding import decode
from service.files import list_files, read_records
from service.pipeline import Labeller, article_text, label_article
from service.settings import Settings
from tests.e2e.browser import end_browser, open_page, run
from tests.viewer.site import arrival, open_site

ROOT: Final = Path(__file__).resolve().parent.parent.parent
FOLDER: Final = ROOT / "deploy" / "screenshots"
DESK: Final = {"width": 1280, "height": 1000}
PHONE: Final = {"width": 390, "height": 800}


class Picture(NamedTuple):
    """A picture: its name, the page, and what the browser is like.

    Attributes:
        name: of the file.
        path: of the page.
        hover: what the pointer is over.
        options: those of `open_page`.
    """

    name: str
    path: str
    hover: str | None = None
    options: Mapping[str, Any] = MappingProxyType({})


RATES: Final = "/articles/seed-rates"
PICTURES: Final = (
    Picture("viewer", RATES, "#s2 .words"),
    Picture("viewer-dark", "/articles/seed-eels", "#s4 .words", {"color_scheme": "dark"}),
    Picture("viewer-who-says-what", "/sources"),
    Picture("viewer-phone", RATES, None, {"viewport": PHONE, "device_scale_factor": 1.5}),
)

Labelled = Sequence[tuple[LabelledArticle, str]]


def labelled_seeds(labeller: Labeller) -> Labelled:
    """The seeds, labelled, each with its text."""
    records = (record for path in list_files([ROOT / "seeds"]) for record in read_records(path))
    articles = [decode(record.value) for record in records]
    return [(label_article(article, labeller), article_text(article)[0]) for article in articles]


def take(pictures: Sequence[Picture], articles: Labelled, labeller: Labeller, folder: Path) -> None:
    """Take pictures of the pages that show these articles."""

    async def use() -> None:
        async with open_site(labeller=labeller) as site:
            for article, text in articles:
                await site.live.apply(arrival(article))
                site.live.store.complete(site.live.store.newest_first()[0], text)
            address = str(site.client.make_url(""))
            for picture in pictures:
                options = {"viewport": DESK, **picture.options}
                async with open_page(address, **options) as page:
                    await page.goto(picture.path)
                    await page.wait_for_selector(".status[data-kind=live]")
                    if picture.hover:
                        await page.locator(picture.hover).hover()
                    await page.screenshot(path=folder / f"{picture.name}.png")

    run(use())


if __name__ == "__main__":
    released = load_labeller(Settings())
    take(PICTURES, labelled_seeds(released), released, FOLDER)
    end_browser()
