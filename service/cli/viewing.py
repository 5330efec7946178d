"""The command that shows labelled articles in a browser: view."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.edge import MISUSED, Bootstrap, broker_errors, fail, load_labeller, load_settings

if TYPE_CHECKING:
    from service.pipeline import Labeller
    from service.settings import Settings

app = typer.Typer()

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@app.command()
def view(
    *,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes a free port.")
    ] = 8080,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Begin with the oldest article.")
    ] = False,
    no_labeller: Annotated[
        bool, typer.Option("--no-labeller", help="Leave out the box to paste a text in.")
    ] = False,
    bootstrap_servers: Bootstrap = None,
) -> None:
    """Show the labelled articles in a browser, live, until Ctrl-C.

    Example: claimstream view --from-start --bootstrap-servers 127.0.0.1:9092
    """
    # While the model is being loaded there is nothing to be ended in order. This also holds where
    # it was started in the background of a script, whose children begin with SIGINT ignored.
    for number in _SIGNALS:
        signal.signal(number, lambda *_: os._exit(0))

    from service.health import PortTakenError
    from service.logs import configure_logs
    from service.topics import check
    from service.viewer.server import serve

    is_labelling = False

    async def run(settings: Settings, labeller: Labeller | None) -> None:
        nonlocal is_labelling
        stopping = asyncio.Event()
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        await check(settings)
        configure_logs(settings.log)
        async with serve(
            settings, host=host, port=port, from_start=from_start, labeller=labeller
        ) as viewer:
            print(f"Labelled articles at {viewer.address} until Ctrl-C", flush=True)
            stop = asyncio.create_task(stopping.wait())
            await asyncio.wait({stop, viewer.following}, return_when=asyncio.FIRST_COMPLETED)
            if viewer.following.done():
                viewer.following.result()
        is_labelling = viewer.box is not None and viewer.box.waiting > 0

    with broker_errors():
        settings = load_settings(bootstrap_servers)
        labeller = None if no_labeller else load_labeller(settings)
        try:
            asyncio.run(run(settings, labeller))
        except PortTakenError as error:
            fail(error, MISUSED)
    if is_labelling:
        # A thread cannot be stopped, and nobody waits any more for what it labels.
        sys.stdout.flush()
        os._exit(0)
