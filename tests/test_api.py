"""The Python API, with the released small model."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import service
from service import Labelled, api, label, label_many, release
from service.contracts import LABELS, Article, LabelledArticle
from service.labeller import WindowLabeller
from service.notebook import to_html
from service.pipeline import label_article
from service.settings import ModelSettings

TEXT = (
    "The council met on Monday. The mayor said that the bridge would be closed for a year. "
    "This plan is a disgrace, and it should be scrapped."
)
PAGE = (
    f"<html><head><title>Bridge</title></head><body><article><p>{TEXT}</p></article></body></html>"
)
HEAVY = ("torch", "transformers", "onnxruntime", "numpy", "pandas", "faust", "aiokafka", "lxml")


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=240, check=False
    )


def test_a_text_is_labelled() -> None:
    """Sentences with labels, source and cue; offsets point into the text."""
    labelled = label(TEXT, size="small")
    assert [sentence.label for sentence in labelled.sentences] == [
        *("fact", "attributed_claim", "opinion"),
    ]
    claim = labelled.sentences[1]
    assert claim.source is not None
    assert claim.source.text == "The mayor" == TEXT[claim.source.start : claim.source.end]
    assert labelled.article_text == TEXT
    assert labelled.article_id == label(TEXT, size="small").article_id
    assert labelled.article_id != label(TEXT + " No.", size="small").article_id


def test_the_result_is_the_contracts() -> None:
    """Whichever way the article is given, it is labelled to the byte as the worker labels it."""
    article = Article(id="a", body=TEXT, title="Bridge", published_at="2026-11-24")
    labelled = label(article, size="small")
    wanted = label_article(article, release.load(ModelSettings(size="small")))
    assert isinstance(labelled, LabelledArticle)
    assert labelled.to_json() == wanted.to_json()
    assert label(article.model_dump(exclude_none=True), size="small") == labelled


def test_a_page_is_labelled() -> None:
    """HTML in a mapping: its main text is found, and needs no id."""
    labelled = label({"html": PAGE}, size="small")
    assert labelled.text == labelled.article_text == TEXT
    assert labelled.article_id.startswith("text-")


def test_the_settings_name_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a size the environment decides, with one the size does."""
    monkeypatch.setenv("CLAIMSTREAM_MODEL__SIZE", "small")
    monkeypatch.setenv("CLAIMSTREAM_MODEL__UNCERTAIN_BELOW", "1")
    assert label(TEXT).model.name == "claimstream-small"
    assert all(sentence.uncertain for sentence in label(TEXT).sentences)
    monkeypatch.setenv("CLAIMSTREAM_MODEL__PATH", "no-such-folder")
    assert label(TEXT, size="small").model.name == "claimstream-small"
    with pytest.raises(release.ReleaseError, match="no model in no-such-folder"):
        label(TEXT)


@pytest.mark.parametrize(
    ("given", "error", "reason"),
    [
        (None, TypeError, "not NoneType"),
        (b"It rained.", TypeError, "not bytes"),
        ([TEXT], TypeError, "not list"),
        ({"title": "Rain"}, ValueError, "body or html is required"),
        ({"id": "", "body": "a"}, ValueError, "id: "),
        ({"id": "a", "body": "a", "published_at": "soon"}, ValueError, "published_at: not an RFC"),
        ({"html": "<html></html>"}, ValueError, "no main text"),
        ("half a \ud800 character", ValueError, "surrogate|JSON|UTF"),
    ],
)
def test_what_is_no_article_is_told(given: Any, error: type[Exception], reason: str) -> None:
    """One line says what is wrong with it."""
    with pytest.raises(error, match=reason) as caught:
        label(given, size="small")
    assert "\n" not in str(caught.value)


def test_an_unknown_size_is_told() -> None:
    """There are two sizes."""
    wrong: Any = "huge"
    with pytest.raises(ValueError, match="'base' or 'small'"):
        label(TEXT, size=wrong)


def test_an_empty_text_has_no_sentences() -> None:
    """Nothing in, nothing labelled; the table has its columns, the display its frame."""
    labelled = label("", size="small")
    assert labelled.sentences == ()
    assert list(labelled.to_dataframe().columns) == list(label(TEXT, size="small").to_dataframe())
    assert labelled._repr_html_().startswith("<div")


def test_many_are_labelled_as_they_are_asked_for() -> None:
    """No article is read before its turn, so that there may be any number."""
    read: list[int] = []

    def articles() -> Iterator[str]:
        for number in range(1000):
            read.append(number)
            yield f"{TEXT} {number}"

    several = label_many(articles(), size="small")
    assert read == []
    assert next(several).article_text.endswith("0")
    assert next(several).article_text.endswith("1")
    assert read == [0, 1]


def test_threads_share_one_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first calls, all at once, load the model once, and all give the same."""
    loads: list[ModelSettings] = []
    load, gate = release.load, threading.Barrier(6)

    def counting(settings: ModelSettings) -> WindowLabeller:
        loads.append(settings)
        return load(settings)

    def first(_: int) -> Labelled:
        gate.wait(30)
        return label(TEXT, size="small")

    monkeypatch.setattr(release, "load", counting)
    monkeypatch.setattr(api, "_loaded", {})
    with ThreadPoolExecutor(6) as threads:
        results = list(threads.map(first, range(6)))
    assert len(loads) == 1
    assert len({result.to_json() for result in results}) == 1


def test_the_table() -> None:
    """One sentence a row, with its scores, and source and cue where there are any."""
    labelled = label({"id": "a", "body": TEXT}, size="small")
    table = labelled.to_dataframe()
    assert len(table) == len(labelled.sentences)
    assert set(table["article_id"]) == {"a"}
    assert list(table["label"]) == [sentence.label for sentence in labelled.sentences]
    assert [TEXT[a:b] for a, b in zip(table["start"], table["end"], strict=True)] == list(
        table["text"]
    )
    assert table[list(LABELS)].sum(axis=1).tolist() == pytest.approx([1, 1, 1])
    assert table["source"][1] == "The mayor"
    assert table[["source", "cue"]].isna().any(axis=1).tolist() == [True, False, True]


def test_no_table_without_pandas() -> None:
    """Where pandas is missing, one line says how to get it."""
    done = run(
        "import sys; sys.modules['pandas'] = None\n"
        "from service import label\n"
        "labelled = label('It rained.', size='small')\n"
        "try:\n    labelled.to_dataframe()\nexcept ImportError as error:\n    print(error)"
    )
    assert done.stdout == "to_dataframe needs pandas: pip install pandas\n", done.stderr


def test_import_brings_nothing_heavy() -> None:
    """`import service` loads no library; `from service import label` none of the network's."""
    told = f"print([n for n in {HEAVY} if n in sys.modules])"
    done = run(f"import sys, service\n{told}")
    assert done.stdout == "[]\n", done.stderr
    done = run(f"import sys\nfrom service import label\n{told}")
    assert not set(re.findall(r"\w+", done.stdout)) & (set(HEAVY) - {"lxml"}), done.stderr


def test_the_package_offers_these_names_only() -> None:
    """Modules are found as ever, and a misspelt name is an error."""
    assert service.label is api.label
    assert service.label_many is api.label_many
    assert service.Labelled is api.Labelled
    with pytest.raises(AttributeError, match="lable"):
        _ = service.lable  # type: ignore[attr-defined]


def test_jupyter_shows_the_marked_text() -> None:
    """The display is that of `service.notebook`, with the article's own text."""
    labelled = label({"id": "a", "title": "Bridge", "body": TEXT}, size="small")
    shown = labelled._repr_html_()
    assert shown == to_html(labelled, TEXT)
    assert '<span style="font-weight:700">The mayor</span>' in shown


def test_json_is_the_topics() -> None:
    """What a notebook saves can be read like a record of the labelled topic."""
    saved = label(TEXT, size="small").to_json()
    assert LabelledArticle.model_validate_json(saved).to_json() == saved
    assert "_article_text" not in json.loads(saved)
