"""Headers on every answer, strangers refused, errors in plain words."""

import asyncio
from typing import Any

import pytest

from service.viewer import reading
from service.viewer.protection import HEADERS, is_local, is_loopback
from tests.viewer.samples import labelled
from tests.viewer.site import Site, visit

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_the_policy_is_strict() -> None:
    """Nothing but our own scripts and styles, nothing inline, no frames, no other forms."""
    policy = dict(part.split(" ", 1) for part in HEADERS["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/articles/a", 200),
        ("GET", "/articles/a/export.csv", 200),
        ("GET", "/articles/none", 404),
        ("GET", "/sources", 200),
        ("GET", "/label", 200),
        ("POST", "/label", 415),
        ("POST", "/", 405),
        ("GET", "/static/viewer.css", 200),
        ("GET", "/static/viewer.js", 200),
        ("GET", "/static/none", 404),
        ("GET", "/healthz", 200),
        ("GET", "/events", 200),
        ("GET", "/nothing", 404),
        ("PATCH", "/", 405),
    ],
)
def test_every_answer_has_the_headers(method: str, path: str, status: int) -> None:
    """Pages, files, copies, streams and errors."""

    async def use(site: Site) -> None:
        async with site.client.request(method, path) as answer:
            assert answer.status == status
            for name, value in HEADERS.items():
                if name != "Cache-Control":
                    assert answer.headers[name] == value
            assert "no-" in answer.headers["Cache-Control"]
            assert "aiohttp" not in answer.headers["Server"].lower()

    visit(use, labelled("a"))


def test_scripts_and_styles_have_their_types() -> None:
    """With nosniff a browser takes nothing else; a second visit needs no second copy."""

    async def use(site: Site) -> None:
        for name, kinds in (
            ("viewer.js", {"text/javascript", "application/javascript"}),
            ("keys.js", {"text/javascript", "application/javascript"}),
            ("viewer.css", {"text/css"}),
            ("icon.svg", {"image/svg+xml"}),
        ):
            async with site.client.get(f"/static/{name}") as answer:
                assert answer.content_type in kinds
                etag = answer.headers["ETag"]
            known = {"If-None-Match": etag}
            async with site.client.get(f"/static/{name}", headers=known) as answer:
                assert answer.status == 304

    visit(use)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8080", 200),
        ("localhost", 200),
        ("[::1]:80", 200),
        ("rebound.example.com", 403),
        ("localhost.example.com:8080", 403),
        ("[::", 403),
        ("", 403),
    ],
)
def test_names_that_point_here_from_outside_are_refused(host: str, status: int) -> None:
    """A site whose name was pointed to the loopback address reads nothing."""

    async def use(site: Site) -> None:
        async with site.client.get("/", headers={"Host": host}) as answer:
            assert answer.status == status
            assert ("comes from elsewhere" in await answer.text()) == (status == 403)

    visit(use)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://example.com"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_forms_from_other_sites_are_refused(headers: dict[str, str], status: int) -> None:
    """Another site does not make a reader's browser label texts here."""

    async def use(site: Site) -> None:
        async with site.client.post(
            "/label", data="text=It+rained.", headers=FORM | headers, allow_redirects=False
        ) as answer:
            assert answer.status == status

    visit(use)


def test_our_own_origin_is_not_another_site() -> None:
    """What the browser says of our own form is taken."""

    async def use(site: Site) -> None:
        origin = {"Origin": str(site.client.make_url("/")).rstrip("/")}
        async with site.client.post(
            "/label", data="text=It+rained.", headers=FORM | origin, allow_redirects=False
        ) as answer:
            assert answer.status == 303

    visit(use)


def test_a_page_that_fails_says_so_and_no_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 500 in plain words; neither the page nor the log quotes the article."""

    def fail(*_: Any) -> None:
        raise ValueError("secret words of an article")

    monkeypatch.setattr(reading, "speakers", fail)

    async def use(site: Site) -> None:
        page = await site.get("/articles/a", 500)
        assert "Something went wrong in the viewer" in page
        assert "secret" not in page
        assert "Articles" in await site.get("/")

    visit(use, labelled("a"))
    logged = "".join(capsys.readouterr())
    assert "ValueError" in logged
    assert "secret" not in logged


def test_the_methods_allowed_are_told() -> None:
    """With 405, as HTTP wants it."""

    async def use(site: Site) -> None:
        async with site.client.delete("/label") as answer:
            assert answer.status == 405
            assert {"GET", "POST"} <= set(answer.headers["Allow"].split(","))

    visit(use)


def test_nonsense_in_http_ends_nothing() -> None:
    """Bytes that are no request are refused, and the next one is answered."""

    async def use(site: Site) -> None:
        url = site.client.make_url("/")
        assert url.port is not None
        reader, writer = await asyncio.open_connection("127.0.0.1", url.port)
        writer.write(b"\x16\x03\x01 <script>\r\n\r\n")
        assert b"400" in (await reader.read())[:20]
        writer.close()
        await writer.wait_closed()
        await site.get("/")

    visit(use)


def test_what_counts_as_this_machine() -> None:
    """Addresses and localhost as a name; only the loopback as a place to listen."""
    assert is_local("192.168.1.7:80")
    assert not is_local("newsroom")
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")  # noqa: S104 - it is only asked about
    assert not is_loopback("newsroom")
