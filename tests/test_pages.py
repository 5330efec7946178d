"""The pages for producers and consumers say what is so; their examples are run elsewhere."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from service import extraction, samples
from service.contracts import LABELS, Article, LabelledArticle, digest
from service.deadletters import MAX_MESSAGE_CHARACTERS
from service.decoding import decode
from service.headers import LABELLED, REMOVED
from service.outcomes import STAGES, Failure, StageClock, process
from service.pipeline import label_article
from service.records import SourceRecord
from service.schemas import schemas
from service.settings import PREFIX, KafkaSettings, Settings, TopicSettings
from tests import examples
from tests.labellers import RuleLabeller

DEPLOY = examples.DEPLOY
PAGES = examples.PAGES | {
    "contracts.md": (DEPLOY / "contracts.md").read_text(encoding="utf-8"),
}
RUN_ELSEWHERE = {
    "publish_aiokafka.py",
    "publish_confluent.py",
    "publish_kcat.sh",
    "publish.js",
    "refused.py",
    "refused_kcat.sh",
    "read_aiokafka.py",
    "read_confluent.py",
    "read_kcat.sh",
    "read.js",
}
_HEADER = re.compile(
    r"`(ce_\w+|claimstream_\w+|__connect\.[\w.]*\w|traceparent|tracestate|content-type)`"
)


def headings(page: str) -> set[str]:
    """Where links into a page can lead, as GitHub names its headings."""
    found = re.findall(r"^#+ (.+)$", PAGES[page], re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_every_example_is_run() -> None:
    """No example stands on a page without a test that runs it."""
    assert examples.examples().keys() == RUN_ELSEWHERE | {"offsets.js", "Offsets.java"}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """To a file, and to a heading where one is named."""
    for target in re.findall(r"\]\(([^)]+)\)", PAGES[page]):
        file, _, anchor = target.partition("#")
        assert (DEPLOY / (file or page)).exists(), target
        assert not anchor or anchor in headings(file or page), target


@pytest.mark.parametrize("page", PAGES)
def test_settings_exist(page: str) -> None:
    """Every setting that is named is one."""
    fields = {
        f"{PREFIX}{group}__{name}".upper()
        for group, field in Settings.model_fields.items()
        for name in getattr(field.annotation, "model_fields", ())
    }
    assert set(re.findall(rf"\b{PREFIX}\w+__\w+", PAGES[page])) <= fields


def test_topics_are_the_defaults() -> None:
    """Topics named on the pages are those that the settings have, or of a later version."""
    topics = TopicSettings()
    named = set(re.findall(r"\bnews\.[\w.]+\w", "".join(PAGES.values())))
    later = {"news.articles.v2", "news.claims.v2"}
    assert named == {topics.articles, topics.claims, topics.dead_letters} | later


def test_headers_are_told() -> None:
    """The pages name every header of the AsyncAPI document but the replay's mark, and no other."""
    document = yaml.safe_load((DEPLOY / "asyncapi.yaml").read_text(encoding="utf-8"))
    messages = document["components"]["messages"].values()
    known = {name for message in messages for name in message["headers"]["properties"]}
    told = set(_HEADER.findall("".join(examples.PAGES.values())))
    assert told == known - {"claimstream.replayed"}


def test_what_is_said_of_fields() -> None:
    """The table of fields has all of the article's, and the articles given are valid."""
    section = PAGES["producers.md"].partition("| field |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`.+?`) \|", section, re.MULTILINE)
    assert re.findall(r"\w+", " ".join(rows)) == [
        *("id", "body", "html", "title", "url", "publisher", "published_at", "language")
    ]
    assert set(re.findall(r"\w+", " ".join(rows))) == set(Article.model_fields)
    for article in examples.articles():
        Draft202012Validator(schemas()["article.v1.json"]).validate(article)
        decode(json.dumps(article).encode())


def test_the_examples_agree() -> None:
    """The pages and the AsyncAPI document show the same article and the same outcome."""
    assert examples.articles()[0] == samples.ARTICLE
    shortened = json.loads(examples.blocks("consumers.md", "json")[0])
    labelled = samples.labelled().value
    (shown,) = (part for part in shortened["sentences"] if part != "…")
    assert shown == labelled["sentences"][2]
    for name in ("counts", "furniture", "article_id", "title", "schema"):
        assert shortened[name] == labelled[name]
    for name in ("id", "text_digest"):
        assert labelled[name].startswith(shortened[name].rstrip("…"))
    assert shortened.keys() - {"…"} <= labelled.keys()


def test_limits_are_the_real_ones() -> None:
    """Sizes and counts on the pages are those in the code."""
    text = PAGES["producers.md"]
    assert f"10 MiB ({KafkaSettings().max_record_bytes:,} bytes)" in text
    assert "10 * 1024 * 1024" in text
    assert f"message.max.bytes={KafkaSettings().max_record_bytes}" in text
    assert f"{extraction._MAX_ELEMENTS:,}\nelements" in text  # noqa: SLF001 - only told here
    assert f"at most {MAX_MESSAGE_CHARACTERS} characters" in text
    assert f"keeps it for {TopicSettings().retention_days:g} days" in text
    assert f"keeps {TopicSettings().retention_days:g} days" in PAGES["consumers.md"]
    told = re.search(r"the step that failed: (.+) \|$", text, re.MULTILINE)
    assert told is not None
    assert re.findall(r"`(\w+)`", told[1]) == list(STAGES)


def test_words_of_the_contract_are_the_real_ones() -> None:
    """Labels and kinds of events that readers are told of are those there are."""
    text = PAGES["consumers.md"]
    assert all(f"`{label}`" in text for label in LABELS)
    assert set(re.findall(r"`(claimstream\.article\.[\w.]+)`", text)) == {LABELLED, REMOVED}


def test_labelled_articles_are_three_to_four_times_as_large() -> None:
    """What is said of the size of what comes out holds for every seed."""
    for file in (DEPLOY.parent / "seeds").glob("*.json"):
        value = file.read_bytes()
        labelled = label_article(decode(value), RuleLabeller()).to_json().encode()
        assert 2.5 < len(labelled) / len(value) < 4.5, file.name


@pytest.mark.parametrize("refusal", examples.refusals(), ids=lambda one: one.message)
def test_what_is_refused(refusal: examples.Refusal) -> None:
    """A value of the table is refused, in the step and with the message that the table tells."""
    record = SourceRecord("articles", 0, 0, None, b"a", refusal.value, [])
    outcome = process(record, RuleLabeller(), StageClock())
    assert isinstance(outcome, Failure)
    assert (outcome.stage, outcome.message) == (refusal.stage, refusal.message)


def test_the_table_of_refusals_is_read() -> None:
    """No row of it escapes the test above."""
    section = PAGES["producers.md"].partition("| value | stage | message |")[2]
    assert len(examples.refusals()) == section.partition("\n\n")[0].count("\n") - 1


def _labelled(article: dict[str, Any]) -> LabelledArticle:
    return label_article(Article.model_validate(article), RuleLabeller())


MANY_UNITS = (
    "🙂🙂 He said 👩‍👩‍👧 came. We should go. "
    "𝔄 new day: naïve, e\u0301tude, 漢字 said Bo.\r\n\r\nIt rained."
)


@pytest.mark.parametrize(
    "article", [samples.ARTICLE, examples.articles()[1], {"id": "a", "body": MANY_UNITS}]
)
def test_offsets_in_javascript(article: dict[str, Any], tmp_path: Path) -> None:
    """The example cuts out of the text what the labelled article says stands there."""
    labelled = _labelled(article)
    examples.write_all(tmp_path)
    (tmp_path / "article.json").write_text(json.dumps(article))
    (tmp_path / "labelled.json").write_text(labelled.to_json())
    command = [*examples.command("offsets.js"), "article.json", "labelled.json"]
    lines = _run(command, tmp_path).splitlines()
    assert [json.loads(line) for line in lines] == [
        [one.label, one.source.text if one.source else "-", one.text] for one in labelled.sentences
    ]
    assert lines


def test_offsets_in_java(tmp_path: Path) -> None:
    """The example cuts the same words out of a text as Python does."""
    examples.write_all(tmp_path)
    (tmp_path / "article.txt").write_bytes(MANY_UNITS.encode())
    length = len(MANY_UNITS)
    for start, end in [(0, length), (3, 11), (length - 10, length), (2, 2)]:
        command = [*examples.command("Offsets.java"), "article.txt", str(start), str(end)]
        assert _run(command, tmp_path) == MANY_UNITS[start:end]


def test_the_texts_digest() -> None:
    """It is of the body as sent, or of the text that comes along."""
    text, page = examples.articles()
    assert _labelled(text).text_digest == digest(text["body"])
    assert _labelled(page).text_digest == digest(_labelled(page).text or "")
    assert _labelled(text).text is None


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()
