"""Tracing is off by default, and then costs nothing; wrongly set up, it says so in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from service.metrics import build_metrics
from service.outcomes import Tombstone
from service.settings import Settings
from service.tracing import NO_TRACES, TracingError, open_traces
from tests.test_headers import TRACE, record

ROOT = Path(__file__).parent.parent
ENDPOINT = "CLAIMSTREAM_TRACING__ENDPOINT"


def _python(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_off_nothing_is_imported() -> None:
    """A worker without an endpoint has not one module of OpenTelemetry."""
    done = _python(
        "import sys\n"
        "import service.worker, service.stream\n"
        "from service.metrics import build_metrics\n"
        "from service.settings import Settings\n"
        "from service.tracing import NO_TRACES, open_traces\n"
        "assert open_traces(Settings(), build_metrics()) is NO_TRACES\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]\n",
        # Meant for other programs: it does not switch ours on.
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_off_the_record_goes_on_as_it_came() -> None:
    """What goes out has the headers of the very record that came in."""
    came = record(headers=[("traceparent", TRACE), ("traceparent", b"nonsense")])
    assert open_traces(Settings(), build_metrics()) is NO_TRACES
    assert NO_TRACES.sending(came, Tombstone(b"k")) is came


def test_not_installed_is_told_in_one_line() -> None:
    """An endpoint without OpenTelemetry: what to install, exit code 2, no traceback."""
    done = _python(
        "import sys\n"
        "sys.modules['opentelemetry'] = None\n"
        "from service.cli import app\n"
        "app(['worker'])\n",
        **{ENDPOINT: "http://127.0.0.1:9", "CLAIMSTREAM_LOG__LEVEL": "ERROR"},
    )
    assert done.returncode == 2
    assert done.stderr.startswith("claimstream: CLAIMSTREAM_TRACING__ENDPOINT is set")
    assert "pip install 'claimstream[tracing]'" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENDPOINT", "collector:4318"),
        ("ENDPOINT", "grpc://collector:4317"),
        ("RATIO", "1.5"),
        ("SERVICE_NAME", ""),
    ],
)
def test_wrong_settings_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """An endpoint that is no web address, a share above all, a service without a name."""
    monkeypatch.setenv(f"CLAIMSTREAM_TRACING__{name}", value)
    with pytest.raises(ValidationError):
        Settings()


def test_wrong_standard_variables_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the library cannot use is our own error, which ends a worker with one line."""
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "-1")
    with pytest.raises(TracingError, match="traces cannot be made"):
        open_traces(Settings(), build_metrics())


def test_keys_stay_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent along to a collector may be a key, and is not shown."""
    monkeypatch.setenv("CLAIMSTREAM_TRACING__HEADERS", "api-key=hush")
    assert "hush" not in f"{Settings()!r} {Settings().model_dump_json()}"
