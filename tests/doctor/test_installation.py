"""Checks of the set-up: a damaged model, an occupied port, secrets that nobody can read."""

import asyncio
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web
from prometheus_client import generate_latest

from service.broker import free_port
from service.doctor.findings import Finding
from service.doctor.installation import (
    check_backend,
    check_model,
    check_port,
    check_secrets,
    check_settings,
    memory_needed,
)
from service.metrics import build_metrics
from service.release import check, weight_files
from service.settings import RELEASES, HttpSettings, ModelSettings

SMALL = ModelSettings(size="small")


@pytest.fixture
def copied(tmp_path: Path) -> ModelSettings:
    """A copy of the small model."""
    return ModelSettings(path=shutil.copytree(RELEASES / "small", tmp_path / "model"))


def test_a_released_model_is_named() -> None:
    """With its version and the beginning of its digest."""
    finding = check_model(SMALL)
    model = check(SMALL.folder)
    assert finding.status == "ok"
    assert f"{model.name} {model.version}" in finding.found
    assert model.digest[:19] in finding.found


def weights(model: ModelSettings) -> str:
    """The name of the only file of weights."""
    (name,) = weight_files(model.folder)
    return name


def test_a_model_without_its_weights_is_named(copied: ModelSettings) -> None:
    """Beside its ONNX file it needs none, which is said; torch cannot run it."""
    assert (copied.folder / "onnx").exists()
    (copied.folder / weights(copied)).unlink()
    finding = check_model(copied)
    assert finding.status == "ok"
    assert "its weights were left out" in finding.found
    assert check_backend(copied).found.startswith("onnx-int8")
    finding = check_backend(copied.model_copy(update={"backend": "torch"}))
    assert finding.status == "fail"
    assert "no weights in" in finding.found


def test_a_damaged_model_fails(copied: ModelSettings) -> None:
    """One byte of the weights is another one: the file is named, and what to do."""
    with (copied.folder / weights(copied)).open("r+b") as file:
        byte = file.read(1)
        file.seek(0)
        file.write(bytes([byte[0] ^ 1]))
    finding = check_model(copied)
    assert finding.status == "fail"
    assert f"{weights(copied)} has another digest" in finding.found
    assert "CLAIMSTREAM_MODEL__PATH" in str(finding.do)


def test_a_missing_model_fails(tmp_path: Path) -> None:
    """The folder is named; how much memory it takes is not known."""
    settings = ModelSettings(path=tmp_path)
    finding = check_model(settings)
    assert finding.status == "fail"
    assert f"no model in {tmp_path}" in finding.found
    assert memory_needed(settings) is None


def test_int8_takes_less_memory_than_torch(copied: ModelSettings) -> None:
    """What is compared with the memory there is follows from what the network runs in."""
    needed = {
        backend: memory_needed(copied.model_copy(update={"backend": backend}))
        for backend in ("onnx", "torch")
    }
    assert needed["onnx"] is not None
    assert needed["torch"] is not None
    assert 100_000_000 < needed["onnx"] < 300_000_000 < needed["torch"]


def test_the_backend_is_found_by_labelling() -> None:
    """It says library and numbers, and how long loading and a sentence take."""
    finding = check_backend(SMALL.model_copy(update={"backend": "torch"}))
    assert finding.status == "ok"
    assert finding.found.startswith("torch-")
    assert "loaded in" in finding.found


def test_a_backend_that_was_not_made_fails(copied: ModelSettings) -> None:
    """ONNX is asked for and there is no such file: how to make it is said."""
    shutil.rmtree(copied.folder / "onnx", ignore_errors=True)
    finding = check_backend(copied.model_copy(update={"backend": "onnx"}))
    assert finding.status == "fail"
    assert "python -m models.export" in finding.found
    assert "CLAIMSTREAM_MODEL__BACKEND=torch" in str(finding.do)


def port(http: HttpSettings) -> Finding:
    """Check a port."""
    return asyncio.run(check_port(http))


@contextmanager
def listening() -> Iterator[int]:
    """A port that something listens on which is none of ours."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_free_port_is_fine() -> None:
    """And is free again afterwards."""
    http = HttpSettings(port=free_port())
    assert port(http).status == port(http).status == "ok"
    assert port(HttpSettings(port=0)).status == "ok"


def test_an_occupied_port_fails() -> None:
    """Somebody else listens there: how to find out who is said."""
    with listening() as taken:
        finding = port(HttpSettings(port=taken))
    assert finding.status == "fail"
    assert f"127.0.0.1:{taken}" in finding.found
    assert str(taken) in str(finding.do)


def test_a_worker_of_ours_on_the_port_is_no_failure() -> None:
    """Beside a running worker the doctor says so; only a second one needs another port."""
    metrics = build_metrics()

    async def show(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.registry))

    async def run() -> Finding:
        app = web.Application()
        app.router.add_get("/metrics", show)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            return await check_port(HttpSettings(port=runner.addresses[0][1]))
        finally:
            await runner.cleanup()

    finding = asyncio.run(run())
    assert finding.status == "warn"
    assert "a claimstream worker serves there" in finding.found


def test_an_address_of_another_machine_fails() -> None:
    """It cannot be listened on."""
    finding = port(HttpSettings(host="192.0.2.1", port=8000))
    assert finding.status == "fail"
    assert "CLAIMSTREAM_HTTP__HOST" in str(finding.do)


def test_secrets_that_can_be_read(tmp_path: Path) -> None:
    """None are needed; where there are some they are counted, hidden files left out."""
    assert check_secrets(None).status == "ok"
    (tmp_path / "CLAIMSTREAM_KAFKA__SASL_PASSWORD").write_text("hush")
    (tmp_path / "claimstream_kafka__sasl_username").write_text("desk")
    (tmp_path / "..data").write_bytes(b"\xff")
    finding = check_secrets(str(tmp_path))
    assert finding.status == "ok"
    assert finding.found.endswith(": 2 files")


def test_secrets_that_cannot_be_read(tmp_path: Path) -> None:
    """No such folder, a file, one that is no text: what is wrong is named, and no secret."""
    (tmp_path / "CLAIMSTREAM_KAFKA__SASL_PASSWORD").write_bytes(b"hush\xff")
    for folder in ("none", "CLAIMSTREAM_KAFKA__SASL_PASSWORD", "."):
        finding = check_secrets(str(tmp_path / folder))
        assert finding.status == "fail"
        assert str(tmp_path) in finding.found
        assert finding.do
        assert "hush" not in finding.found


def test_secrets_that_nobody_reads(tmp_path: Path) -> None:
    """A file named otherwise than its variable has no effect: that is worth a warning."""
    (tmp_path / "sasl_password").write_text("hush")
    finding = check_secrets(str(tmp_path))
    assert finding.status == "warn"
    assert "sasl_password" in finding.found
    assert "CLAIMSTREAM_KAFKA__SASL_PASSWORD" in str(finding.do)


def test_wrong_settings_fail() -> None:
    """With what is wrong."""
    assert check_settings(None).status == "ok"
    assert check_settings("wrong setting X")[:3] == ("settings", "fail", "wrong setting X")
