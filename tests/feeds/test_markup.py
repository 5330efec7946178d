"""Hostile XML: nothing is expanded, nothing is fetched, nothing is read from this machine."""

import socket
import time
from pathlib import Path

import pytest

from service.feeds.items import FeedError
from service.feeds.markup import MAX_BYTES, parse_xml

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (f'<!DOCTYPE rss [<!ENTITY l0 "ha">{LAUGHS}]><rss>&l11;</rss>', "entit"),
        (f'<!DOCTYPE rss [<!ENTITY l0 "ha">{LAUGHS}]><rss a="&l11;"/>', "entit"),
        ('<!DOCTYPE rss [<!ENTITY a "&b;"><!ENTITY b "&a;">]><rss>&a;</rss>', "entit"),
        (f'<!DOCTYPE rss [<!ENTITY big "{"x" * 50_000}">]><rss>{"&big;" * 5000}</rss>', "entit"),
        ('<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/hostname">]><rss>&x;</rss>', "entit"),
        ('<!DOCTYPE rss [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]><rss>&x;</rss>', "entit"),
        ('<!DOCTYPE rss [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]><rss/>', "entit"),
        ('<!DOCTYPE rss SYSTEM "http://127.0.0.1:9/x.dtd"><rss>&eacute;</rss>', "&eacute;"),
        ("<rss>&nbsp;</rss>", "not well-formed"),
        ("<rss>" * 300 + "</rss>" * 300, "not well-formed"),
        (f"<rss>{'x' * 11_000_000}</rss>", "not well-formed"),
        ("<rss><channel></rss>", "not well-formed"),
        ("<?xml version='1.0' encoding='no-such'?><rss/>", "not well-formed"),
        ("", "not well-formed"),
        ("<rss>\0</rss>", "not well-formed"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)
def test_hostile_documents_are_refused(
    document: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bombs, foreign files, addresses and endless nesting: one line says why, and soon."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    started = time.process_time()
    with pytest.raises(FeedError, match=reason) as caught:
        parse_xml(document.encode())
    assert "\n" not in str(caught.value)
    assert time.process_time() - started < 5


def test_a_foreign_file_is_not_read(tmp_path: Path) -> None:
    """Neither as an entity nor by XInclude does the text of a file get into the tree."""
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret", encoding="utf-8")
    include = f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{secret}" parse="text"/>'
    root = parse_xml(f"<rss>{include}</rss>".encode())
    assert "the secret" not in "".join(root.itertext())
    entity = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{secret.as_uri()}">]><rss>&x;</rss>'
    with pytest.raises(FeedError, match="entities"):
        parse_xml(entity.encode())


def test_size_is_bounded() -> None:
    """More than the bound is refused before it is read."""
    with pytest.raises(FeedError, match="more than 32 MiB"):
        parse_xml(b"<rss>" + b" " * MAX_BYTES + b"</rss>")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_declared_encodings_are_read(encoding: str) -> None:
    """Feeds come in their own encodings."""
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    document = f"<?xml version='1.0' encoding='{declared}'?><rss>Rønne é</rss>"
    assert parse_xml(document.encode(encoding)).text == "Rønne é"


def test_harmless_oddities() -> None:
    """Blank lines before the declaration, an old document type, comments within a text."""
    document = (
        b"\n\n<?xml version='1.0'?><!DOCTYPE rss PUBLIC '-//Netscape//DTD RSS 0.91//EN' "
        b"'http://127.0.0.1:9/rss.dtd'><rss>a<!-- b -->c<?d e?>f</rss>"
    )
    assert parse_xml(document).text == "acf"
