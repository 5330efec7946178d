"""Reads XML that may be hostile: no entities, nothing from elsewhere, bounded in size and depth."""

from __future__ import annotations

from typing import Any, Final

from lxml.etree import Entity, QName, XMLParser, XMLSyntaxError, fromstring

from service.feeds.items import FeedError

# Whole feeds have a few; an element takes some hundred bytes of memory.
MAX_BYTES: Final = 32 * 1024 * 1024


def parse_xml(content: bytes) -> Any:
    """Read a document, in the encoding that it declares.

    Returns:
        Its root element, without comments and processing instructions.

    Raises:
        FeedError: it is not well-formed, too large or too deep, or has entities of its own.
    """
    if len(content) > MAX_BYTES:
        raise FeedError(f"more than {MAX_BYTES // 2**20} MiB of XML")
    # huge_tree=False keeps libxml2's bounds: depth 256, texts of 10 MB, growth by entities.
    parser = XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        # Blank lines before the declaration are a common slip.
        root = fromstring(content.lstrip(b" \t\r\n"), parser)
    except XMLSyntaxError as error:
        raise FeedError(f"not well-formed XML: {' '.join(str(error.msg).split())}") from error
    declared = root.getroottree().docinfo.internalDTD
    if declared is not None and declared.entities():
        raise FeedError("the XML declares entities, which are not read: they can hide anything")
    for entity in root.iter(Entity):
        raise FeedError(f"the XML has an entity that is not XML's own: {entity.text}")
    return root


def local_name(element: Any) -> str:
    """An element's name without its namespace."""
    return str(QName(element).localname)
