"""Looking at dead letters from the command line, against a real broker."""

import json

from service.broker import free_port
from tests.cluster import Cluster, articles
from tests.dead_letters import Bytes, assert_one_clear_line, bury, dlq, replayed
from tests.test_headers import TRACE


def test_dead_letters_are_listed(cluster: Cluster) -> None:
    """A line for each with what the worker said of it, then how many there are of each kind."""
    bury(cluster, articles(9), age_s=3600)
    result = dlq(cluster, "list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert len(lines) == 1 + 9 + 1 + 1 + 2 + 1
    name = cluster.settings.topics.articles
    assert lines[0].split() == [
        "place", "written", "stage", "exception", "tries", "bytes", "came", "from", "key",
        "message",
    ]  # fmt: skip
    assert lines[3].split()[2:] == [
        "infer", "RuntimeError", "3", "61", f"{name}:2:2", "article-2", "out", "of", "luck",
    ]  # fmt: skip
    assert [line.split()[:3] for line in lines[-3:-1]] == [
        ["5", "infer", "RuntimeError"],
        ["4", "decode", "DecodeError"],
    ]
    assert lines[-1] == f"9 of 9 dead letters in {cluster.settings.topics.dead_letters}"


def test_all_of_a_topic_is_read_and_listed_as_json(cluster: Cluster) -> None:
    """Hundreds of several sizes, an object each, the last of every partition too."""
    dead: list[Bytes] = [
        (key, value * (1 + n % 50)) for n, (key, value) in enumerate(articles(400))
    ]
    dead += [(None, None), (b"\xff", b""), (b"gone", None)]
    bury(cluster, dead)
    result = dlq(cluster, "list", "--json")
    assert result.exit_code == 0
    listed = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["source_offset"] for one in listed] == list(range(403))
    assert [one["size"] for one in listed] == [None if v is None else len(v) for _, v in dead]
    assert [one["key"] for one in listed[-4:]] == ["article-399", None, None, "gone"]
    assert listed[-2]["key_base64"] == "/w=="


def test_filters_are_the_same_for_list_and_replay(cluster: Cluster) -> None:
    """What list shows with filters is what replay would send with them."""
    bury(cluster, articles(8), age_s=3 * 3600)
    bury(cluster, articles(8, first=8), age_s=3600)
    for filters, count in (
        (["--stage", "decode"], 8),
        (["--reason", "RuntimeError"], 8),
        (["--reason", "invalid json", "--limit", "3"], 3),
        (["--since", "2h"], 8),
        (["--until", "2h", "--stage", "infer"], 4),
        (["--offsets", "0:0-1", "--offsets", "3:3"], 3),
        (["--source-offsets", "1:5-"], 2),
        (["--key", "article-9"], 1),
        (["--key", "article-9", "--until", "2h"], 0),
    ):
        listed = dlq(cluster, "list", "--json", *filters)
        assert len(listed.stdout.splitlines()) == count, filters
        dry = dlq(cluster, "replay", "--dry-run", *filters)
        assert (dry.exit_code, dry.stderr) == (0, "")
        topic = cluster.settings.topics
        words = f"would replay {count} to {topic.articles}" if count else "none of the 16 dead"
        assert words in dry.stdout, filters
    assert replayed(cluster, 0) == []


def test_one_is_shown_whole(cluster: Cluster) -> None:
    """All its headers and its value, as text or as a dump; or the bytes as they are."""
    dead = [(b"a", "Grüße\x1b[2J".encode()), (b"b", b"\xff\x00" * 4000), (None, None)]
    bury(cluster, dead)
    shown = dlq(cluster, "show", "0:0").stdout
    assert "origin" in shown
    assert TRACE.decode() in shown
    assert "builtins.RuntimeError" in shown
    assert shown.splitlines()[-1] == "Grüße\N{REPLACEMENT CHARACTER}[2J"
    dump = dlq(cluster, "show", "0:1").stdout.splitlines()
    assert dump[-1] == "… and 3904 more bytes"
    assert dump[-2].startswith("00000ff0  ff 00 ff 00")
    assert dlq(cluster, "show", "0:1", "--raw").stdout_bytes == dead[1][1]
    assert "no value" in dlq(cluster, "show", "1:0").stdout
    assert dlq(cluster, "show", "1:0", "--raw").stdout_bytes == b""


def test_no_dead_letters_is_no_error(cluster: Cluster) -> None:
    """An empty topic is said to be empty; exit code 0."""
    for command in (["list"], ["replay", "--yes"], ["replay", "--dry-run"]):
        result = dlq(cluster, *command)
        assert result.exit_code == 0
        assert "no dead letters in" in result.stdout
    assert dlq(cluster, "list", "--json").stdout == ""
    assert_one_clear_line(dlq(cluster, "show", "0:0"), 2, "its partition 0 holds nothing")
    assert_one_clear_line(dlq(cluster, "show", "9:0"), 2, "no partition 9")


def test_wrong_use_is_told(cluster: Cluster) -> None:
    """Filters that are none, unknown topics, nobody to ask: one line, exit code 2."""
    bury(cluster, articles(1))
    for option in ("--since", "--until", "--offsets", "--source-offsets"):
        for command in ("list", "replay"):
            yes = ["--yes"] if command == "replay" else []
            assert_one_clear_line(dlq(cluster, command, option, "x", *yes), 2, "'x'")
    assert_one_clear_line(dlq(cluster, "show", "x"), 2, "'x'")
    assert_one_clear_line(dlq(cluster, "replay"), 2, "--yes")
    assert_one_clear_line(dlq(cluster, "replay", "--yes", "--to", "missing"), 2, "no topic missing")
    topic = cluster.settings.topics.dead_letters
    assert_one_clear_line(
        dlq(cluster, "replay", "--yes", "--to", topic), 2, "dead-letter topic itself"
    )
    other = {"CLAIMSTREAM_TOPICS__DEAD_LETTERS": "missing"}
    for command in (["list"], ["show", "0:0"], ["replay", "--yes"]):
        assert_one_clear_line(dlq(cluster, *command, **other), 2, "no topic missing")


def test_an_unreachable_broker_is_told(cluster: Cluster) -> None:
    """Nobody listens there: one line, exit code 2."""
    servers = f"127.0.0.1:{free_port()}"
    for command in (["list"], ["show", "0:0"], ["replay", "--yes"]):
        result = dlq(cluster, *command, "--bootstrap-servers", servers)
        assert_one_clear_line(result, 2, f"no broker at {servers}")


def test_every_command_has_an_example(cluster: Cluster) -> None:
    """--help of each command says how it is used."""
    for command in ("list", "show", "replay"):
        result = dlq(cluster, command, "--help")
        assert result.exit_code == 0
        assert f"Example: claimstream dlq {command}" in result.stdout
