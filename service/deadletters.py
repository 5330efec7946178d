"""Dead letters: the record as it came, with headers that say where it was and what went wrong.

The names of the headers are Kafka Connect's, so that its tools understand them.
"""

from __future__ import annotations

from typing import Final

from service.outcomes import Failure
from service.records import Headers, SourceRecord

PREFIX: Final = "__connect.errors."

# Long enough for any message that helps, short enough to never matter to the record's size.
MAX_MESSAGE_CHARACTERS: Final = 500


def dead_letter_headers(record: SourceRecord, failure: Failure) -> Headers:
    """Headers of a dead letter: the record's own, then ours.

    A record that comes from a replay and fails again loses what the first failure said.
    """
    ours = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "stage": failure.stage,
        "exception.class.name": failure.class_name,
        "exception.message": one_line(failure.message),
        "attempts": str(failure.attempts),
    }
    kept = [(name, value) for name, value in record.headers if not name.startswith(PREFIX)]
    return kept + [(PREFIX + name, value.encode()) for name, value in ours.items()]


def one_line(message: str) -> str:
    """Make a message of any kind one short line of printable text."""
    printable = "".join(character if character.isprintable() else " " for character in message)
    line = " ".join(printable.split())
    if len(line) > MAX_MESSAGE_CHARACTERS:
        return line[: MAX_MESSAGE_CHARACTERS - 1] + "…"
    return line
