"""What happened in a campaign: every record published, every outcome seen, every event.

It is written as it comes, as JSON lines in a folder, so that a failure can be looked at afterwards.
Times are seconds since the campaign began.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, Literal, NamedTuple, Self

Place = tuple[int, int]  # partition and offset in the articles topic
Outcome = Literal["labelled", "tombstone", "dead_letter"]


class Published(NamedTuple):
    """A record of the articles topic, and what must become of it."""

    time_s: float
    partition: int
    offset: int
    key: str | None
    digest: str | None  # of the value
    outcome: Outcome
    out_key: str | None  # of what must come out
    out_digest: str | None

    @property
    def place(self) -> Place:
        """Where it is."""
        return self.partition, self.offset


class Seen(NamedTuple):
    """An outcome, in the order in which its partition has it."""

    time_s: float
    outcome: Outcome
    partition: int  # of the topic that it was found in
    offset: int
    key: str | None
    digest: str | None  # of the value
    headers: str  # digest of names and values of all headers
    source: Place | None  # None: it names none

    @property
    def content(self) -> tuple[object, ...]:
        """What must be the same when it comes again."""
        return self.outcome, self.partition, self.key, self.digest, self.headers


class Committed(NamedTuple):
    """The group's committed offset of a partition, as it was seen."""

    time_s: float
    partition: int
    offset: int


class Event(NamedTuple):
    """A fault, its end, or what the processes did."""

    time_s: float
    name: str
    is_fault: bool
    details: dict[str, Any]


Entry = Published | Seen | Committed | Event
_FILES: Final[dict[type[Entry], str]] = {
    Published: "published.jsonl",
    Seen: "seen.jsonl",
    Committed: "committed.jsonl",
    Event: "events.jsonl",
}


@dataclass
class History:
    """All of it, each kind in the order in which it came."""

    published: list[Published] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    committed: list[Committed] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def add(self, entries: Iterable[Entry]) -> None:
        """Add what has just come."""
        for entry in entries:
            match entry:
                case Published():
                    self.published.append(entry)
                case Seen():
                    self.seen.append(entry)
                case Committed():
                    self.committed.append(entry)
                case Event():
                    self.events.append(entry)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what a `Recorder` has written to a folder."""
        history = cls()
        for kind, name in _FILES.items():
            for line in (folder / name).read_text(encoding="utf-8").splitlines():
                values = json.loads(line)
                if kind is Seen and values[-1] is not None:
                    values[-1] = tuple(values[-1])
                history.add([kind(*values)])
        return history


class Recorder:
    """Keeps a history, and writes it to a folder as it comes."""

    def __init__(self, folder: Path) -> None:
        """Begin with nothing."""
        folder.mkdir(parents=True, exist_ok=True)
        self.history = History()
        self._files: dict[type[Entry], IO[str]] = {
            kind: (folder / name).open("w", encoding="utf-8", buffering=1)  # a line at a time
            for kind, name in _FILES.items()
        }

    def add(self, entries: Iterable[Entry]) -> None:
        """Keep and write."""
        entries = list(entries)
        self.history.add(entries)
        for entry in entries:
            self._files[type(entry)].write(json.dumps(entry) + "\n")

    def close(self) -> None:
        """Write the rest."""
        for file in self._files.values():
            file.close()


def digest(value: bytes | None) -> str | None:
    """A short digest of a value; None of none."""
    return None if value is None else hashlib.blake2b(value, digest_size=12).hexdigest()


def digest_headers(headers: Iterable[tuple[str, bytes]]) -> str:
    """A digest of headers, names and values, in their order."""
    made = hashlib.blake2b(digest_size=12)
    for name, value in headers:
        for part in (name.encode("utf-8", "surrogateescape"), value or b""):
            made.update(len(part).to_bytes(4, "big") + part)
    return made.hexdigest()
