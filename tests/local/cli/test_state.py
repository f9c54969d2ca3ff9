"""Where the running local cloud is written down, and what is made of a file that is not right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentcore_cli import state
from agentcore_cli.errors import CliError

RECORD = state.Record(
    "http://127.0.0.1:4570", 7, "2026-11-21T00:00:00+00:00", "/tmp/log", "/tmp/state", "/tmp/s", "real", False
)


def test_a_record_is_read_as_it_was_written(folder: Path) -> None:
    state.write(folder, RECORD)

    assert state.read(folder) == RECORD
    assert RECORD.port == 4570


def test_nothing_recorded_is_none(folder: Path) -> None:
    assert state.read(folder) is None


def test_the_folder_is_beside_the_nearest_cdk_json(tmp_path: Path) -> None:
    below = tmp_path / "agents" / "research"
    below.mkdir(parents=True)

    assert state.home({}, below) == tmp_path / ".agentcore"
    (below / "cdk.json").write_text("{}")
    assert state.home({}, below) == below / ".agentcore"


def test_without_a_cdk_json_the_folder_is_here(tmp_path: Path) -> None:
    (tmp_path / "cdk.json").unlink()

    assert state.home({}, tmp_path) == tmp_path / ".agentcore"


def test_agentcore_home_overrides_it(tmp_path: Path) -> None:
    assert state.home({"AGENTCORE_HOME": "shared"}, tmp_path) == tmp_path / "shared"
    assert state.home({"AGENTCORE_HOME": "/srv/agentcore"}, tmp_path) == Path("/srv/agentcore")


def test_git_does_not_see_the_folder(folder: Path) -> None:
    state.write(folder, RECORD)

    assert (folder / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"endpoint": "http://127.0.0.1:1", "pid": "x", "startedAt": ""}'])
def test_a_file_that_is_no_record_is_refused_with_the_way_out(folder: Path, content: str) -> None:
    folder.mkdir()
    (folder / "local.json").write_text(content)

    with pytest.raises(
        CliError, match=r"local\.json does not describe a local cloud .* `agentcore-harness local down`"
    ):
        state.read(folder)


@pytest.mark.parametrize("endpoint", ["https://collector.example", "http://10.0.0.1:4570", "http://127.0.0.1.example"])
def test_a_record_never_leads_to_another_machine(folder: Path, endpoint: str) -> None:
    folder.mkdir()
    (folder / "local.json").write_text(json.dumps(RECORD.to_json() | {"endpoint": endpoint}))

    with pytest.raises(CliError, match="which is not on this machine"):
        state.read(folder)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "http://127.1.2.3", "http://s3.localhost:1"]
)
def test_loopback_addresses(url: str) -> None:
    assert state.is_loopback(url)


def test_forgetting_spares_the_record_of_another_process(folder: Path) -> None:
    state.write(folder, RECORD)

    state.forget(folder, pid=8)
    assert state.read(folder) == RECORD
    state.forget(folder, pid=7)
    assert state.read(folder) is None


def test_a_folder_that_cannot_be_written_to_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(CliError, match=r"cannot be written to .* AGENTCORE_HOME"):
        state.prepare(tmp_path / "file" / ".agentcore")
