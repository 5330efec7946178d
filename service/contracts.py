"""The contracts, version 1: the article that comes in and the labelled article that goes out.

The JSON Schemas in ``deploy/schemas`` are made from these models by ``make schemas``.
Offsets are half-open, in Unicode code points, into the article's text.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date, datetime
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    WithJsonSchema,
    model_validator,
)

SCHEMA: Final = "claims/1"

# Sentences that are written as JSON in one go.
_AT_ONCE: Final = 500
_NO_SENTENCES: Final = '"sentences":[]'

Label = Literal["fact", "attributed_claim", "opinion"]
LABELS: Final[tuple[Label, ...]] = ("fact", "attributed_claim", "opinion")

# RFC 3339, section 5.6: a full-date, or a date-time with its offset. The parts' ranges are left
# to the datetime module.
_RFC3339: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2}))?",
    re.ASCII,
)


def _rfc3339(value: str) -> str:
    """Check that the value is an RFC 3339 date or date-time, and leave it as it came."""
    if not _RFC3339.fullmatch(value):
        message = "not an RFC 3339 date or date-time"
        raise ValueError(message)
    if len(value) == len("YYYY-MM-DD"):
        date.fromisoformat(value)
    else:
        # Fractions beyond microseconds are legal in RFC 3339 but not in datetime.
        datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value.upper()))
    return value


Timestamp = Annotated[
    str,
    AfterValidator(_rfc3339),
    WithJsonSchema({"type": "string", "pattern": f"^{_RFC3339.pattern}$"}),
]
ArticleId = Annotated[str, Field(min_length=1, max_length=512)]


class Article(BaseModel):
    """A news article as a producer publishes it. Unknown fields are ignored, not refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        strict=True,
        json_schema_extra={
            "anyOf": [
                {"required": [field], "properties": {field: {"type": "string"}}}
                for field in ("body", "html")
            ]
        },
    )

    id: ArticleId = Field(description="Identifies the article; also the record's key.")
    body: str | None = Field(default=None, description="The article's plain text.")
    html: str | None = Field(
        default=None,
        description="The article's page; its main text is extracted when there is no body.",
    )
    title: str | None = None
    url: str | None = None
    published_at: Timestamp | None = Field(default=None, description="RFC 3339 date or date-time.")
    publisher: str | None = None
    language: str | None = Field(default=None, description="BCP 47 tag.")

    @model_validator(mode="after")
    def _has_text(self) -> Self:
        if self.body is None and self.html is None:
            message = "body or html is required"
            raise ValueError(message)
        return self


class Frozen(BaseModel):
    """What all parts of the labelled article share: immutable, nothing unknown."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_serialization_defaults_required=True
    )


class Extent(Frozen):
    """A stretch of the article's text."""

    start: int = Field(ge=0)
    end: int = Field(ge=0)


class Span(Extent):
    """Who said it, or the words that say so: always ``text == article_text[start:end]``."""

    text: str
    sentence_index: int = Field(
        ge=0,
        description="The sentence that the span stands in; a quotation that runs on takes its "
        "source from another sentence.",
    )


class Scores(Frozen):
    """Probability of each label, given that the sentence is one of the article's; sums to 1."""

    fact: float = Field(ge=0, le=1)
    attributed_claim: float = Field(ge=0, le=1)
    opinion: float = Field(ge=0, le=1)


class Sentence(Frozen):
    """One labelled sentence; ``text == article_text[start:end]``."""

    index: int = Field(ge=0)
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    text: str
    label: Label
    confidence: float = Field(ge=0, le=1, description="The label's own score.")
    uncertain: bool = Field(
        description="The confidence lies under the threshold that the operator set."
    )
    scores: Scores
    source: Span | None = Field(
        description="Who the claim comes from, if this sentence or one beside it says so."
    )
    cue: Span | None = Field(description="The words that mark the attribution.")


class Model(Frozen):
    """The model that set the labels, and the threshold under which it counts as unsure."""

    name: str
    version: str
    digest: str = Field(description="sha256:… over the released files.")
    backend: str = Field(
        default="", description="What computed the scores, and in which numbers: onnx-int8, ..."
    )
    uncertain_below: float = Field(
        default=0.0, ge=0, le=1, description="Sentences of lower confidence are marked uncertain."
    )


class Counts(Frozen):
    """Sentences by label."""

    fact: int = Field(ge=0)
    attributed_claim: int = Field(ge=0)
    opinion: int = Field(ge=0)


_SENTENCES: Final = TypeAdapter(tuple[Sentence, ...])


class LabelledArticle(Frozen):
    """An article with every sentence labelled. Holds nothing that changes on replay."""

    # "schema" is the contract's word; the attribute's name avoids BaseModel.schema.
    schema_: Literal["claims/1"] = Field(default=SCHEMA, alias="schema")
    id: str = Field(description="Same article content and same model: same id.")
    article_id: str
    title: str | None = None
    url: str | None = None
    published_at: str | None = None
    publisher: str | None = None
    model: Model
    text_digest: str = Field(description="sha256:… of the UTF-8 text that the offsets point into.")
    text: str | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="The extracted text, when the article came as html.",
    )
    sentences: tuple[Sentence, ...]
    counts: Counts
    furniture: tuple[Extent, ...] = Field(
        description="Text that is no sentence of the article: bylines, captions, share boxes."
    )

    def to_json(self) -> str:
        """One line of JSON, the same characters for the same labelled article."""
        if len(self.sentences) <= _AT_ONCE:
            return self.model_dump_json(by_alias=True)
        # No other thread runs while pydantic writes. A long article is written piece by piece; the
        # place for the pieces is there once, since quotation marks inside strings are escaped.
        frame = self.model_copy(update={"sentences": ()}).model_dump_json(by_alias=True)
        before, _, after = frame.partition(_NO_SENTENCES)
        parts = (
            _SENTENCES.dump_json(self.sentences[start : start + _AT_ONCE]).decode()[1:-1]
            for start in range(0, len(self.sentences), _AT_ONCE)
        )
        return f"{before}{_NO_SENTENCES[:-1]}{','.join(parts)}]{after}"

    @classmethod
    def from_json(cls, value: str | bytes) -> Self:
        """Read one, as every reader should: what a later version adds is ignored.

        Raises:
            pydantic.ValidationError: it is no labelled article of this major version.
        """
        return cls.model_validate_json(value, extra="ignore")


def digest(text: str) -> str:
    """``sha256:`` and the hexadecimal digest of the text's UTF-8 bytes."""
    return "sha256:" + hashlib.sha256(text.encode("utf-8")).hexdigest()


def labelled_id(article: Article, model: Model) -> str:
    """Identify the outcome of labelling this article's content with this model (64 hex digits)."""
    # All of the model that can change the value: the same id stands for the same bytes.
    content = [article.model_dump(), model.model_dump(), SCHEMA]
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
