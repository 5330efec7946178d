"""The contracts: what is taken in, what goes out, and their JSON Schemas."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from service.contracts import Article, LabelledArticle, Model, digest, labelled_id
from service.schemas import schemas
from tests.viewer.samples import labelled

ROOT = Path(__file__).parent.parent
MODEL = Model(name="m", version="1", digest="sha256:0")


def test_schema_files_match_the_models() -> None:
    """The schema files in deploy/ are the ones that the models give."""
    for name, schema in schemas().items():
        assert json.loads((ROOT / "deploy/schemas" / name).read_text()) == schema


@pytest.mark.parametrize(
    ("article", "valid"),
    [
        ({"id": "a", "body": ""}, True),
        ({"id": "a", "html": "<p>x</p>"}, True),
        ({"id": "a", "body": "x", "published_at": "2026-11-24T08:00:00.123456789Z"}, True),
        ({"id": "a", "body": "x", "published_at": "2026-11-24"}, True),
        ({"id": "a", "body": "x", "extra": [1]}, True),
        ({"id": "a"}, False),
        ({"id": "a", "body": None}, False),
        ({"id": "", "body": "x"}, False),
        ({"id": "a" * 513, "body": "x"}, False),
        ({"id": 5, "body": "x"}, False),
        ({"id": "a", "body": ["x"]}, False),
        ({"id": "a", "body": "x", "published_at": "yesterday"}, False),
        ([], False),
    ],
)
def test_model_and_schema_agree(article: object, valid: bool) -> None:  # noqa: FBT001
    """The article's model and its JSON Schema take and refuse the same."""
    schema = Draft202012Validator(schemas()["article.v1.json"])
    assert schema.is_valid(article) is valid
    if valid:
        Article.model_validate(article)
    else:
        with pytest.raises(ValidationError):
            Article.model_validate(article)


@pytest.mark.parametrize("value", ["2026-02-30", "2026-11-24T25:00:00Z", "2026-11-24T08:00:00"])
def test_impossible_times_are_refused(value: str) -> None:
    """A time that is not on the calendar, or lacks its offset, is refused."""
    with pytest.raises(ValidationError):
        Article(id="a", body="x", published_at=value)


def test_times_stay_as_they_came() -> None:
    """A time is checked but not rewritten."""
    assert Article(id="a", body="x", published_at="2026-11-24t08:00:00z").published_at == (
        "2026-11-24t08:00:00z"
    )


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_ids_depend_on_content_and_model_alone(body: str) -> None:
    """The same content and model give the same id, another body or model another."""
    article = Article(id="a", body=body)
    again = Article.model_validate({"ignored": 1, "body": body, "id": "a"})
    assert labelled_id(article, MODEL) == labelled_id(again, MODEL)
    assert labelled_id(article, MODEL) != labelled_id(Article(id="a", body=body + "."), MODEL)
    other = MODEL.model_copy(update={"digest": "sha256:1"})
    assert labelled_id(article, MODEL) != labelled_id(article, other)


def test_digest_is_of_the_utf8_bytes() -> None:
    """The text's digest is that of its UTF-8 bytes."""
    assert digest("é") == (
        "sha256:4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"
    )


def test_readers_ignore_what_a_later_version_adds() -> None:
    """Unknown fields, at any depth, are passed over; another major version is refused."""
    article = labelled("a")
    value = json.loads(article.to_json())
    value["novel"] = value["model"]["novel"] = value["sentences"][0]["novel"] = 1
    assert LabelledArticle.from_json(json.dumps(value)) == article
    with pytest.raises(ValidationError):
        LabelledArticle.from_json(json.dumps(value | {"schema": "claims/2"}))
