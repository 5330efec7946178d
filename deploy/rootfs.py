# ruff: noqa: INP001 - a program on its own
"""Puts together what serving needs, and nothing else: ``python deploy/rootfs.py FOLDER``.

Run by the Python of the environment that claimstream is installed in, while the image is built. The
folder becomes the image: the packages that claimstream depends on, the released models without
their weights, Python, the shared libraries that all of it is linked with. There is no shell, no
package manager and no tool that could be used by somebody who got in.
"""

from __future__ import annotations

import compileall
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib.metadata import Distribution, distribution
from pathlib import Path
from py_compile import PycInvalidationMode

from packaging.requirements import Requirement

USER, ID = "claimstream", 10001
EXTRAS = frozenset({"tracing"})  # off unless it is asked for; nobody can install it later
# What a package wants that we do not use of it: files from a hub, the tools that make graphs.
UNUSED_PACKAGES = {("tokenizers", "huggingface-hub"), ("onnxruntime", "protobuf")}
# Within packages and the standard library: paths as fnmatch takes them, from where Python looks.
UNUSED_FILES = (
    "models/*.safetensors",  # the graphs in models/*/onnx are made of them
    "*/tests/*",
    "*.pyi",
    "*.pxd",
    "*.[ach]",
    "*.pyx",
    "babel/locale-data/*",  # courlan asks for languages in addresses of pages to crawl; we do not
    "pygments/lexers/[!_]*",  # rich could colour programs
    "lxml/objectify*",
    "onnxruntime/capi/libonnxruntime.so*",  # for programs in C; the Python module has its own
    "onnxruntime/transformers/*",
    "onnxruntime/quantization/*",
    "onnxruntime/tools/*",
    # Modules of the standard library that bring libraries along: databases, terminals, NIS.
    *(
        f"lib-dynload/{name}*"
        for name in ("_sqlite3", "_dbm", "_gdbm", "_curses", "readline", "nis")
    ),
    "numpy/_core/_simd.*",
    "numpy/_core/*_tests.*",
    "numpy/distutils/*",
    "numpy/f2py/*",
)
UNUSED_MODULES = ("test", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3", "pydoc_data")


def requirements(name: str, extras: frozenset[str] = frozenset()) -> dict[str, Distribution]:
    """A package and all that it depends on, by name."""
    found: dict[str, Distribution] = {}
    waiting = [(name, extras)]
    seen = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        found[name] = distribution(name)
        for line in found[name].requires or []:
            wanted = Requirement(line)
            if wanted.marker is None or any(
                wanted.marker.evaluate({"extra": extra}) for extra in extras or {""}
            ):
                other = re.sub(r"[-_.]+", "-", wanted.name).lower()
                if (name, other) not in UNUSED_PACKAGES:
                    waiting.append((other, frozenset(wanted.extras)))
    return found


def package_files() -> Iterator[Path]:
    """The files of claimstream and of all that it depends on."""
    site = Path(sysconfig.get_path("purelib"))
    for package in requirements("claimstream", EXTRAS).values():
        for file in package.files or []:
            path = Path(os.path.normpath(package.locate_file(file)))
            if path.is_relative_to(site) and path.is_file() and is_used(path.relative_to(site)):
                yield path
    yield from site.glob("models/*/onnx/*")


def is_used(path: Path) -> bool:
    """Whether a file, by its path from where Python looks, is of use to who serves."""
    return path.suffix != ".pyc" and not any(fnmatch(str(path), unused) for unused in UNUSED_FILES)


def python_files() -> Iterator[Path]:
    """The standard library, the interpreter, and the environment's own files."""
    library = Path(sysconfig.get_path("stdlib", vars={"base": sys.base_prefix}))
    unused = {*UNUSED_MODULES, "site-packages", "dist-packages"}
    for path in library.rglob("*"):
        inside = path.relative_to(library)
        if inside.parts[0] in unused or inside.parts[0].startswith("config-"):
            continue
        if path.is_file() and is_used(inside):
            yield path
    environment = Path(sys.prefix)
    yield environment / "pyvenv.cfg"
    yield environment / "bin/claimstream"
    for name in ("python", "python3"):
        yield environment / "bin" / name
    # The environment's Python is a link, perhaps to a link.
    path = Path(sys.executable)
    while path.is_symlink():
        path = path.parent / path.readlink()
        yield path


def libraries(files: Iterator[Path]) -> set[Path]:
    """The shared libraries that programs and modules are linked with, as the system finds them."""
    needed = set()
    for file in files:
        told = subprocess.run(["ldd", str(file)], capture_output=True, text=True, check=False)  # noqa: S603, S607 - glibc's own, on our own files
        needed |= {Path(found) for found in re.findall(r"(/\S+) \(0x", told.stdout)}
        if missing := re.findall(r"(\S+) => not found", told.stdout):
            raise SystemExit(f"{file}: no {', '.join(missing)}")
    return needed


def is_binary(path: Path) -> bool:
    """Whether a file is a program or a shared library."""
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def copy(path: Path, root: Path) -> None:
    """Copy a file to its own place below the root; what is linked by name is a file there."""
    target = root / path.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, target, follow_symlinks=not path.name.startswith("python"))


def write_system(root: Path) -> None:
    """The few files that libraries look for, and a folder for what is passing."""
    for name in ("etc/ld.so.cache", "etc/ssl/certs/ca-certificates.crt", "etc/os-release"):
        if (path := Path("/") / name).exists():
            copy(path, root)
    etc = root / "etc"
    (etc / "passwd").write_text(f"{USER}:x:{ID}:{ID}::/tmp:/none\n")
    (etc / "group").write_text(f"{USER}:x:{ID}:\n")
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)


def main() -> None:
    """Fill the folder that is named."""
    root = Path(sys.argv[1])
    files = {*package_files(), *python_files()}
    files |= libraries(path for path in sorted(files) if is_binary(path))
    for path in sorted(files):
        copy(path, root)
    write_system(root)
    for folder in (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")):
        compileall.compile_dir(
            root / Path(folder).relative_to("/"),
            stripdir=root,
            prependdir="/",
            quiet=1,
            # Nothing changes in an image: Python need not look whether it did.
            invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        )


if __name__ == "__main__":
    main()
