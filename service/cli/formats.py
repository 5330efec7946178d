"""The forms that commands print labelled articles in: --format, and --json for one of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer
from rich.console import Console

from service.cli.edge import MISUSED, fail

if TYPE_CHECKING:
    from service.contracts import LabelledArticle

Format = Literal["text", "json", "jsonl", "csv", "markdown", "html"]
# Prints a labelled article; its own text comes along where it is at hand.
Put = Callable[["LabelledArticle", str | None], None]

# What can be printed as it comes, and is whole wherever it is cut off.
ENDLESS: Final[tuple[Format, ...]] = ("text", "jsonl", "csv")

Chosen = Annotated[
    Format | None,
    typer.Option("--format", "-f", show_default="text", help="How to print the articles."),
]
AsJsonLines = Annotated[bool, typer.Option("--json", help="The same as --format jsonl.")]


def choose(given: Format | None, *, as_json: bool) -> Format:
    """The format that the two options mean; exits with 2 where they contradict each other."""
    if not as_json:
        return given or "text"
    if given not in {None, "jsonl"}:
        fail(f"--json is --format jsonl, which is not --format {given}: give one of them", MISUSED)
    return "jsonl"


def choose_endless(given: Format | None, *, as_json: bool) -> Format:
    """The same where there is no last article: exits with 2 for a format that needs one."""
    chosen = choose(given, as_json=as_json)
    if chosen not in ENDLESS:
        fail(
            f"--format {chosen} needs a last article, and here is none: "
            f"take {', '.join(ENDLESS[:-1])} or {ENDLESS[-1]}",
            MISUSED,
        )
    return chosen


@contextmanager
def open_writer(form: Format) -> Iterator[Put]:
    """Print labelled articles to standard output, each as soon as it comes, but for HTML.

    Yields:
        What prints one. The end is printed when the context is left, unless by an error: what was
        cut off does not look whole.
    """
    from service.exporting import to_csv, to_json, to_markdown
    from service.rendering import show

    console, held = Console(), list[tuple["LabelledArticle", str | None]]()
    count = 0

    def put(article: LabelledArticle, text: str | None = None) -> None:
        nonlocal count
        match form:
            case "text":
                show(console, article, text)
            case "json":
                _print((",\n" if count else "[\n") + to_json(article).rstrip("\n"))
            case "jsonl":
                _print(article.to_json() + "\n")
            case "csv":
                _print(to_csv(article, head=not count))
            case "markdown":
                _print(("\n" if count else "") + to_markdown(article))
            case "html":
                held.append((article, text))
        count += 1

    yield put
    if form == "json":
        _print("\n]\n" if count else "[]\n")
    elif form == "html":
        from service.viewer.standalone import to_html

        _print(to_html(held) + "\n")


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
