"""The box to paste a text in."""

import asyncio
import io
import json
import threading
from collections.abc import Sequence
from urllib.parse import urlencode

import pytest

from service.pipeline import Prediction
from service.segmentation import Segment
from service.viewer.labelling import MAX_FORM_BYTES
from service.viewer.pasting import (
    MAX_PASTED,
    MAX_TEXT,
    BusyError,
    PasteBox,
    PasteError,
    label_pasted,
)
from tests.labellers import RuleLabeller
from tests.viewer.samples import BODY
from tests.viewer.site import Markup, Site, until, visit

PAGE = f"""<html><head><title>Rain at last</title></head><body><nav>Menu</nav><article>
<h1>Rain at last</h1><p>{BODY}</p><p>{BODY}</p></article></body></html>"""


class PatientLabeller(RuleLabeller):
    """Waits until it is told to go on."""

    def __init__(self) -> None:
        """Not yet."""
        self.go = threading.Event()

    def predict(self, text: str, segments: Sequence[Segment]) -> list[Prediction]:
        """Predict when told to."""
        assert self.go.wait(20)
        return super().predict(text, segments)


async def paste(site: Site, text: str) -> tuple[int, str, str]:
    """Send a text; the status, the address that one ends at, and the page."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    form = io.BytesIO(urlencode({"text": text}).encode())
    async with site.client.post("/label", data=form, headers=headers) as answer:
        return answer.status, answer.url.path, await answer.text()


def test_a_text_is_labelled_at_once() -> None:
    """The result has an address of its own, shows the true text, and can be taken along."""

    async def use(site: Site) -> None:
        status, path, page = await paste(site, f"{BODY}\r\n\r\nRead more about rain 😀")
        assert (status, path.startswith("/pasted/pasted-")) == (200, True)
        assert '<span class="source">Anna Ortiz</span>' in page
        assert "Read more about rain 😀" in page
        article = json.loads(await site.get(f"{path}/export.json"))
        assert article["counts"] == {"fact": 1, "attributed_claim": 2, "opinion": 1}
        assert f'href="{path}?source=Anna%20Ortiz"' in page

    visit(use)


def test_it_is_not_among_the_articles() -> None:
    """Nothing that is pasted is published or listed."""

    async def use(site: Site) -> None:
        await paste(site, BODY)
        assert "Nothing has arrived yet" in await site.get("/")
        assert len(site.live.store) == 0

    visit(use)


def test_pages_and_json_are_taken() -> None:
    """HTML by its main text and title, an article's JSON as it is."""

    async def use(site: Site) -> None:
        _, _, page = await paste(site, PAGE)
        assert "Rain at last" in Markup(page).words
        assert "Menu" not in Markup(page).words
        article = {"id": "my/own", "title": "Mine", "body": BODY}
        _, path, page = await paste(site, json.dumps(article))
        assert path == "/pasted/my/own"
        assert "<h1>Mine</h1>" in page

    visit(use)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the box was empty"),
        (" \n\t ", "the box was empty"),
        ("x " * (MAX_TEXT // 2 + 1), "100,000 at most"),
        ("<html><body><nav><a href=/>Home</a></nav></body></html>", "has no main text"),
        ('{"id": "a"}', "body or html is required"),
        ('{"id": "a", "body"', "cannot be labelled"),
        ('[{"id": "a", "body": "x"}, {"id": "b", "body": "y"}]', "2 articles were pasted"),
    ],
)
def test_what_cannot_be_labelled_is_said_in_plain_words(text: str, words: str) -> None:
    """Status 422, the reason, and what was pasted still in the box."""

    async def use(site: Site) -> None:
        status, path, page = await paste(site, text)
        assert (status, path) == (422, "/label")
        markup = Markup(page)
        assert words in markup.words
        assert text.strip()[:100] in markup.words
        assert "Traceback" not in page

    visit(use)


def test_markup_that_was_pasted_is_words() -> None:
    """Also where it comes back in the box."""

    async def use(site: Site) -> None:
        evil = "</textarea><script>alert(1)</script>"
        _, _, page = await paste(site, f'{{"id": "{evil}"')
        assert len(Markup(page).all("script")) == 2
        _, _, page = await paste(site, f"{evil} said {evil} rained.")
        assert len(Markup(page).all("script")) == 2

    visit(use)


def test_too_much_is_refused() -> None:
    """Before it is read to its end, with a page that says so."""

    async def use(site: Site) -> None:
        status, _, page = await paste(site, "x" * MAX_FORM_BYTES)
        assert status == 413
        assert "larger than the box takes" in page

    visit(use)
    with pytest.raises(PasteError, match="Too long"):
        label_pasted("x" * (MAX_PASTED + 1), RuleLabeller())


@pytest.mark.parametrize("body", [b"text=%ff%fe rain", b"text=\xff\xfe rain", b"&&&=&text=rain;"])
def test_odd_bytes_are_no_error(body: bytes) -> None:
    """What is not UTF-8 is shown as replaced."""

    async def use(site: Site) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=nonsense"}
        async with site.client.post("/label", data=body, headers=headers) as answer:
            assert answer.status == 200
            assert "rain" in await answer.text()

    visit(use)


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "text/plain", ""])
def test_only_its_own_form_is_taken(kind: str) -> None:
    """Nothing else is even read."""

    async def use(site: Site) -> None:
        async with site.client.post(
            "/label", data=b"text=rain", headers={"Content-Type": kind}
        ) as answer:
            assert answer.status == 415

    visit(use)


def test_without_a_labeller_there_is_no_box() -> None:
    """Neither the page nor a link to it."""

    async def use(site: Site) -> None:
        assert 'href="/label"' not in await site.get("/")
        await site.get("/label", 404)
        await site.get("/pasted/a", 404)

    visit(use, labeller=None)


def test_results_go_and_that_is_said() -> None:
    """An address whose result is gone says what to do."""

    async def use(site: Site) -> None:
        assert "paste the text again" in await site.get("/pasted/pasted-0123", 404)

    visit(use)


def test_texts_wait_their_turn_but_not_too_many() -> None:
    """One at a time in a thread of its own: pages are still answered, and a crowd is refused."""
    labeller = PatientLabeller()

    async def use(site: Site) -> None:
        waiting = [asyncio.create_task(paste(site, f"It rained {n} times.")) for n in range(4)]
        await until(lambda: site.box is not None and site.box.waiting == 4)
        await site.get("/")
        status, _, page = await paste(site, "It rained 5 times.")
        assert status == 503
        assert "try again" in page
        labeller.go.set()
        assert [answer[0] for answer in await asyncio.gather(*waiting)] == [200] * 4
        assert (await paste(site, "It rained 5 times."))[0] == 200

    visit(use, labeller=labeller)


def test_a_reader_who_leaves_leaves_no_error() -> None:
    """The turn is given back when the work is done; what waits at the end is forgotten."""
    labeller = PatientLabeller()

    async def run() -> None:
        box = PasteBox(labeller)
        first, second = (asyncio.create_task(box.label(f"It rained {n} times.")) for n in (1, 2))
        await asyncio.sleep(0.05)
        assert box.waiting == 2
        first.cancel()
        await asyncio.wait({first})
        assert box.waiting == 2
        box.close()
        labeller.go.set()
        await asyncio.wait({second})
        assert second.cancelled()
        await until(lambda: not box.waiting)

    asyncio.run(run())


def test_the_number_of_those_who_wait_is_bounded() -> None:
    """The fifth is told at once."""
    labeller = PatientLabeller()

    async def run() -> None:
        box = PasteBox(labeller)
        tasks = [asyncio.create_task(box.label(f"It rained {n} times.")) for n in range(4)]
        await asyncio.sleep(0.05)
        with pytest.raises(BusyError):
            await box.label("It rained.")
        labeller.go.set()
        await asyncio.gather(*tasks)
        box.close()

    asyncio.run(run())
