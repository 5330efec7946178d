"""Nothing speaks to anybody but the broker: shown where there is no network at all.

In a network namespace that has only loopback, the kernel counts every attempt to go elsewhere, also
those of native code: there is no way there. Name servers are elsewhere too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_NEW = ("unshare", "--map-root-user", "--net")
_ROOT = Path(__file__).resolve().parents[2]
# Counts of the kernel's, of this namespace alone, for version 4 and 6 of the protocol.
_SCRIPT = """
ip link set lo up
"$@" >&2
code=$?
awk '/^Ip:/ && !at { for (n = 1; n <= NF; n++) if ($n == "OutNoRoutes") at = n; next }
     /^Ip:/ { print $at }' /proc/net/snmp
awk '$1 == "Ip6OutNoRoutes" { print $2 }' /proc/net/snmp6
exit $code
"""


def _fault() -> str | None:
    """Why there can be no namespace here, in plain words."""
    for tool in (_NEW[0], "ip", "awk"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    done = subprocess.run(
        [*_NEW, "ip", "link", "set", "lo", "up"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return f"this user may make no network namespace: {done.stderr.strip()}"
    if "nameserver 127." in Path("/etc/resolv.conf").read_text(encoding="utf-8"):
        return "names are resolved on this machine, which is no way out that could be counted"
    return None


FAULT = _fault()
pytestmark = pytest.mark.skipif(FAULT is not None, reason=FAULT or "")


def attempts(*command: str, **extra: str) -> tuple[int, int]:
    """Run a command where there is only loopback.

    Returns:
        Its exit code, and how often it, or a child of its, tried to go elsewhere.
    """
    done = subprocess.run(
        [*_NEW, "bash", "-c", _SCRIPT, "bash", *command],
        # What tells libraries that they are offline is taken away: they are to be so by themselves.
        env={name: value for name, value in os.environ.items() if "OFFLINE" not in name} | extra,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        cwd=_ROOT,
    )
    counts = done.stdout.split()
    assert len(counts) == 2, done.stderr
    return done.returncode, sum(map(int, counts))


def _claimstream(*command: str) -> tuple[int, int]:
    return attempts(
        sys.executable, "-m", "service", *command,
        CLAIMSTREAM_MODEL__SIZE="small", CLAIMSTREAM_LOG__LEVEL="DEBUG",
    )  # fmt: skip


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('192.0.2.1', 80), 1)",
        "socket.create_connection(('2001:db8::1', 80), 1)",
        "socket.getaddrinfo('example.com', 80)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))",
    ],
)
def test_attempts_are_counted(attempt: str) -> None:
    """Connections, datagrams and names that are asked for are counted, and loopback is not."""
    code, count = attempts(sys.executable, "-c", f"import socket; {attempt}")
    assert code == 1
    assert count > 0
    loopback = "import socket; s = socket.create_server(('127.0.0.1', 0)); "
    loopback += "socket.create_connection(s.getsockname())"
    assert attempts(sys.executable, "-c", loopback) == (0, 0)


def test_labelling_asks_nobody(tmp_path: Path) -> None:
    """The model is loaded and labels, and nothing tries to go anywhere."""
    (tmp_path / "article.txt").write_text("The mayor said it had rained. We should go.")
    assert _claimstream("label", "--json", str(tmp_path / "article.txt")) == (0, 0)


@pytest.mark.slow
def test_nothing_asks_anybody() -> None:
    """Neither does the demo (broker, topics, worker, publish, watch), nor evaluate, nor doctor."""
    assert _claimstream("demo", "--once") == (0, 0)
    assert _claimstream("evaluate", "seeds/gold/rates.json") == (0, 0)
    assert _claimstream("doctor")[1] == 0
    assert _claimstream("view", "--bootstrap-servers", "127.0.0.1:1") == (2, 0)
