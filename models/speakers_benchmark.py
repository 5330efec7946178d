"""Measure who is found to speak where a claim names nobody: the rule of ``service.speakers``.

Run ``python -m models.speakers_benchmark DATA``, the folder that holds ``raw_articles.jsonl``.
Labels and spans are our annotators', so that only the rule is measured, not the model.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from models.training.corpora import OWN, TEXTS, texts
from service.blocks import has_break
from service.speakers import Told, nearby_speakers


def outcomes(record: dict[str, Any], text: str) -> Counter[str]:
    """How the claims of an article that name nobody come out, by kind of outcome."""
    rows = [row for row in record["sentences"] if not row[2].startswith("x")]
    told: list[Told] = []
    ends = [0, *(row[1] for row in rows)]
    for (start, end, label, *spans), before in zip(rows, ends, strict=False):
        source, cue = (*spans, None, None)[:2]
        told.append(
            Told(
                text[start:end],
                not told or has_break(text, before, start),
                label.startswith("a"),
                text[start + source[0] : start + source[1]] if source else None,
                has_cue=cue is not None,
            )
        )
    counts: Counter[str] = Counter()
    for row, sentence, speaker in zip(rows, told, nearby_speakers(told), strict=True):
        if sentence.is_claim and sentence.source is None:
            found = None if speaker is None else told[speaker].source
            counts[_outcome(_named(row, record, text), found)] += 1
    return counts


def _named(row: list[Any], record: dict[str, Any], text: str) -> str | None:
    """The phrase in another sentence that the annotator pointed to."""
    if len(row) <= 5 or not row[5]:  # noqa: PLR2004 - the row's sixth part, see models.training.corpora
        return None
    number, first, last = row[5]
    start = record["sentences"][number][0]
    return text[start + first : start + last]


def _outcome(wanted: str | None, found: str | None) -> str:
    if wanted is None or found is None:
        both = wanted is None and found is None
        return "rightly nobody" if both else "missed" if found is None else "invented"
    # *Lavrov* and *Foreign Minister Sergei Lavrov* are one.
    return "right" if wanted.split()[-1] == found.split()[-1] else "another"


def main(data: Path) -> None:
    """Print the counts, precision and recall."""
    known = texts(data / TEXTS)
    counts: Counter[str] = Counter()
    with (OWN / "annotations.jsonl").open(encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            counts += outcomes(record, known[record["text_sha256"]])
    found = counts["right"] + counts["another"] + counts["invented"]
    named = counts["right"] + counts["another"] + counts["missed"]
    print(*(f"{name} {count}" for name, count in counts.most_common()), sep=", ")
    print(f"precision {counts['right'] / found:.3f}, recall {counts['right'] / named:.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
