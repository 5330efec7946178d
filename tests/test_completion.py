"""Shell completion: the script that is shown or installed completes our commands."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# The command as it is installed beside this Python: completion asks it by its name.
COMMAND = Path(sys.executable).with_name("claimstream")

pytestmark = [
    pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash"),
    pytest.mark.skipif(not COMMAND.exists(), reason="claimstream is not installed beside Python"),
]


def bash(script: str, home: Path) -> str:
    """Run a script in a bash that has read nothing of ours, and return what it printed."""
    path = f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "--noprofile", "-c", script],  # noqa: S607 - which bash is the user's
        env={"PATH": path, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    return done.stdout


def completed(words: str) -> str:
    """A script's end that prints what the last of some words can become."""
    number = len(words.split(" ")) - 1
    return (
        f"COMP_WORDS=({words}); COMP_CWORD={number}; COMP_LINE='{words}'\n"
        'function=$(complete -p claimstream | sed "s/.*-F \\([^ ]*\\) .*/\\1/")\n'
        '"$function" claimstream; echo "${COMPREPLY[@]}"\n'
    )


def test_the_script_that_is_shown_completes_commands(tmp_path: Path) -> None:
    """Beginnings of commands, of those in groups, and of options."""
    script = "claimstream --show-completion > script; . ./script\n"
    ends = "".join(
        map(completed, ["claimstream doc", "claimstream dlq re", "claimstream label --fo"])
    )
    assert bash(f"cd '{tmp_path}'; {script}{ends}", tmp_path).split() == [
        "doctor",
        "replay",
        "--format",
    ]


def test_installing_it_writes_it_where_bash_reads_it(tmp_path: Path) -> None:
    """The shell's own start file reads the script from then on."""
    bash("claimstream --install-completion; true", tmp_path)
    out = bash(f". ~/.bashrc\n{completed('claimstream eval')}", tmp_path)
    assert out.split() == ["evaluate"]
