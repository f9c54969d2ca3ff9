"""The built-in tool shell: what it does, and that nothing it runs leaves the session's directory."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from agentcore_local import agents
from agentcore_local.agents.sandbox import jail as jails
from agentcore_local.agents.sandbox import runner as runners
from agentcore_local.agents.sandbox.runner import NoIsolation, Outcome, Place, Runner
from agentcore_local.agents.tools import toolbox


@pytest.fixture
def run(caller, script, calling):
    """Runs one command through an agent; gives status and text of its result."""
    client = None

    def one(command: str, timeout: int | None = None, **configuration) -> tuple[str, str]:
        nonlocal client
        script(calling("shell", command=command, **({} if timeout is None else {"timeout": timeout})), "ok")
        if client is None or configuration:
            client = caller(**configuration)
        ((status, text),) = client.say(command).results
        return status, text

    return one


def test_output_and_errors_come_as_they_were_written(run):
    assert run("echo out; echo err >&2") == ("success", "out\nerr\n")


def test_no_output_is_said(run):
    assert run("true") == ("success", "[no output]")


def test_a_failing_command_is_an_error_with_its_exit_code(run):
    assert run("echo no; exit 3") == ("error", "no\n\n[exit code 3]")


def test_a_command_ended_by_a_signal_has_the_shells_exit_code(run):
    assert run("(kill -9 $BASHPID)")[1].endswith("[exit code 137]")


def test_files_stay_from_call_to_call_and_shells_do_not(run):
    run("cd /tmp; export X=1; echo kept > ~/file")
    assert run('pwd; echo "[$X]"; cat file') == ("success", "/workspace\n[]\nkept\n")


def test_a_session_does_not_see_the_files_of_another(run, caller, script, calling):
    run("echo secret > file")
    script(calling("shell", command="ls -A /workspace /tmp"), "ok")
    assert caller().say().results == [("success", "/tmp:\n\n/workspace:\n")]


def test_the_harness_variables_are_there_and_the_servers_are_not(run, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine")
    status, text = run("env", environmentVariables={"STAGE": "test", "LANG": "C"})
    names = {line.partition("=")[0] for line in text.splitlines()}
    assert status == "success"
    assert "STAGE=test" in text
    assert "LANG=C\n" in text
    assert "AWS_REGION=us-east-1" in text
    ours = {"PATH", "HOME", "USER", "LANG", "TERM", "TMPDIR", "AWS_REGION", "AWS_DEFAULT_REGION", "STAGE"}
    assert names == ours | {"PWD", "SHLVL", "_"}


def test_mounts_are_where_the_harness_says(run):
    point = "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0"
    shared = {"efsAccessPoint": {"mountPath": "/mnt/shared/", "accessPointArn": point}}
    filesystems = [{"sessionStorage": {"mountPath": "/mnt/data"}}, shared]
    environment = {"agentCoreRuntimeEnvironment": {"filesystemConfigurations": filesystems}}
    assert run("echo x > /mnt/data/f; ls -d /mnt/*", environment=environment) == ("success", "/mnt/data\n/mnt/shared\n")
    assert run("cat /mnt/data/f") == ("success", "x\n")


def test_python_is_there(run):
    assert run("python3 -c 'print(6 * 7)'") == ("success", "42\n")


def test_a_slow_command_is_ended_with_everything_it_started(run):
    status, text = run("echo begun; (setsid sleep 4321 &) ; sleep 4321", timeout=1)
    assert (status, text) == ("error", "begun\n\n[ended after 1 s]")
    assert not processes("sleep 4321")


def test_what_a_command_leaves_running_dies_with_it(run):
    assert run("(setsid sleep 5432 &); sleep 5432 & echo started") == ("success", "started\n")
    assert not processes("sleep 5432")


def processes(command: str) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if command in entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"):
                found.append(entry.parent.name)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("timeout", [0, 901])
def test_timeouts_out_of_range_are_refused(run, timeout):
    status, text = run("true", timeout=timeout) if timeout else run("true", timeout=-1)
    assert status == "error"
    assert "must be 1-900" in text


def test_a_command_with_a_nul_is_refused(run):
    assert run("echo a\0b") == ("error", "The argument command must not contain a NUL character.")


def test_a_long_output_loses_its_middle(run):
    _status, text = run("head -c 300000 /dev/zero | tr '\\0' x; echo END")
    assert text.startswith("xxx")
    assert text.endswith("xEND\n")
    assert "[... 200004 bytes left out ...]" in text
    assert len(text) < runners.MAX_OUTPUT + 100


def test_where_nothing_isolates_nothing_runs(run, monkeypatch):
    monkeypatch.setattr(toolbox, "runner", Runner(levels=("neither",)))
    status, text = run("echo ran")
    assert status == "error"
    assert text.startswith("The local cloud does not run commands on this machine, because nothing here can keep them")
    assert "neither: " in text
    assert "ran\n" not in text


def test_on_another_system_than_linux_the_reason_is_said(monkeypatch):
    monkeypatch.setattr(runners.sys, "platform", "darwin")
    with pytest.raises(NoIsolation, match="namespaces needs Linux, this is darwin"):
        asyncio.run(Runner().level())


# --- the jail itself, at each level ----------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["namespaces", "landlock"])
def runner(request):
    runner = Runner((request.param,))
    try:
        asyncio.run(runner.level())
    except NoIsolation as reason:
        pytest.skip(f"this machine does not offer it: {reason}")
    return runner


@pytest.fixture
def jail(runner, tmp_path):
    """Runs a command in a jail of one level; beside it is a secret it must not reach."""
    for name in ("jail", "workspace", "tmp"):
        (tmp_path / "session" / name).mkdir(parents=True)
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    root = tmp_path / "session"
    place = Place(root, ((root / "workspace", "/workspace"), (root / "tmp", "/tmp")))

    def run(command: str, timeout: float = 20) -> Outcome:
        return asyncio.run(runner.run(command.replace("SECRET", str(secret)), place, {}, timeout))

    run.secret = secret
    run.workspace = root / "workspace"
    return run


def test_the_working_directory_is_writable(jail):
    assert jail("echo hi > file && cat file && echo t > $TMPDIR/t").exit_code == 0
    assert (jail.workspace / "file").read_text() == "hi\n"


@pytest.mark.parametrize(
    "command",
    [
        "cat SECRET",
        "cd .. && cd .. && cat secret",
        "cat ../../secret",
        "ln -s SECRET link && cat link",
        "ln SECRET hard && cat hard",
        "mv SECRET mine && cat mine",
        "echo changed > SECRET && false",
        "echo changed >> SECRET && false",
        "rm -f SECRET; test -e SECRET && false",
        "python3 -c \"print(open('SECRET').read())\"",
        "cat /proc/1/root/SECRET",
        "cat /proc/self/root/SECRET",
        "cat /proc/$PPID/root/SECRET",
        "cat /proc/$PPID/cwd/SECRET",
        "mkdir -p m && mount --bind / m && cat m/SECRET",
        "unshare -Urm sh -c 'mount --bind / /workspace && cat /workspace/SECRET'",
        "chroot /proc/1/root cat SECRET",
        "nsenter -t 1 -m cat SECRET",
    ],
)
def test_nothing_outside_is_read_or_changed(jail, command):
    outcome = jail(command)
    assert "the secret" not in outcome.output
    assert jail.secret.read_text() == "the secret"


@pytest.mark.parametrize("path", ["/etc/shadow", "/root/.bashrc", "/etc/hostname", "/var/log"])
def test_the_hosts_other_files_are_not_readable(jail, path):
    assert jail(f"cat {path} || ls {path}/").exit_code != 0


@pytest.mark.parametrize(
    "command",
    [
        "touch /usr/x",
        "touch /etc/x",
        "touch /x",
        "echo x > /usr/bin/env",
        "echo 60 > /proc/sys/vm/swappiness",
        "mount -o remount,rw /usr",
        "mount -t tmpfs none /usr",
        "mknod disk b 8 0",
        "kill -0 1 && kill -0 $PPID && test $PPID -ne 0 && kill -CONT $PPID",
    ],
)
def test_the_system_cannot_be_changed(jail, command):
    assert jail(command).exit_code != 0


def test_no_capability_is_left(jail):
    effective = "python3 -c \"print(next(l for l in open('/proc/self/status') if l.startswith('CapEff')))\""
    output = jail(effective).output
    assert "0000000000000000" in output or "Error" in output


def test_the_environment_of_the_server_cannot_be_read_from_its_processes(jail):
    assert jail(f"cat /proc/{os.getpid()}/environ").exit_code != 0


def test_processes_of_the_host_cannot_be_ended(jail):
    victim = subprocess.Popen(["sleep", "60"])
    try:
        jail(f"kill -9 {victim.pid}")
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()


@pytest.mark.parametrize("runner", ["namespaces"], indirect=True)
def test_only_its_own_processes_exist_in_namespaces(jail):
    assert jail("ls -d /proc/[0-9]* | wc -l; ls / | sort | tr '\\n' ' '").output.split("\n")[0] in {"2", "3", "4"}


@pytest.mark.parametrize("runner", ["namespaces"], indirect=True)
def test_only_the_documented_directories_exist_in_namespaces(jail):
    system = {"bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "nix", "opt", "proc", "sbin", "usr"}
    python = Path(os.path.realpath(runners.sys.base_prefix)).parts[1]
    assert set(jail("ls /").output.split()) <= system | {"workspace", "tmp", python}


@pytest.mark.parametrize("runner", ["namespaces"], indirect=True)
def test_modes_of_other_files_cannot_be_changed_in_namespaces(jail):
    mode = jail.secret.stat().st_mode
    jail("chmod 777 SECRET; touch -d 2001-01-01 SECRET")
    assert jail.secret.stat().st_mode == mode


def test_landlock_is_only_tried_when_the_user_accepts_it(monkeypatch):
    assert runners._accepted_levels() == ("namespaces",)
    monkeypatch.setenv("AGENTCORE_LOCAL_ISOLATION", "landlock")
    assert runners._accepted_levels() == ("namespaces", "landlock")


def test_a_fork_that_outlives_its_shell_is_ended_on_timeout(jail):
    assert jail("(setsid sleep 6543 &); sleep 6543", timeout=1).exit_code is None
    assert not processes("sleep 6543")


@pytest.mark.parametrize("runner", ["namespaces"], indirect=True)
def test_a_fork_bomb_stops_at_the_limit_and_leaves_nothing(jail):
    """The kernel says how: only the newer limit binds root, who runs tests in most containers."""
    needed = (6, 14) if os.getuid() == 0 else (5, 14)
    if jails._kernel() < needed:
        pytest.skip(f"the kernel is older than {needed}")
    bomb = """python3 - fork-bomb-6542 <<'X'
import os, time
for made in range(4096):
    try:
        if os.fork() == 0:
            time.sleep(6542)
    except OSError as error:
        print(made, error.strerror)
        break
X"""
    outcome = jail(bomb)
    made, _, reason = outcome.output.strip().partition(" ")
    assert 1000 < int(made) < jails.MAX_PROCESSES
    assert reason == "Resource temporarily unavailable"
    assert not processes("fork-bomb-6542")


def test_writing_is_limited_to_a_gigabyte_per_file(jail):
    assert jail("ulimit -f").output.strip() == str((1 << 30) // 1024)


def test_the_sessions_directory_belongs_to_its_owner_alone(caller, script, calling):
    script(calling("shell", command="true"), "ok")
    caller().say()
    (session,) = agents.sessions
    root = session.machine.root
    assert root is not None
    assert root.stat().st_mode & 0o077 == 0
    assert root.parent.stat().st_mode & 0o077 == 0
