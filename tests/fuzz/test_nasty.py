"""The nasty inputs that are kept go the whole pure way, in order and in time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from service.contracts import Article
from service.extraction import ExtractionError, extract
from service.pipeline import label_article
from tests.fuzz import promises
from tests.fuzz.nasty import FOLDER, TARGETS_OF, dictionary, samples
from tests.fuzz.network import noise_labeller
from tests.fuzz.targets import TARGETS, limited, timed

FILES = sorted(path for path in FOLDER.rglob("*") if path.is_file())
CASES = [
    pytest.param(path, target, id=f"{path.relative_to(FOLDER)}-{target}")
    for path in FILES
    for target in TARGETS_OF[path.parent.name]
]
TEXTS = [path for path in FILES if path.parent.name == "text"]
MAX_BYTES = 200_000


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    """What a target loads on its first use does not count as its time."""
    loaded: set[str] = set()
    for path, target in (each.values for each in CASES):
        if target not in loaded:
            TARGETS[target](path.read_bytes())
            loaded.add(target)


@pytest.mark.parametrize(("path", "target"), CASES)
def test_a_kept_input_breaks_no_promise(path: Path, target: str) -> None:
    """Whatever was found once, or thought of, ends as it should and soon enough."""
    timed(TARGETS[target])(path.read_bytes())


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_a_kept_text_fits_the_schema(path: Path) -> None:
    """What comes of an odd text is allowed by the published schema, in a body and in a page."""
    body = path.read_text(encoding="utf-8", errors="replace")
    promises.check_value(label_article(Article(id="a", body=body), noise_labeller()))
    page = f"<article><p>{body}</p><p>It rained all day in the north.</p></article>"
    try:
        extract(page)
    except ExtractionError as error:
        assert str(error).isprintable()
        return
    promises.check_value(label_article(Article(id="a", html=page), noise_labeller()))


def test_the_kept_inputs_stay_few() -> None:
    """They are small enough to be kept, and all are used."""
    assert sum(path.stat().st_size for path in FILES) < MAX_BYTES
    assert {path.parent.name for path in FILES} == set(TARGETS_OF)
    assert {target for targets in TARGETS_OF.values() for target in targets} < set(TARGETS)
    assert all(folder.is_dir() for target in TARGETS for folder in samples(target))


def test_the_dictionary_is_one() -> None:
    """Every line is a quoted string, as libFuzzer reads it."""
    lines = dictionary().splitlines()
    assert len(lines) > 100
    assert all(line.startswith('"\\x') and line.endswith('"') for line in lines)


def test_what_takes_too_long_fails() -> None:
    """The limit is one: more than three seconds of work over a thousand bytes do not pass."""

    def work() -> None:
        until = time.process_time() + 3.2
        while time.process_time() < until:
            pass

    with pytest.raises(AssertionError, match="are allowed"), limited(1000):
        work()
