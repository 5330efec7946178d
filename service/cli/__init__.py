"""The command line: thin shells around what the modules do."""

from __future__ import annotations

import typer

from service.cli import (
    benching,
    comparing,
    deadletters,
    doctoring,
    labelling,
    streaming,
    viewing,
)

app = typer.Typer(
    name="claimstream",
    help="Labels every sentence of news articles: fact, attributed claim or opinion.",
    no_args_is_help=True,
    add_completion=True,  # --install-completion, --show-completion
    pretty_exceptions_enable=False,
)
app.add_typer(labelling.app)
app.add_typer(comparing.app)
app.add_typer(streaming.app)
app.add_typer(viewing.app)
app.add_typer(doctoring.app)
app.add_typer(deadletters.app, name="dlq")
app.add_typer(
    benching.app, name="bench", help="Measure the labeller, or the stream, on this machine."
)


def main() -> None:
    """Run the command line."""
    app()
