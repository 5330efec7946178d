"""An article that has a bit of everything, and the pages that it is shown on."""

from tests.viewer.samples import changed, labelled

LONG = "Donaudampfschifffahrtsgesellschaftskapitänswitwenrentenauszahlungsstelle" * 3
ARTICLE = changed(
    labelled(
        "a",
        "Anna Ortiz said interest rates would fall. The bank claimed interest rates would rise. "
        f"We should wait. It rained in {LONG}.\n\nRead more about rain",
        title=f"Rates and {LONG}",
        publisher=f"Desk {LONG}",
        url=f"https://example.com/{LONG}",
    ),
    2,
    uncertain=True,
)
PAGES = ("/", "/?q=rates&label=attributed_claim", "/articles/a", "/articles/a?label=fact",
         "/sources", "/label", "/articles/none")  # fmt: skip
MISSING = ("Failed to load resource: the server responded with a status of 404",)
