"""What all commands share: options, settings, errors told in one line.

Exit codes: 0 done, 1 it failed, 2 wrong usage or configuration.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from service.settings import PREFIX, Settings

FAILED, MISUSED = 1, 2

Paths = Annotated[list[Path], typer.Argument(help="Files or folders; - is standard input.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Bootstrap = Annotated[
    str | None,
    typer.Option("--bootstrap-servers", help="host:port of the cluster; else from the settings."),
]


class SettingsFaultError(Exception):
    """The settings cannot be used; the message says which and why in one line."""


def fail(message: object, code: int) -> NoReturn:
    """Say in one line on standard error what is wrong, and end."""
    print(f"claimstream: {message}", file=sys.stderr)
    raise typer.Exit(code)


def warn(message: object) -> None:
    """Say in one line on standard error what is amiss, and go on."""
    print(f"claimstream: {message}", file=sys.stderr)


@contextmanager
def broker_errors() -> Iterator[None]:
    """Turn what Kafka's clients raise into one clear line; exits with 2 when none is reached."""
    from aiokafka.errors import KafkaConnectionError, KafkaError

    from service.kafka import BrokerError
    from service.topics import TopicsMissingError

    try:
        yield
    except (BrokerError, TopicsMissingError, KafkaConnectionError) as error:
        fail(error, MISUSED)
    except KafkaError as error:
        fail(error, FAILED)


def load_settings(bootstrap_servers: str | None = None) -> Settings:
    """Settings from the environment, with the command line's servers on top; exits with 2."""
    try:
        return read_settings(bootstrap_servers)
    except SettingsFaultError as error:
        fail(error, MISUSED)


def read_settings(bootstrap_servers: str | None = None) -> Settings:
    """The same.

    Raises:
        SettingsFaultError: they make no sense, or a secret cannot be read.
    """
    given: dict[str, Any] = {}
    if bootstrap_servers:
        given["kafka"] = {"bootstrap_servers": bootstrap_servers}
    try:
        return Settings(**given)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = PREFIX + "__".join(str(part).upper() for part in fault["loc"])
        raise SettingsFaultError(f"wrong setting {name}: {fault['msg']}") from error
    except (SettingsError, OSError, UnicodeDecodeError) as error:
        raise SettingsFaultError(f"wrong settings: {error}") from error


def load_labeller(settings: Settings) -> Any:
    """The released model that the settings name; exits with 2 when it is missing or damaged."""
    from service.release import ReleaseError, load

    try:
        return load(settings.model)
    except ReleaseError as error:
        fail(error, MISUSED)
