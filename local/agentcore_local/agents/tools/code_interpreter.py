"""The tool ``agentcore_code_interpreter``: code in a process of its own, in a sandbox that is not the session's.

The service's interpreter is another machine than the session's: its files are its own, and stay as long as the session.
It runs Python, JavaScript and TypeScript; here it runs Python, and JavaScript where the machine has Node.js.
"""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING, Any

from agentcore_local.agents import permissions
from agentcore_local.agents.sandbox.runner import ISOLATION_VARIABLE, NoIsolation, Place, Runner, describe
from agentcore_local.agents.tools.base import Described, HarnessTool, ToolFailed, argument

if TYPE_CHECKING:
    from pathlib import Path

    from agentcore_local.agents.machine import Machine
    from agentcore_local.agents.plan import Plan, ToolConfig

_HOME = "/interpreter"
_TIMEOUT_SECONDS = 300
_ACTIONS = ("executeCode", "executeCommand", "writeFile", "readFile", "listFiles")
_PROGRAMS = {"python": ("python3 -B", "code.py"), "javascript": ("node", "code.js")}
_DESCRIPTION = (
    "Run code in an isolated interpreter, and work with its files. Each call is a new process; files stay. Print what "
    "is to be seen."
)
_SCHEMA = {
    "type": "object",
    "properties": {
        "action": {"type": "string", "enum": list(_ACTIONS), "description": "executeCode by default."},
        "code": {"type": "string", "description": "executeCode: the code."},
        "language": {"type": "string", "enum": list(_PROGRAMS), "description": "executeCode: python by default."},
        "command": {"type": "string", "description": "executeCommand: a bash command."},
        "path": {"type": "string", "description": "writeFile, readFile: a name, relative to the working directory."},
        "content": {"type": "string", "description": "writeFile: the whole content."},
    },
}


class CodeInterpreter(HarnessTool):
    """Runs code.

    Args:
        plan: Says who acts.
        tool: The tool of the harness.
        machine: The session's machine, below which the interpreter's files are, out of reach of the session's commands.
        runner: Runs processes.
    """

    def __init__(self, plan: Plan, tool: ToolConfig, machine: Machine, runner: Runner) -> None:
        super().__init__(Described(tool.name, tool.type, _DESCRIPTION, _SCHEMA))
        self._plan, self._tool = plan, tool
        self._machine, self._runner = machine, runner

    async def call(self, arguments: dict[str, Any]) -> str:
        """Do one action; what is printed."""
        refusal = permissions.tool_denial(self._plan, self._tool)
        if refusal is not None:
            raise ToolFailed(f"{self.tool_name!r} cannot be used: {refusal}")
        action = argument(arguments, "action", str, required=False) or "executeCode"
        place = await asyncio.to_thread(self._place)
        home = place.writable[0][0]
        if action == "executeCode":
            return await self._execute(arguments, place)
        if action == "executeCommand":
            command = argument(arguments, "command", str)
            if "\0" in command:
                raise ToolFailed("The argument command must not contain a NUL character.")
            return await self._run(command, place)
        if action == "writeFile":
            path, text = argument(arguments, "path", str), argument(arguments, "content", str)
            await asyncio.to_thread(_write, home, _name(path), text)
            return f"Wrote {len(text)} characters to {path}."
        if action == "readFile":
            return await self._run(f"cat -- {_quoted(_name(argument(arguments, 'path', str)))}", place)
        if action == "listFiles":
            return await self._run("ls -A1", place)
        raise ToolFailed(f"The argument action must be one of {', '.join(_ACTIONS)}; received {action!r}.")

    async def _execute(self, arguments: dict[str, Any], place: Place) -> str:
        code = argument(arguments, "code", str)
        language = argument(arguments, "language", str, required=False) or "python"
        if language not in _PROGRAMS:
            raise ToolFailed(
                f"The local cloud's interpreter runs {' and '.join(_PROGRAMS)}; received {language!r}. Use one of them."
            )
        program, name = _PROGRAMS[language]
        if language == "javascript" and shutil.which("node", path="/usr/local/bin:/usr/bin:/bin") is None:
            raise ToolFailed("This machine has no Node.js where the sandbox finds it, so JavaScript cannot run here.")
        # Where the code is does not show in what it lists: a directory of its own.
        folder = self._machine.directory("interpreter-code")
        await asyncio.to_thread(_emptied, folder)
        await asyncio.to_thread(_write, folder, name, code)
        return await self._run(f'{program} "$CODE"/{name}', place)

    async def _run(self, command: str, place: Place) -> str:
        try:
            paths = describe(place, await self._runner.level())[1]
            outcome = await self._runner.run(command, place, {"CODE": paths["/code"]}, _TIMEOUT_SECONDS)
        except NoIsolation as reason:
            raise ToolFailed(
                f"The local cloud does not run code on this machine, because nothing here can isolate it ({reason}). "
                f"To the user: run it on Linux with user namespaces, or set {ISOLATION_VARIABLE}=landlock to accept "
                "weaker isolation."
            ) from reason
        if outcome.exit_code is None:
            raise ToolFailed(f"{outcome.output}\n[ended after {_TIMEOUT_SECONDS} s]".lstrip())
        if outcome.exit_code != 0:
            raise ToolFailed(f"{outcome.output}\n[exit code {outcome.exit_code}]".lstrip())
        return outcome.output or "[no output]"

    def _place(self) -> Place:
        home, code = self._machine.directory("interpreter"), self._machine.directory("interpreter-code")
        temporary = self._machine.directory("interpreter-tmp")
        self._machine.directory("jail")
        writable = ((home, _HOME), (code, "/code"), (temporary, "/tmp"))  # noqa: S108 - the interpreter's own
        return Place(root=home.parent, writable=writable)


def _emptied(folder: Path) -> None:
    """Removes what earlier code has left beside itself, or in its place."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    try:
        content = text.encode()
        # A link that a program has left could lead out of the folder.
        path.unlink(missing_ok=True)
        path.write_bytes(content)
    except UnicodeEncodeError:
        raise ToolFailed("The text holds half of a character; write it anew.") from None
    except OSError as error:
        raise ToolFailed(f"{name} cannot be written: {error.strerror}.") from None


def _name(path: str) -> str:
    name = path.removeprefix(f"{_HOME}/").removeprefix("./")
    if not name or "/" in name or name in {".", ".."} or "\0" in name:
        raise ToolFailed(f"The argument path must be a name in the working directory; received {path!r}.")
    return name


def _quoted(name: str) -> str:
    return "'" + name.replace("'", "'\\''") + "'"
