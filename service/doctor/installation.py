"""Checks of the set-up on this machine: settings, secrets, model, backend, HTTP port."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import aiohttp

from service.doctor.findings import Finding, ok, warn
from service.doctor.findings import fail as failed
from service.settings import PREFIX, HttpSettings, ModelSettings

_ANSWER_S: Final = 2.0
# The peak while a release is loaded and labels, measured on base and small: a share of its
# own, and so many times the file of the graph, or with torch the files of weights.
_ONNX_BYTES, _PER_GRAPH = 150 * 1024 * 1024, 1.6
_TORCH_BYTES, _PER_WEIGHT = 400 * 1024 * 1024, 4
_SENTENCE: Final = (
    "The mayor said on Monday that the old bridge would stay closed until the spring."
)


def check_settings(fault: str | None) -> Finding:
    """Whether the settings make sense; ``fault`` says why not."""
    if fault is None:
        return ok("settings", "read from the environment and the secrets folder")
    return failed("settings", fault, "mend or unset it; README.md lists the variables")


def check_secrets(folder: str | None) -> Finding:
    """Whether the folder that ``CLAIMSTREAM_SECRETS_DIR`` names can be read, and its files."""
    check, variable = "secrets folder", f"{PREFIX}SECRETS_DIR"
    if folder is None:
        return ok(check, f"none: {variable} is not set")
    path, files = Path(folder).expanduser(), 0
    try:
        names = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith("."))
        for name in names:
            if (path / name).is_file():
                (path / name).read_text(encoding="utf-8")
                files += 1
    except OSError as error:
        what = error.filename or folder
        return failed(
            check, f"{what}: {error.strerror}", f"let this user read it, or unset {variable}"
        )
    except UnicodeDecodeError:
        return failed(check, f"{path / name} is not UTF-8", "write it again as UTF-8 text")
    foreign = [name for name in names if not name.upper().startswith(PREFIX)]
    said = f"{folder}: {files} file{'' if files == 1 else 's'}"
    if foreign:
        return warn(
            check,
            f"{said}, of which nobody reads {', '.join(foreign)}",
            f"name each as its variable, for example {PREFIX}KAFKA__SASL_PASSWORD",
        )
    return ok(check, said)


def memory_needed(settings: ModelSettings) -> int | None:
    """Bytes that a worker takes with the model, about; None where its files cannot be found."""
    from service.release import (  # noqa: PLC0415 - imports tokenizers
        ONNX,
        ReleaseError,
        runs_in_onnx,
        weight_files,
    )

    folder = settings.folder
    try:
        if runs_in_onnx(settings):
            return _ONNX_BYTES + int(_PER_GRAPH * (folder / ONNX / "model.onnx").stat().st_size)
        return _TORCH_BYTES + _PER_WEIGHT * sum(
            (folder / name).stat().st_size for name in weight_files(folder)
        )
    except (OSError, ReleaseError):
        return None


def check_model(settings: ModelSettings) -> Finding:
    """Whether the model is there, and every file of it the one released."""
    from service.release import (  # noqa: PLC0415 - imports tokenizers
        ReleaseError,
        check,
        lacks_weights,
    )

    try:
        model = check(settings.folder)
    except ReleaseError as error:
        again = (
            f"set {PREFIX}MODEL__PATH to the folder of a released model, or unset it"
            if settings.path
            else f"check the files of models/{settings.size} out again"
        )
        return failed("model", str(error), again)
    said = f"{model.name} {model.version}, as released ({model.digest[:19]}…)"
    left_out = "; its weights were left out" if lacks_weights(settings.folder) else ""
    return ok("model", said + left_out)


def check_backend(settings: ModelSettings) -> Finding:
    """What the model is computed with, found by labelling a sentence."""
    from service.contracts import Article  # noqa: PLC0415 - what follows imports torch
    from service.pipeline import label_article  # noqa: PLC0415
    from service.release import ReleaseError, load  # noqa: PLC0415

    started = time.perf_counter()
    try:
        labeller = load(settings)
    except ReleaseError as error:
        instead = f", or set {PREFIX}MODEL__BACKEND=torch" if _has_torch() else ""
        return failed("backend", str(error), f"do as it says{instead}")
    loaded = time.perf_counter()
    article = Article(id="doctor", body=_SENTENCE)
    label_article(article, labeller)
    warm = time.perf_counter()
    label_article(article, labeller)
    took_ms = (time.perf_counter() - warm) * 1000
    taken = labeller.model.backend
    said = f"{taken}: loaded in {loaded - started:.1f} s, a sentence in {took_ms:.0f} ms"
    return ok("backend", said + _why_not_onnx(settings, taken))


def _has_torch() -> bool:
    return all(find_spec(name) is not None for name in ("torch", "transformers"))


def _why_not_onnx(settings: ModelSettings, taken: str) -> str:
    from service.release import MAKE, ONNX, int8_differing  # noqa: PLC0415 - imports tokenizers

    if settings.backend != "auto" or taken.startswith("onnx"):
        return ""
    if not (settings.folder / ONNX).exists():
        return f"; int8 is faster: {MAKE} {settings.folder}"
    differing = int8_differing(settings.folder)
    if differing is None:
        return "; the ONNX file there is not taken: how near its labels are was never measured"
    return f"; the ONNX file there is not taken: {differing:.1%} of its labels differ"


async def check_port(http: HttpSettings) -> Finding:
    """Whether a worker could serve metrics and health where the settings say."""
    check, place = "HTTP port", f"{http.host}:{http.port}"
    if http.port == 0:
        return ok(check, f"{http.host}, any free port")
    try:
        server = await asyncio.start_server(lambda *_: None, http.host, http.port)
    except OSError as error:
        said = f"cannot listen on {place}: {os.strerror(error.errno) if error.errno else error}"
        if error.errno != errno.EADDRINUSE:
            return failed(check, said, f"set {PREFIX}HTTP__HOST to an address of this machine")
        if await _is_worker(http):
            return warn(
                check,
                f"{place}: a claimstream worker serves there already",
                f"for another one beside it set {PREFIX}HTTP__PORT=0 or to another port",
            )
        return failed(
            check,
            said,
            f"see what listens there (ss -ltnp 'sport = :{http.port}'), or set {PREFIX}HTTP__PORT",
        )
    server.close()
    await server.wait_closed()
    return ok(check, f"{place} is free")


async def _is_worker(http: HttpSettings) -> bool:
    """Whether what listens there shows our metrics."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(http.host, http.host)  # noqa: S104 - compared
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(_ANSWER_S)) as client,
            client.get(f"http://{host}:{http.port}/metrics") as answer,
        ):
            return "claimstream_" in await answer.text()
    except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError):
        return False
