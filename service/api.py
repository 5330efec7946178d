"""The Python API: a text in, a labelled article out, with a table and a display for notebooks.

    >>> from service import label
    >>> article = label("The mayor said it had rained.", size="small")
    >>> article.sentences[0].label
    'attributed_claim'

The model is loaded at the first call, once for each size, and kept.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import PrivateAttr

from service.contracts import LABELS, Article, LabelledArticle
from service.decoding import decode
from service.pipeline import Labeller, article_text, label_article
from service.settings import ModelSettings, Settings

if TYPE_CHECKING:
    import pandas as pd

Size = Literal["base", "small"]
Labellable = str | Article | Mapping[str, Any]

_COLUMNS: Final = (
    *("article_id", "index", "start", "end", "text", "label", "confidence", "uncertain"),
    *(*LABELS, "source", "cue"),
)
_loaded: Final[dict[ModelSettings, Labeller]] = {}
_loading: Final = threading.Lock()


class Labelled(LabelledArticle):
    """A labelled article as `label` returns it: the contract's, and what a notebook wants."""

    _article_text: str = PrivateAttr("")

    @property
    def article_text(self) -> str:
        """The text that all offsets point into, wherever it came from."""
        return self._article_text

    def to_dataframe(self) -> pd.DataFrame:
        """Make a table with a row a sentence.

        Returns:
            Columns: the article's id; the sentence's index, offsets, text, label, confidence and
            whether it is uncertain; the score of each label; the texts of source and cue, missing
            where there is none.

        Raises:
            ImportError: pandas is not installed.
        """
        try:
            import pandas as pd  # noqa: PLC0415 - not needed for anything else
        except ImportError as error:
            raise ImportError("to_dataframe needs pandas: pip install pandas") from error
        rows = [
            (
                self.article_id,
                *(one.index, one.start, one.end, one.text, one.label),
                *(one.confidence, one.uncertain),
                *(getattr(one.scores, label) for label in LABELS),
                one.source and one.source.text,
                one.cue and one.cue.text,
            )
            for one in self.sentences
        ]
        return pd.DataFrame(rows, columns=list(_COLUMNS))

    def _repr_html_(self) -> str:
        """What Jupyter shows: the marked text (`service.notebook`)."""
        from service.notebook import to_html  # noqa: PLC0415 - only where it is shown

        return to_html(self, self._article_text)


def label(article: Labellable, *, size: Size | None = None) -> Labelled:
    """Label every sentence of an article.

    Safe to call from several threads. The first call for a size loads the model (seconds); torch
    then computes in as many threads as ``CLAIMSTREAM_MODEL__THREADS`` says (1), in the whole
    process.

    Args:
        article: a text; or an article as the articles topic has it (`service.contracts.Article`,
            or a mapping of its fields, where ``id`` may be left out): with ``html`` instead of
            ``body`` the page's main text is labelled.
        size: which released model: ``base`` labels best, ``small`` is several times as fast. Else
            the one that the environment's settings name.

    Raises:
        TypeError: it is neither a text nor an article.
        ValueError: the fields make no article, or the HTML has no main text; the message says why.
        service.release.ReleaseError: the model is missing or damaged.
    """
    read = _read(article)
    labelled = label_article(read, _labeller(size))
    result = Labelled(**{"schema" if n == "schema_" else n: value for n, value in labelled})
    # The text comes with HTML only: else it is the article's own.
    result._article_text = article_text(read)[0] if labelled.text is None else labelled.text  # noqa: SLF001
    return result


def label_many(articles: Iterable[Labellable], *, size: Size | None = None) -> Iterator[Labelled]:
    """Label articles one by one, as they are asked for; none is read or held before its turn.

    Args:
        articles: each as for `label`.
        size: as for `label`.

    Yields:
        The labelled articles, in order.

    Raises:
        TypeError, ValueError, service.release.ReleaseError: as `label`, at the article at fault.
    """
    for article in articles:
        yield label(article, size=size)


def _read(article: Labellable) -> Article:
    if isinstance(article, Article):
        return article
    if isinstance(article, str):
        fields: dict[str, Any] = {"body": article}
    elif isinstance(article, Mapping):
        fields = dict(article)
    else:
        wanted = "a text, an Article or a mapping of its fields"
        raise TypeError(f"label takes {wanted}, not {type(article).__name__}")
    # By way of JSON: what a notebook may label is what the topic takes, with the same errors.
    value = json.dumps(fields, sort_keys=True).encode()
    if "id" not in fields:
        fields["id"] = f"text-{hashlib.sha256(value).hexdigest()[:16]}"
        value = json.dumps(fields).encode()
    return decode(value)


def _labeller(size: Size | None) -> Labeller:
    settings = Settings().model
    if size is not None:
        settings = ModelSettings.model_validate({**dict(settings), "size": size, "path": None})
    with _loading:
        if settings not in _loaded:
            from service.release import load  # noqa: PLC0415 - brings the network's libraries along

            _loaded[settings] = load(settings)
        return _loaded[settings]
