"""Images for the tests: a base with Python, and ours built on it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.docker.engine import Engine

ROOT: Final = Path(__file__).parents[2]
# Names an image with Python and its venv to build on; without it one is made with debootstrap.
BASE: Final = "CLAIMSTREAM_TEST_BASE_IMAGE"
IMPORTED, BUILT = "claimstream-base:test", "claimstream:test"
CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
_SUITE: Final = "bookworm"  # its Python is 3.11
_BUILD_S: Final = 1800.0


def base_image(engine: Engine, folder: Path) -> str:
    """The image to build on: the one that is named, or a minimal Debian with Python.

    Skips the test where none is named and none can be made.
    """
    if named := os.environ.get(BASE):
        return named
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        pytest.skip(f"no {BASE} is set, and only root, with debootstrap installed, can make one")
    system = folder / "base"
    packages = "--include=python3,python3-venv,ca-certificates"
    made = subprocess.run(
        ["debootstrap", "--variant=minbase", packages, _SUITE, str(system), _mirror()],  # noqa: S607 - Debian's own
        capture_output=True, text=True, check=False, timeout=_BUILD_S,
    )  # fmt: skip
    if made.returncode != 0:
        pytest.skip(f"debootstrap failed: {(made.stdout + made.stderr).strip().splitlines()[-1]}")
    # Whoever is between us and the package index here may have a certificate of its own.
    shutil.copyfile(CERTIFICATES, system / CERTIFICATES.relative_to("/"))
    importing = engine.stream("import", "-", IMPORTED)
    packing = subprocess.Popen(["tar", "-C", str(system), "-c", "."], stdout=importing.stdin)  # noqa: S607 - the system's
    assert packing.wait() == 0
    importing.communicate(timeout=_BUILD_S)
    assert importing.returncode == 0
    shutil.rmtree(system)
    return IMPORTED


def build(engine: Engine, base: str, target: str, name: str) -> None:
    """Build an image of ours, with the package indexes that pip is told of here."""
    arguments = {"BASE": base, "PIP_CERT": str(CERTIFICATES) if base == IMPORTED else None}
    arguments |= {key: os.environ.get(key) for key in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")}
    engine.run(
        *["build", "--network", "host", "--target", target, "--tag", name],
        *["--file", str(ROOT / "deploy/Dockerfile")],
        *[
            part
            for key, value in arguments.items()
            if value
            for part in ("--build-arg", f"{key}={value}")
        ],
        str(ROOT),
        timeout_s=_BUILD_S,
    )


def _mirror() -> str:
    """The address of Debian's packages that apt uses here."""
    told = subprocess.run(
        [
            *["apt-get", "indextargets", "--format", "$(REPO_URI)"],
            *["Created-By: Packages", f"Codename: {_SUITE}"],
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    addresses = told.stdout.split()
    if not addresses:
        pytest.skip(f"apt has no packages of Debian {_SUITE} here to make an image of")
    return addresses[0]
