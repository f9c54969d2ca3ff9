"""The built-in tool file_operations: what it does, and that no path leads out of the session's directories."""

from __future__ import annotations

import asyncio
import os

import pytest

from agentcore_local import agents
from agentcore_local.agents.machine import Machine
from agentcore_local.agents.tools.base import ToolFailed
from agentcore_local.agents.tools.directories import Directories
from agentcore_local.agents.tools.files import MAX_FILE, FileOperations


@pytest.fixture
def operate(caller, script, calling):
    """Runs one operation through an agent; gives status and text of its result."""
    client = caller()

    def one(command: str, path: str, **arguments) -> tuple[str, str]:
        script(calling("file_operations", command=command, path=path, **arguments), "ok")
        (result,) = client.say("x").results
        return result

    return one


@pytest.fixture
def workspace(operate):
    """The working directory on the host."""
    operate("list", ".")
    (session,) = agents.sessions
    return Directories(session.machine, ()).on_host("/workspace")


def test_create_and_view(operate):
    assert operate("create", "notes.md", file_text="one\ntwo\n") == (
        "success",
        "Wrote 2 line(s) to /workspace/notes.md.",
    )
    assert operate("view", "notes.md") == ("success", "     1\tone\n     2\ttwo\n")
    assert operate("view", "/workspace/notes.md", view_range=[2, -1]) == ("success", "     2\ttwo\n")


def test_create_makes_directories_and_overwrites(operate):
    operate("create", "a/b/c.txt", file_text="a long first version")
    operate("create", "a/b/c.txt", file_text="v2")
    assert operate("view", "a/b/c.txt") == ("success", "     1\tv2")


def test_an_empty_file_is_said_to_be_empty(operate):
    operate("create", "empty", file_text="")
    assert operate("view", "empty") == ("success", "[empty]")


def test_str_replace(operate):
    operate("create", "f", file_text="a b c")
    assert operate("str_replace", "f", old_str="b", new_str="X") == ("success", "Replaced one text in /workspace/f.")
    assert operate("str_replace", "f", old_str=" c")[0] == "success"
    assert operate("view", "f")[1] == "     1\ta X"


@pytest.mark.parametrize(("text", "times"), [("a a", 2), ("b", 0)])
def test_str_replace_needs_exactly_one_place(operate, text, times):
    operate("create", "f", file_text=text)
    status, words = operate("str_replace", "f", old_str="a", new_str="X")
    assert (status, words) == ("error", f"old_str must occur exactly once in f; it occurs {times} times.")


@pytest.mark.parametrize(
    ("line", "text", "after"),
    [(0, "X", "X\n1\n2"), (1, "X\n", "1\nX\n2"), (2, "X", "1\n2\nX"), (2, "X\nY", "1\n2\nX\nY")],
)
def test_insert(operate, workspace, line, text, after):
    operate("create", "f", file_text="1\n2")
    assert operate("insert", "f", insert_line=line, insert_text=text)[0] == "success"
    assert (workspace / "f").read_text() == after


@pytest.mark.parametrize("line", [-1, 3])
def test_insert_stays_within_the_file(operate, line):
    operate("create", "f", file_text="1\n2")
    assert operate("insert", "f", insert_line=line, insert_text="X") == (
        "error",
        f"insert_line must be 0-2; received {line}.",
    )


def test_list(operate, workspace):
    operate("create", "b.txt", file_text="xyz")
    (workspace / "a").mkdir()
    (workspace / "link").symlink_to("/etc/passwd")
    assert operate("list", ".") == ("success", "a/\nb.txt (3 bytes)\nlink -> (symbolic link)")
    assert operate("list", "a") == ("success", "[empty]")


def test_a_long_listing_is_cut(operate, workspace):
    for number in range(1001):
        (workspace / f"{number:04d}").touch()
    text = operate("list", ".")[1]
    assert text.splitlines()[-1] == "[... 1 more ...]"
    assert len(text.splitlines()) == 1001


@pytest.mark.parametrize("limits", [[0, 1], [2, 1], [1], ["1", "2"], [1, 2, 3], [1.0, 2]])
def test_a_nonsense_range_is_refused(operate, limits):
    operate("create", "f", file_text="1\n2")
    status, text = operate("view", "f", view_range=limits)
    assert status == "error"
    assert text.startswith("view_range must be")


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../secret",
        "a/../../secret",
        "/workspace/../etc/passwd",
        "/workspacex",
        "/",
        "/mnt/data/x",
        "a\0b",
        "",
    ],
)
def test_paths_outside_are_refused(operate, path):
    for command, arguments in (("view", {}), ("create", {"file_text": "x"})):
        status, _text = operate(command, path, **arguments)
        assert status == "error"
    assert operate("list", path)[0] == ("success" if path == "" else "error")


def test_the_refusal_names_the_directories_there_are(operate):
    expected = "/etc/passwd is outside of this session's directories; use a path in /workspace, /tmp."
    assert operate("view", "/etc/passwd") == ("error", expected)


@pytest.fixture
def secret(tmp_path):
    (tmp_path / "secret").write_text("the secret")
    return tmp_path


@pytest.mark.parametrize("command", ["view", "create"])
@pytest.mark.parametrize("path", ["link", "dir/secret", "chain/secret"])
def test_symbolic_links_are_refused(operate, workspace, secret, command, path):
    (workspace / "link").symlink_to(secret / "secret")
    (workspace / "dir").symlink_to(secret)
    (workspace / "chain").symlink_to("dir")
    status, text = operate(command, path, file_text="x")
    assert status == "error"
    assert "symbolic link" in text
    assert (secret / "secret").read_text() == "the secret"


def test_links_within_the_directory_are_refused_too(operate, workspace):
    (workspace / "real").write_text("x")
    (workspace / "link").symlink_to("real")
    assert operate("view", "link")[0] == "error"


def test_directories_cannot_be_made_through_a_link(operate, workspace, secret):
    (workspace / "dir").symlink_to(secret)
    assert operate("create", "dir/new/file", file_text="x")[0] == "error"
    assert not (secret / "new").exists()


def test_listing_through_a_link_is_refused(operate, workspace, secret):
    (workspace / "dir").symlink_to(secret)
    assert "secret" not in operate("list", "dir")[1].replace("symbolic", "")


def test_special_files_are_refused_without_waiting_for_them(operate, workspace):
    os.mkfifo(workspace / "pipe")
    assert operate("view", "pipe") == ("error", "pipe is not a regular file.")
    assert operate("create", "pipe", file_text="x") == ("error", "pipe is not a regular file.")
    (workspace / "sub").mkdir()
    assert operate("view", "sub") == ("error", "sub is not a regular file.")
    assert operate("view", "/workspace") == ("error", "/workspace is a directory, not a file.")


def test_missing_files_are_said_to_be_missing(operate):
    assert operate("view", "nope") == ("error", "nope does not exist.")
    assert operate("list", "nope") == ("error", "nope does not exist.")


def test_binary_files_are_not_shown(operate, workspace):
    (workspace / "bin").write_bytes(b"\xff\xfe\x00")
    assert operate("view", "bin") == ("error", "bin is not a UTF-8 text file.")


def test_the_largest_file_that_can_be_written_and_read(tmp_path):
    files = FileOperations(Directories(Machine(lambda: tmp_path), ()))

    def operate(command: str, **arguments) -> str:
        return asyncio.run(files.call({"command": command, "path": "big", **arguments}))

    assert operate("create", file_text="x" * MAX_FILE) == "Wrote 1 line(s) to /workspace/big."
    assert len(operate("view")) > MAX_FILE
    with pytest.raises(ToolFailed, match="The content is too large: 1000001 bytes"):
        operate("create", file_text="x" * (MAX_FILE + 1))
    (tmp_path / "workspace" / "big").write_bytes(b"x" * (MAX_FILE + 1))
    with pytest.raises(ToolFailed, match="big is too large: 1000001 bytes"):
        operate("view")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "The argument command is missing."),
        ({"command": "view"}, "The argument path is missing."),
        (
            {"command": "dance", "path": "x"},
            "The argument command must be one of view, create, str_replace, insert, list;",
        ),
        ({"command": 1, "path": "x"}, "The argument command must be of type str; received int."),
        ({"command": "create", "path": "x"}, "The argument file_text is missing."),
        (
            {"command": "insert", "path": "x", "insert_line": True, "insert_text": ""},
            "The argument insert_line must be of",
        ),
    ],
)
def test_arguments_are_checked(caller, script, calling, arguments, words):
    script(calling("file_operations", **arguments), "ok")
    (result,) = caller().say().results
    assert result[0] == "error"
    assert result[1].startswith(words)


def test_the_shell_and_the_files_are_the_same_place(operate, caller, script, calling):
    operate("create", "/tmp/here", file_text="from files\n")
    (session,) = agents.sessions
    client = caller(session=session.key.session_id)
    script(calling("shell", command="cat /tmp/here; echo from shell > there"), "ok")
    assert client.say().results == [("success", "from files\n")]
    assert operate("view", "there") == ("success", "     1\tfrom shell\n")
