"""The command that checks the machine, the set-up and the cluster: doctor."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext

import typer
from rich.console import Console

from service.cli.edge import FAILED, Bootstrap, Json, SettingsFaultError, read_settings

app = typer.Typer()

# Where nobody looks at it on a terminal nothing need be broken into lines.
_UNBROKEN = 10_000


@app.command()
def doctor(*, as_json: Json = False, bootstrap_servers: Bootstrap = None) -> None:
    """Check machine, set-up and cluster, and say what to do about each fault.

    It loads the model and labels a sentence, which takes some seconds. It ends with 0 when nothing
    failed, else with 1.

    Example: claimstream doctor --bootstrap-servers kafka:9092
    """
    from service.doctor.examining import examine
    from service.doctor.reporting import show_findings, to_json

    settings, fault = None, None
    try:
        settings = read_settings(bootstrap_servers)
    except SettingsFaultError as error:
        fault = str(error)
    with Console(stderr=True).status("looking …") if sys.stderr.isatty() else nullcontext():
        findings = examine(settings, fault)
    if as_json:
        print(json.dumps(to_json(findings), ensure_ascii=False, indent=2))
    else:
        console = Console() if sys.stdout.isatty() else Console(width=_UNBROKEN)
        show_findings(console, findings)
    if any(finding.status == "fail" for finding in findings):
        raise typer.Exit(FAILED)
