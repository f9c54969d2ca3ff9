"""`local up|down|status|reset|env`: every way a start and a stop can go."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agentcore_cli import process, state, targets
from agentcore_cli.errors import FAILED, MISUSED, CliError
from agentcore_local.process import DEFAULT_PORT

from .conftest import Run, document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.fake_service import Wire

FAKE = Path(__file__).with_name("fake_agentcore_local.py")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Callable[[str], None]]:
    """Choose how the server behaves; whatever is left of it at the end is killed."""
    started: list[list[str]] = []

    def choose(mode: str) -> None:
        def command_line(port: int, settings: process.Settings) -> list[str]:
            real = ORIGINAL_COMMAND(port, settings)
            started.append(real)
            return [sys.executable, str(FAKE), mode, *real[real.index("--host") :]]

        monkeypatch.setattr(process, "command_line", command_line)

    choose("good")
    yield choose
    try:
        record = state.read(folder)
    except CliError:
        return
    if record is not None and process.is_alive(record.pid) and record.pid != os.getpid():
        os.kill(record.pid, signal.SIGKILL)
        process.is_alive(record.pid)


ORIGINAL_COMMAND = process.command_line


def up(run: Run, *words: str) -> dict[str, object]:
    result = run("local", "up", "--detach", "--port", "0", "--json", *words)
    assert result.exit_code == 0, result.output
    return dict(document(result))


def test_up_records_what_it_has_started(server: object, run: Run, folder: Path) -> None:
    shown = up(run)

    record = state.read(folder)
    assert record is not None
    assert shown == {"running": True, "started": True, **record.to_json()}
    assert record.log == str(folder / "local.log")
    assert "a warning of some library" in Path(record.log).read_text()
    assert process.is_alive(record.pid)


def test_up_tells_a_person_what_to_do_next(server: object, run: Run) -> None:
    result = run("local", "up", "--detach", "--port", "0")

    assert result.stdout.startswith("Local cloud ready on http://127.0.0.1:")
    assert "agentcore-harness deploy" in result.stderr


def test_a_second_up_finds_the_first(server: object, run: Run) -> None:
    first = up(run)

    assert up(run) == {**first, "started": False}


def test_a_second_up_with_another_port_or_state_is_refused(server: object, run: Run, tmp_path: Path) -> None:
    endpoint = up(run)["endpoint"]

    other_port = run("local", "up", "--port", "1")
    other_state = run("local", "up", "--state-dir", str(tmp_path / "s"))

    assert (other_port.exit_code, other_port.stderr) == (
        MISUSED,
        (
            f"agentcore-harness: The local cloud of this project runs already, on {endpoint}, not on port 1; "
            "stop it first with `agentcore-harness local down`.\n"
        ),
    )
    assert "with its state in memory; stop it first" in other_state.stderr


def test_the_state_folder_is_handed_on(run: Run, server: object, tmp_path: Path) -> None:
    assert up(run, "--state-dir", "kept")["stateDir"] == str(tmp_path / "kept")
    assert ORIGINAL_COMMAND(5, process.Settings(state_dir="/kept"))[1:] == [
        *("-m", "agentcore_local", "--host", "127.0.0.1", "--port", "5", "--state-dir", "/kept"),
    ]


def test_fixtures_are_handed_on(run: Run, server: object, tmp_path: Path) -> None:
    assert up(run, "--fixtures", "world.yaml")["fixtures"] == str(tmp_path / "world.yaml")
    assert ORIGINAL_COMMAND(5, process.Settings(fixtures="/world.yaml"))[7:] == ["--fixtures", "/world.yaml"]
    assert f"fixtures  {tmp_path / 'world.yaml'}" in run("local", "status").stdout


def test_script_and_model_are_handed_on(run: Run, server: object, tmp_path: Path) -> None:
    shown = up(run, "--script", "talk.yaml", "--model", "real")

    assert (shown["script"], shown["model"], shown["iam"]) == (str(tmp_path / "talk.yaml"), "real", True)
    assert ORIGINAL_COMMAND(5, process.Settings(script="/talk.yaml", model="real", iam=False))[7:] == [
        *("--script", "/talk.yaml", "--model", "real", "--no-iam"),
    ]
    described = run("local", "status").stdout
    assert "fixtures  none" in described
    assert f"script    {tmp_path / 'talk.yaml'}" in described
    assert "model     real" in described
    assert "roles     checked" in described


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ((), ("--script", "talk.yaml"), "with no script; stop it first"),
        (("--script", "talk.yaml"), ("--script", "other.yaml"), "talk.yaml; stop it first"),
        ((), ("--model", "real"), "with the scripted model; stop it first"),
        ((), ("--fixtures", "world.yaml"), "with no fixtures; stop it first"),
        ((), ("--no-iam",), "with permissions checked; stop it first"),
        (("--model", "real"), ("--model", "http://127.0.0.1:1"), "with --model real; stop it first"),
    ],
)
def test_a_second_up_with_another_script_or_model_is_refused(
    server: object, run: Run, first: tuple[str, ...], second: tuple[str, ...], says: str
) -> None:
    up(run, *first)

    refused = run("local", "up", *second)

    assert (refused.exit_code, says in refused.stderr) == (MISUSED, True)
    assert up(run, *first)["started"] is False


def test_up_replaces_a_stale_record(server: object, run: Run, gone: int, folder: Path) -> None:
    assert up(run)["started"] is True


def test_a_server_that_crashes_while_starting_is_quoted(server: Callable[[str], None], run: Run, folder: Path) -> None:
    server("crash")

    result = run("local", "up", "--detach", "--port", "0")

    assert (result.exit_code, result.stderr) == (
        FAILED,
        (
            "agentcore-harness: The local cloud ended while starting (exit code 1): "
            "ministack 9.9.9 is not the version this "
            f"package composes with. Its log is {folder / 'local.log'}.\n"
        ),
    )
    assert state.read(folder) is None


def test_a_server_that_never_becomes_ready_is_ended(
    server: Callable[[str], None], run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server("mute")
    monkeypatch.setattr(process, "READY_SECONDS", 0.4)

    result = run("local", "up", "--detach", "--port", "0")

    assert result.exit_code == FAILED
    assert "The local cloud was not ready within 0 s: it wrote nothing. Its log is" in result.stderr
    assert state.read(folder) is None


def test_a_taken_port_is_a_sentence(run: Run, server: object) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("local", "up", "--port", str(port))

    assert (result.exit_code, result.stderr) == (
        FAILED,
        (
            f"agentcore-harness: Port {port} on 127.0.0.1 cannot be used (Address already in use); "
            "choose another one with --port, or any free one with --port 0.\n"
        ),
    )


@pytest.mark.parametrize("port", ["-1", "65536", "x"])
def test_ports_that_are_none_are_refused(run: Run, port: str) -> None:
    assert run("local", "up", "--port", port).exit_code == MISUSED


def test_a_missing_extra_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "ministack" else object())

    result = run("local", "up")

    assert result.stderr == (
        "agentcore-harness: The local cloud is not installed in this environment (ministack missing); "
        "run: pip install 'agentcore-harness-cdk[cli]'\n"
    )


def test_status_of_a_running_one(server: object, run: Run) -> None:
    endpoint = up(run)["endpoint"]

    assert document(run("local", "status", "--json"))["version"] == "9"
    shown = run("local", "status")
    assert (shown.exit_code, f"endpoint  {endpoint}" in shown.stdout) == (0, True)


def test_status_of_none(run: Run) -> None:
    shown, as_json = run("local", "status"), run("local", "status", "--json")

    assert (shown.exit_code, shown.stdout) == (FAILED, "No local cloud is running for this project.\n")
    assert document(as_json) == {"running": False, "presence": "absent", "reason": None}


def test_status_of_a_crashed_one(run: Run, gone: int) -> None:
    result = run("local", "status", "--json")

    assert result.exit_code == FAILED
    assert document(result)["presence"] == "stale"
    assert document(result)["reason"] == f"process {gone} has ended"


def test_down_stops_it_and_forgets_it(server: object, run: Run, folder: Path) -> None:
    pid = up(run)["pid"]

    assert document(run("local", "down", "--json"))["stopped"] is True
    assert not process.is_alive(int(str(pid)))
    assert state.read(folder) is None


def test_down_of_none_is_no_failure(run: Run, gone: int, folder: Path) -> None:
    first, second = run("local", "down"), run("local", "down", "--json")

    assert (first.exit_code, first.stderr) == (
        0,
        f"No local cloud is running for this project (process {gone} has ended).\n",
    )
    assert document(second) == {"stopped": False}


def test_down_does_not_touch_a_process_that_got_the_id(run: Run, folder: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        state.write(folder, state.Record("http://127.0.0.1:9", bystander.pid, "then"))

        assert document(run("local", "down", "--json")) == {"stopped": False}
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_down_removes_a_record_that_cannot_be_read(run: Run, folder: Path) -> None:
    folder.mkdir()
    (folder / "local.json").write_text("{")

    result = run("local", "down")

    assert result.exit_code == 0
    assert "does not describe a local cloud" in result.stderr
    assert state.read(folder) is None


def test_a_server_that_does_not_stop_needs_force(
    server: Callable[[str], None], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    server("stubborn")
    pid = int(str(up(run)["pid"]))
    monkeypatch.setattr(process, "STOP_SECONDS", 0.3)

    refused = run("local", "down")
    assert (refused.exit_code, refused.stderr) == (
        FAILED,
        (
            f"agentcore-harness: The local cloud (process {pid}) did not stop within 0 s; "
            "end it without saving its state with `agentcore-harness local down --force`.\n"
        ),
    )
    assert process.is_alive(pid)
    monkeypatch.setattr(process, "STOP_SECONDS", 5)
    monkeypatch.setattr(process, "_signal_and_wait", _only_kill(process._signal_and_wait))
    assert run("local", "down", "--force").exit_code == 0
    assert not process.is_alive(pid)


def _only_kill(send: Callable[[int, signal.Signals], bool]) -> Callable[[int, signal.Signals], bool]:
    """Skip the wait after SIGTERM, which this server ignores."""
    return lambda pid, number: number is signal.SIGKILL and send(pid, number)


def test_a_frozen_server_is_not_taken_for_a_dead_one(
    server: Callable[[str], None], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    server("frozen")
    shown = up(run)
    monkeypatch.setattr(process, "HEALTH_SECONDS", 0.3)

    result = run("local", "up")

    assert result.exit_code == FAILED
    assert result.stderr == (
        "agentcore-harness: A local cloud is recorded and does not answer "
        f"(process {shown['pid']} does not answer on {shown['endpoint']}); "
        "end it with `agentcore-harness local down` first.\n"
    )
    assert run("local", "down").exit_code == 0


def test_in_the_foreground_it_ends_with_the_server(server: Callable[[str], None], run: Run, folder: Path) -> None:
    server("shortlived")

    result = run("local", "up", "--port", "0")

    assert result.exit_code == FAILED
    assert "The local cloud has ended by itself (exit code 1): out of memory. Its log is" in result.stderr
    assert state.read(folder) is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_in_the_foreground_it_ends_with_the_command(number: signal.Signals, folder: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from agentcore_cli import process; real = process.command_line\n"
        f"process.command_line = lambda *a: [sys.executable, {str(FAKE)!r}, 'good', *real(*a)[3:]]\n"
        "from agentcore_cli.main import app; app(['local', 'up', '--port', '0'])"
    )
    shell = subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert shell.stdout is not None
    assert shell.stdout.readline().startswith("Local cloud ready on")
    record = state.read(folder)
    assert record is not None

    shell.send_signal(number)
    _, err = shell.communicate(timeout=20)

    assert shell.returncode == 0, err
    assert "Stopping the local cloud." in err
    assert "Traceback" not in err
    assert not process.is_alive(record.pid)
    assert state.read(folder) is None


def test_two_at_once_start_one(folder: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from agentcore_cli import process; real = process.command_line\n"
        f"process.command_line = lambda *a: [sys.executable, {str(FAKE)!r}, 'good', *real(*a)[3:]]\n"
        "from agentcore_cli.main import app; app(['local', 'up', '--detach', '--port', '0', '--json'])"
    )
    both = [subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, stdout=subprocess.PIPE) for _ in range(2)]
    shown = [json.loads(shell.communicate(timeout=30)[0]) for shell in both]

    process.stop(state.Record(shown[0]["endpoint"], shown[0]["pid"], ""))

    assert sorted(document["started"] for document in shown) == [False, True]
    assert shown[0]["pid"] == shown[1]["pid"]


def test_reset_empties_it(cloud: Wire, run: Run) -> None:
    assert document(run("local", "reset", "--json")) == {"reset": True, "endpoint": cloud.endpoint}
    assert cloud.requests[-1][:2] == ("POST", "/reset")
    assert run("local", "reset").stderr == f"The local cloud on {cloud.endpoint} is empty.\n"


def test_a_reset_that_fails_is_a_sentence(cloud: Wire, run: Run) -> None:
    cloud.reset_status = 500

    result = run("local", "reset")

    assert (result.exit_code, result.stderr) == (
        FAILED,
        f"agentcore-harness: The local cloud on {cloud.endpoint} could not be reset (HTTP 500: {{}}).\n",
    )


def test_a_reset_that_is_cut_off_is_a_sentence(cloud: Wire, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ConnectionResetError("Connection reset by peer")

    target = targets.Target("local", cloud.endpoint, "000000000000", "us-east-1")
    monkeypatch.setattr(targets, "local_target", lambda *_: target)
    monkeypatch.setattr(process, "request", broken)

    assert run("local", "reset").stderr == (
        f"agentcore-harness: The local cloud on {cloud.endpoint} could not be reset (Connection reset by peer).\n"
    )


@pytest.mark.parametrize("command", ["reset", "env"])
def test_commands_on_no_local_cloud_say_how_to_start_one(run: Run, command: str) -> None:
    result = run("local", command)

    assert result.exit_code == FAILED
    assert "start one with `agentcore-harness local up --detach`." in result.stderr


def test_env_points_a_shell_at_it(cloud: Wire, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "prod")

    lines = run("local", "env", "--account", "111122223333", "--region", "eu-west-1").stdout.splitlines()

    assert "unset AWS_PROFILE" in lines
    assert f"export AWS_ENDPOINT_URL={cloud.endpoint}" in lines
    assert "export AWS_ACCESS_KEY_ID=111122223333" in lines
    assert "export AWS_REGION=eu-west-1" in lines
    assert f"export CDK_HOME={folder / 'cdk'}" in lines


@pytest.mark.parametrize("words", [("--json",), ("--shell", "json")])
def test_env_as_json(cloud: Wire, run: Run, words: tuple[str, ...]) -> None:
    assert document(run("local", "env", *words))["AWS_ENDPOINT_URL"] == cloud.endpoint


def test_env_for_a_shell_that_is_none(cloud: Wire, run: Run) -> None:
    result = run("local", "env", "--shell", "cmd")

    assert result.exit_code == MISUSED
    assert "'cmd' is not one of" in result.stderr


def test_a_zombie_is_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # until it has ended; it stays a zombie

    assert not process.is_alive(child.pid)
    child.wait()


def test_the_default_port_is_the_servers_own(
    server: object, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr("agentcore_local.process.DEFAULT_PORT", taken.getsockname()[1])

        assert f"Port {taken.getsockname()[1]} on 127.0.0.1 cannot be used" in run("local", "up").stderr


def test_the_default_port_is_not_that_of_other_emulators_and_is_documented() -> None:
    assert DEFAULT_PORT != 4566
    page = (Path(__file__).parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")
    assert f"(port {DEFAULT_PORT};" in page
