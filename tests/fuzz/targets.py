"""What is fuzzed: each target takes any bytes, and fails where a promise is broken.

Inputs are plain files of what each step reads, so that samples of it are a corpus as they are.
"""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any, Final

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from service.contracts import Article
from service.deadletters import dead_letter_headers
from service.decoding import DecodeError, decode
from service.extraction import ExtractionError, extract
from service.feeds.detect import is_json_feed, is_xml_feed, read_json, read_xml
from service.feeds.items import FeedError, Item, record_of
from service.feeds.pages import read_page
from service.header_names import take_any_name
from service.headers import labelled_headers, tombstone_headers
from service.outcomes import Failure, Labelled, Outcome, StageClock, Tombstone, process
from service.pipeline import assemble, label_article
from service.records import Headers, SourceRecord
from service.segmentation import segment
from tests.fuzz import promises
from tests.fuzz.network import noise_labeller
from tests.labellers import RuleLabeller

# A second for each 10 KB, and three to begin with: a garbage collection may fall into any input,
# and takes half a second of a process that has loaded much.
_SECONDS: Final = 3.0
_SECONDS_PER_BYTE: Final = 1e-4
# A batch of records (version 2): where it has its checksum, and from where that is taken.
_CHECKSUM_AT, _CHECKED_FROM = 17, 21
# What a pattern is repeated to.
_REPEATED: Final = 50_000
_PATTERN: Final = 64


def decoding(data: bytes) -> None:
    """A record's value is an article, which reads back the same, or a data error in one line."""
    try:
        article = decode(data)
    except DecodeError as error:
        assert str(error)
        assert str(error).isprintable()
        return
    assert isinstance(article, Article)
    assert decode(article.model_dump_json().encode()) == article


def text(data: bytes) -> None:
    """Any text goes the whole pure way, and its value keeps every promise; twice the same."""
    body = data.decode("utf-8", "ignore")
    article = Article(id="a", body=body)
    labelled = label_article(article, noise_labeller())
    promises.check(article, body, labelled)
    assert label_article(article, noise_labeller()).to_json() == labelled.to_json()


def division(data: bytes) -> None:
    """Segments are tight, in order, and lose nothing; with lone surrogates too."""
    body = data.decode("utf-8", "surrogateescape")
    at = 0
    for part in segment(body):
        assert at <= part.start < part.end
        assert not body[at : part.start].strip()
        assert body[part.start : part.end] == body[part.start : part.end].strip()
        at = part.end
    assert not body[at:].strip()


def page(data: bytes) -> None:
    """Any HTML is refused, or gives a text that goes the rest of the way."""
    html = data.decode("utf-8", "surrogateescape")
    try:
        body = extract(html).text
    except ExtractionError as error:
        assert str(error).isprintable()
        return
    assert body == body.strip()
    article, labeller, segments = Article(id="a", html=""), RuleLabeller(), segment(body)
    predictions = labeller.predict(body, segments)
    labelled = assemble(article, body, segments, predictions, labeller.model, extracted=True)
    promises.check(article, body, labelled)
    assert labelled.text == body


def feed(data: bytes) -> None:
    """A feed of any format is refused, or its items become articles that can be decoded."""
    with suppress(FeedError, ExtractionError):
        for item in _items(data):
            _check_item(item)


def page_data(data: bytes) -> None:
    """What a page says of itself makes an article that can be decoded."""
    _check_item(read_page(data.decode("utf-8", "surrogateescape")))


def record(data: bytes) -> None:
    """A record of any value, time and headers has an outcome, and headers that can be sent."""
    timestamp, size = struct.unpack_from(">qB", data.ljust(9, b"\0"))
    name, value = data[9 : 9 + size], data[9 + size :]
    written = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    stand_in = "~" * len(name)
    headers = [(stand_in, b"v"), ("traceparent", None)]
    # aiokafka encodes names itself, so another of the same length is put in its place.
    written.append(0, max(-1, timestamp), b"k", value or None, headers)
    batch = bytearray(written.build())
    at = batch.rindex(stand_in.encode())
    batch[at : at + len(name)] = name
    batch[_CHECKSUM_AT:_CHECKED_FROM] = calc_crc32c(bytes(batch[_CHECKED_FROM:])).to_bytes(4, "big")
    read = _read(bytes(batch))
    message = SimpleNamespace(
        topic="t",
        partition=0,
        offset=read.offset,
        timestamp=read.timestamp / 1000,
        key=read.key,
        value=read.value,
        headers=read.headers,
    )
    source = SourceRecord.from_message(message)
    outcome = process(source, RuleLabeller(), StageClock())
    for name_, value_ in _headers(source, outcome):
        assert name_.encode().decode() == name_
        assert isinstance(value_, bytes)


def repeated_text(data: bytes) -> None:
    """A short pattern over and over is divided in a time that grows with its length only."""
    division(_repeat(data))


def repeated_page(data: bytes) -> None:
    """A short pattern over and over is read as a page in such a time, or refused."""
    with suppress(ExtractionError):
        extract(_repeat(data).decode("utf-8", "ignore"))


def repeated_feed(data: bytes) -> None:
    """A short pattern over and over in the item of a feed is read in such a time, or refused."""
    feed(b"<rss><channel><item>" + _repeat(data) + b"</item></channel></rss>")


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    target.__name__: target
    for target in (
        decoding,
        record,
        division,
        text,
        page,
        feed,
        page_data,
        repeated_text,
        repeated_page,
        repeated_feed,
    )
}


def timed(target: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """A target that fails, too, where an input takes longer than one of its size may."""
    is_repeated = target in {repeated_text, repeated_page, repeated_feed}

    def run(data: bytes) -> None:
        with limited(_REPEATED if is_repeated else len(data)):
            target(data)

    run.__name__ = target.__name__
    return run


@contextmanager
def limited(size: int) -> Iterator[None]:
    """Fail where the block takes more processor time than an input of so many bytes may.

    Raises:
        AssertionError: it took longer.
    """
    started = time.process_time()
    yield
    seconds = time.process_time() - started
    allowed = _SECONDS + size * _SECONDS_PER_BYTE
    assert seconds <= allowed, f"{seconds:.1f} s for {size} bytes: {allowed:.1f} s are allowed"


def _repeat(data: bytes) -> bytes:
    """The first bytes once, a pattern after them so often that it is long, and the rest once."""
    start, size = (data[0] % _PATTERN, 1 + data[1] % _PATTERN) if len(data) > 1 else (0, 1)
    content = data[2:]
    pattern = content[start : start + size] or b" "
    return content[:start] + pattern * (_REPEATED // len(pattern)) + content[start + size :]


def _items(data: bytes) -> Iterator[Item]:
    if is_xml_feed(data):
        yield from read_xml(data)
        return
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError):  # whoever reads files passes these on as they are
        return
    if is_json_feed(parsed):
        yield from read_json(parsed)


def _check_item(item: Item) -> None:
    value, fault = record_of(item)
    try:
        value.decode()
    except UnicodeDecodeError:  # JSON may hold half a character: then the record is a data error
        return
    assert fault or decode(value).id


def _headers(source: SourceRecord, outcome: Outcome) -> Headers:
    match outcome:
        case Labelled():
            return labelled_headers(source, outcome.labelled_id)
        case Tombstone():
            return tombstone_headers(source)
        case Failure():
            # Whatever is wrong with an article has a name.
            assert outcome.reason != "error", outcome
            return dead_letter_headers(source, outcome)


def _read(batch: bytes) -> Any:
    """The one record of a batch, as the worker's fetcher gets it."""
    usual = fetcher.MemoryRecords
    try:
        take_any_name()
        (read,) = fetcher.MemoryRecords(batch).next_batch()
    finally:
        fetcher.MemoryRecords = usual
    return read
