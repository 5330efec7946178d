"""All checks, in the order in which one fault explains the next."""

from __future__ import annotations

import asyncio
import os

from service.doctor import installation, machine
from service.doctor.cluster import check_cluster
from service.doctor.findings import Finding, attempt, broken, unchecked
from service.settings import PREFIX, Settings


def examine(settings: Settings | None, fault: str | None = None) -> list[Finding]:
    """Run every check.

    Args:
        settings: what is in force; None where they cannot be read.
        fault: why they cannot.
    """
    model = settings.model if settings else None
    needed = installation.memory_needed(model) if model else None
    findings = [
        attempt("Python", machine.check_python),
        attempt("processor", machine.check_processor),
        attempt("cores", lambda: machine.check_cores(model.threads if model else None)),
        attempt("memory", lambda: machine.check_memory(needed)),
        installation.check_settings(fault),
        attempt(
            "secrets folder",
            lambda: installation.check_secrets(os.environ.get(f"{PREFIX}SECRETS_DIR")),
        ),
    ]
    if settings is None or model is None:
        rest = ("model", "backend", "HTTP port", "broker", "topics", "consumer group", "clock")
        return findings + [unchecked(check, "the settings are wrong") for check in rest]
    released = attempt("model", lambda: installation.check_model(settings.model))
    findings.append(released)
    if released.status == "ok":
        findings.append(attempt("backend", lambda: installation.check_backend(settings.model)))
    else:
        findings.append(unchecked("backend", "the model is not in order"))
    findings.append(
        attempt("HTTP port", lambda: asyncio.run(installation.check_port(settings.http)))
    )
    return findings + _examine_cluster(settings)


def _examine_cluster(settings: Settings) -> list[Finding]:
    try:
        return asyncio.run(check_cluster(settings))
    except Exception as error:  # noqa: BLE001 - a doctor that breaks down is of no use
        return [broken("broker", error)]
