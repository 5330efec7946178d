"""The command ``view``: it starts, ends and fails as a command should."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from typer.testing import CliRunner

from service.broker import free_port
from service.cli import app
from tests.cluster import Cluster
from tests.viewer.command import view


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_it_ends_quickly(cluster: Cluster, number: signal.Signals) -> None:
    """With 0 and without a word, also with pages that listen."""

    async def use() -> None:
        with view(cluster.settings, "--no-labeller") as command:
            address = await asyncio.to_thread(lambda: command.address)
            async with (
                aiohttp.ClientSession() as client,
                client.get(f"{address}/events") as first,
                client.get(f"{address}/events") as second,
            ):
                assert (first.status, second.status) == (200, 200)
                code, seconds = await asyncio.to_thread(command.end, number)
            assert code == 0
            assert seconds < 10
            assert command.process.stderr is not None
            assert "Traceback" not in command.process.stderr.read()

    asyncio.run(use())


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_while_it_loads_the_model(cluster: Cluster, number: signal.Signals) -> None:
    """It ends with 0 and without a traceback."""
    with view(cluster.settings) as command:
        status = Path(f"/proc/{command.process.pid}/status")
        # As soon as it takes SIGTERM itself; SIGINT any Python does from its first moment.
        caught = signal.SIGTERM - 1
        while not int(status.read_text().split("SigCgt:")[1].split()[0], 16) >> caught & 1:
            time.sleep(0.01)
        time.sleep(0.3)
        code, seconds = command.end(number)
        assert command.process.stderr is not None
        errors = command.process.stderr.read()
    assert (code, errors) == (0, "")
    assert seconds < 10


def test_it_ends_quickly_also_while_it_labels(cluster: Cluster) -> None:
    """A long text under way keeps nobody waiting."""
    text = "The mayor said it had rained all over the town on Monday. " * 1700

    async def use() -> None:
        with view(cluster.settings) as command:
            address = await asyncio.to_thread(lambda: command.address)
            async with aiohttp.ClientSession() as client:
                async with client.get(f"{address}/label") as page:
                    assert "<textarea" in await page.text()
                pasting = asyncio.create_task(
                    client.post(f"{address}/label", data={"text": text}, allow_redirects=False)
                )
                await asyncio.sleep(1)
                assert not pasting.done()
                code, seconds = await asyncio.to_thread(command.end, signal.SIGTERM)
                with suppress(aiohttp.ClientError):
                    await pasting
            assert code == 0
            assert seconds < 10

    asyncio.run(use())


def test_a_pasted_text_is_labelled_by_the_released_model(cluster: Cluster) -> None:
    """The command's own box, with the model that the settings name."""

    async def use() -> None:
        with view(cluster.settings) as command:
            address = await asyncio.to_thread(lambda: command.address)
            async with (
                aiohttp.ClientSession() as client,
                client.post(
                    f"{address}/label", data={"text": "The mayor said it had rained."}
                ) as answer,
            ):
                assert answer.status == 200
                assert '<span class="source">The mayor</span>' in await answer.text()
            assert command.end(signal.SIGINT)[0] == 0

    asyncio.run(use())


def test_wrong_use_is_told_in_one_line(cluster: Cluster) -> None:
    """No broker, no topics, no such place to listen: exit code 2 and one line."""
    nowhere = f"127.0.0.1:{free_port()}"
    without_topics = Cluster(cluster.settings.kafka.bootstrap_servers)
    for settings, arguments, words in (
        (cluster.settings, ["--bootstrap-servers", nowhere], nowhere),
        (without_topics.settings, [], "claimstream topics create"),
        (cluster.settings, ["--host", "192.0.2.1"], "cannot listen on 192.0.2.1"),
    ):
        with view(settings, "--no-labeller", *arguments) as command:
            output, errors = command.process.communicate(timeout=100)
        assert command.process.returncode == 2, errors
        assert words in errors
        assert output == ""
        assert "Traceback" not in errors


def test_help_has_an_example() -> None:
    """As that of every command."""
    result = CliRunner().invoke(app, ["view", "--help"])
    assert result.exit_code == 0
    assert "claimstream view --from-start" in " ".join(result.stdout.split())
