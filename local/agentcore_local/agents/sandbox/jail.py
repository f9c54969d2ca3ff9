"""Runs one bash command that sees its session's directories and the system's programs, and nothing else of the host.

Started as a program of its own (``python -I -S jail.py``) with a specification on standard input; imports only the
standard library. Two levels, both without root:

- ``namespaces``: user, mount, PID, IPC and UTS namespaces. The root directory is a new one: system directories read
  only, the session's directories at their documented places, no other path exists. The processes of the host do not
  exist either. All capabilities are dropped before bash starts.
- ``landlock``: the kernel refuses to open, create, rename or remove anything beyond the session's directories
  (writable) and the system's (readable). Weaker: paths are those of the host, whether other files exist can be seen,
  and their mode and times can be changed where the user may; processes of the host can be seen, and signalled before
  Landlock ABI 6.

Whatever the command leaves running dies with it. A line on the status descriptor says ``ok`` once everything is in
place, or why it cannot be; nothing runs in that case.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import struct
import sys
from pathlib import Path
from typing import Any, NoReturn

SYSTEM_DIRECTORIES = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix")
ETC_DIRECTORIES = ("alternatives", "ca-certificates", "pki", "ssl", "crypto-policies")
ETC_FILES = (
    "hosts",
    "resolv.conf",
    "nsswitch.conf",
    "ld.so.cache",
    "ld.so.conf",
    "localtime",
    "mime.types",
    "services",
)
DEVICES = ("null", "zero", "full", "random", "urandom")
MAX_PROCESSES = 2048
"""Processes and threads of one command in namespaces, so that a fork bomb ends itself and not the machine."""

_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x0002_0000, 0x0400_0000, 0x0800_0000
_CLONE_NEWUSER, _CLONE_NEWPID = 0x1000_0000, 0x2000_0000
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
_MNT_DETACH = 2
_AT_RECURSIVE = 0x8000
_MOUNT_ATTR_RDONLY, _MOUNT_ATTR_NOSUID, _MOUNT_ATTR_NODEV = 1, 2, 4
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_SET_CHILD_SUBREAPER = 1, 24, 38, 36
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_SYS_MOUNT_SETATTR, _SYS_LANDLOCK_CREATE, _SYS_LANDLOCK_ADD, _SYS_LANDLOCK_RESTRICT = 442, 444, 445, 446

# Landlock's access rights: what each ABI added (kernel documentation, userspace-api/landlock).
_LANDLOCK_FS_BITS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_LANDLOCK_READ = 1 << 0 | 1 << 2 | 1 << 3
_LANDLOCK_FILE_ONLY = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15
_LANDLOCK_SCOPES = 1 | 2  # abstract sockets, signals
_LANDLOCK_ABI_WITH_SCOPES = 6
_LANDLOCK_ABI_WITH_NET = 4

# Since when RLIMIT_NPROC counts by user namespace, and pid_max is one of each PID namespace: before, they are the
# user's and the host's. The first does not bind the host's root, the second binds everybody.
_KERNEL_WITH_OWN_NPROC, _KERNEL_WITH_OWN_PID_MAX = (5, 14), (6, 14)

_libc = ctypes.CDLL(None, use_errno=True)


class JailError(Exception):
    """Why the jail cannot be built here."""


def main() -> NoReturn:
    """Read the specification, build the jail, run the command in it, end with its exit code."""
    spec: dict[str, Any] = json.load(sys.stdin.buffer)
    status = int(sys.argv[1])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        if spec["level"] not in {"namespaces", "landlock"}:
            raise JailError("no such level")
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        if spec["level"] == "namespaces":
            _unshare()
        child = os.fork()
        if child == 0:
            _become_command(spec, status)
    except (JailError, OSError) as error:
        _report(status, str(error))
        sys.exit(126)
    os.close(status)
    sys.exit(_supervise(child))


def _become_command(spec: dict[str, Any], status: int) -> NoReturn:
    try:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if spec["level"] == "namespaces":
            _build_root(spec)
            _finish_privileges()
            if _kernel() >= _KERNEL_WITH_OWN_NPROC:
                spec["limits"]["RLIMIT_NPROC"] = MAX_PROCESSES
        else:
            _finish_privileges()
            _restrict_with_landlock(spec)
        os.chdir(spec["cwd"])
        for name, value in spec["limits"].items():
            limit = getattr(resource, name)
            hard = resource.getrlimit(limit)[1]
            lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(limit, (lowest, lowest))
        _report(status, "ok")
        os.execve("/bin/bash", ["bash", "--noprofile", "--norc", "-c", spec["command"]], spec["environment"])  # noqa: S606 - running a command is what this program is for
    except (JailError, OSError) as error:
        _report(status, str(error))
    os._exit(126)


def _report(status: int, text: str) -> None:
    try:
        os.write(status, text.encode()[:4000])
    finally:
        os.set_inheritable(status, False)  # noqa: FBT003 - the standard library's own signature


def _supervise(child: int) -> int:
    """Wait for the command, then end everything it has left behind."""

    def end(_signal: int, _frame: object) -> None:
        _kill_descendants(child)
        os._exit(137)

    signal.signal(signal.SIGTERM, end)
    code = 0
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            break
    _kill_descendants(None)
    return code if code >= 0 else 128 - code


def _kill_descendants(child: int | None) -> None:
    """Kill all children; being their subreaper, this process also gets those whose parents are gone."""
    me = os.getpid()
    if child is not None:  # also where the kernel does not list children
        os.kill(child, signal.SIGKILL)
    while True:
        children = Path(f"/proc/{me}/task/{me}/children")
        try:
            pids = [int(pid) for pid in children.read_text().split()]
        except OSError:
            return
        if not pids:
            return
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        for _ in pids:
            try:
                os.wait()
            except ChildProcessError:
                return


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise JailError(f"{what}: {os.strerror(number)}")
    return result


def _prctl(option: int, value: int) -> None:
    _check(_libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), f"prctl({option})")


# --- namespaces ------------------------------------------------------------------------------------------------------


def _unshare() -> None:
    uid, gid = os.getuid(), os.getgid()
    flags = _CLONE_NEWUSER | _CLONE_NEWNS | _CLONE_NEWPID | _CLONE_NEWIPC | _CLONE_NEWUTS
    _check(_libc.unshare(flags), "user namespaces are not available")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1")


def _build_root(spec: dict[str, Any]) -> None:
    number = _SYS_PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise JailError(f"the system calls of {os.uname().machine} are not known")
    root = Path(spec["root"])
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    _mount("tmpfs", root, "tmpfs", _MS_NOSUID | _MS_NODEV, "size=4m,mode=755")
    for directory in (*SYSTEM_DIRECTORIES, *spec["readable"]):
        _show_system_directory(root, Path(directory))
    _fill_etc(root / "etc")
    _fill_dev(root / "dev")
    _fill_proc(root / "proc")
    for kind, attributes in (("writable", 0), ("read_only", _MOUNT_ATTR_RDONLY)):
        for source, target in spec[kind]:
            place = root / target.lstrip("/")
            place.mkdir(parents=True, exist_ok=True)
            _mount(source, place, None, _MS_BIND)
            _set_attributes(place, attributes | _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NODEV)
    os.chdir(root)
    _check(_libc.syscall(number, b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", _MNT_DETACH), "umount of the old root")
    _set_attributes(Path("/"), _MOUNT_ATTR_RDONLY, recursive=False)
    _libc.sethostname(b"agent", 5)


def _mount(source: str | None, target: str | Path, kind: str | None, flags: int, data: str | None = None) -> None:
    raw = [None if item is None else os.fsencode(item) for item in (source, target, kind, data)]
    result = _libc.mount(raw[0], raw[1], raw[2], ctypes.c_ulong(flags), raw[3])
    _check(result, f"mount of {target}")


def _set_attributes(path: Path, attributes: int, *, recursive: bool = True) -> None:
    structure = struct.pack("QQQQ", attributes, 0, 0, 0)
    flags = _AT_RECURSIVE if recursive else 0
    result = _libc.syscall(_SYS_MOUNT_SETATTR, -100, os.fsencode(path), flags, structure, len(structure))
    _check(result, f"mount_setattr of {path}")


def _show_system_directory(root: Path, directory: Path) -> None:
    place = root / str(directory).lstrip("/")
    if directory.is_symlink():
        place.symlink_to(directory.readlink())
    elif directory.is_dir() and not _is_shown(root, place):
        place.mkdir(parents=True, exist_ok=True)
        _mount(str(directory), place, None, _MS_BIND | _MS_REC)
        _set_attributes(place, _MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NODEV)


def _is_shown(root: Path, place: Path) -> bool:
    return any(parent.is_mount() for parent in place.parents if parent != root and root in parent.parents)


def _fill_etc(etc: Path) -> None:
    etc.mkdir()
    (etc / "passwd").write_text("root:x:0:0:root:/workspace:/bin/bash\n")
    (etc / "group").write_text("root:x:0:\n")
    for name in ETC_FILES:
        source = Path("/etc", name)
        if source.is_file():
            (etc / name).write_bytes(source.read_bytes())
    for name in ETC_DIRECTORIES:
        source = Path("/etc", name)
        if source.is_dir():
            (etc / name).mkdir()
            _mount(str(source), etc / name, None, _MS_BIND | _MS_REC)
            _set_attributes(etc / name, _MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID | _MOUNT_ATTR_NODEV)


def _fill_dev(dev: Path) -> None:
    dev.mkdir()
    for name in DEVICES:
        (dev / name).touch()
        _mount(f"/dev/{name}", dev / name, None, _MS_BIND)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        (dev / name).symlink_to(target)
    (dev / "shm").mkdir()
    _mount("tmpfs", dev / "shm", "tmpfs", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, "size=64m,mode=1777")


def _fill_proc(proc: Path) -> None:
    proc.mkdir()
    result = _libc.mount(b"proc", os.fsencode(proc), b"proc", ctypes.c_ulong(_MS_NOSUID | _MS_NODEV | _MS_NOEXEC), None)
    if result == 0:
        if _kernel() >= _KERNEL_WITH_OWN_PID_MAX:
            (proc / "sys/kernel/pid_max").write_text(str(MAX_PROCESSES))
        # Read only: to files like /proc/sysrq-trigger a root of the host is root in here too.
        _set_attributes(proc, _MOUNT_ATTR_RDONLY)
    # Containers that mask parts of /proc refuse a fresh one. Bash does without; only /dev/fd and ps are missing.


def _kernel() -> tuple[int, ...]:
    """The kernel's version as far as it counts: (6, 14) of `6.14.0-27-generic`; (0,) where it says something else."""
    parts = os.uname().release.split(".")[:2]
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else (0,)


def _finish_privileges() -> None:
    """No capability, now or through any program: the exec of bash as uid 0 grants none, so no mount can be undone."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    for capability in range(64):
        if _libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) < 0:
            break


# --- Landlock --------------------------------------------------------------------------------------------------------


def _restrict_with_landlock(spec: dict[str, Any]) -> None:
    abi = _libc.syscall(_SYS_LANDLOCK_CREATE, None, 0, 1)
    if abi < 1:
        raise JailError("Landlock is not available")
    handled = (1 << _LANDLOCK_FS_BITS.get(abi, _LANDLOCK_FS_BITS[5])) - 1
    scopes = _LANDLOCK_SCOPES if abi >= _LANDLOCK_ABI_WITH_SCOPES else 0
    members = [handled, *([0] if abi >= _LANDLOCK_ABI_WITH_NET else []), *([scopes] if scopes else [])]
    attributes = struct.pack(f"{len(members)}Q", *members)
    ruleset = _check(_libc.syscall(_SYS_LANDLOCK_CREATE, attributes, len(attributes), 0), "landlock_create_ruleset")
    etc = [f"/etc/{name}" for name in (*ETC_DIRECTORIES, *ETC_FILES, "passwd", "group")]
    read_only = [source for source, _target in spec["read_only"]]
    for path in (*SYSTEM_DIRECTORIES, *spec["readable"], *etc, *read_only):
        _allow(ruleset, path, _LANDLOCK_READ & handled)
    for device in DEVICES:
        _allow(ruleset, f"/dev/{device}", (_LANDLOCK_READ | 1 << 1) & handled)
    for source, _target in spec["writable"]:
        _allow(ruleset, source, handled)
    _check(_libc.syscall(_SYS_LANDLOCK_RESTRICT, ruleset, 0), "landlock_restrict_self")
    os.close(ruleset)


def _allow(ruleset: int, path: str, access: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not Path(path).is_dir():
            access &= _LANDLOCK_FILE_ONLY
        rule = struct.pack("=Qi", access, descriptor)
        _check(_libc.syscall(_SYS_LANDLOCK_ADD, ruleset, 1, rule, 0), f"landlock_add_rule for {path}")
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    main()
