"""Environment variables as a shell takes them in. Pure."""

from __future__ import annotations

import json
import shlex
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONTRADICTING: Final = frozenset(
    {
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_USE_FIPS_ENDPOINT",
        "AWS_USE_DUALSTACK_ENDPOINT",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    }
)
"""Variables that would make an SDK look past the local cloud's key or address."""
_LISTS: Final = frozenset({"NO_PROXY", "no_proxy"})


class Shell(StrEnum):
    """Syntaxes for setting variables."""

    SH = "sh"
    FISH = "fish"
    POWERSHELL = "powershell"
    JSON = "json"


def changes(variables: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str | None]:
    """What has to change in an environment so that it means the local cloud; None is a variable to remove.

    Lists such as `NO_PROXY` keep what is in them. A profile, a session token or the endpoint of a single service that
    the environment holds is removed: each would lead somewhere else.
    """
    changed: dict[str, str | None] = {
        name: None
        for name in sorted(environ)
        if name in _CONTRADICTING or (name.startswith("AWS_ENDPOINT_URL_") and name not in variables)
    }
    for name, value in variables.items():
        kept = [item for item in environ.get(name, "").split(",") if item] if name in _LISTS else []
        changed[name] = ",".join(dict.fromkeys([*kept, *value.split(",")])) if name in _LISTS else value
    return changed


def render(changed: Mapping[str, str | None], shell: Shell) -> str:
    """The changes as lines for a shell, or as one JSON object in which null removes a variable."""
    if shell is Shell.JSON:
        return json.dumps(changed, indent=2)
    return "\n".join(_line(name, value, shell) for name, value in changed.items())


def _line(name: str, value: str | None, shell: Shell) -> str:
    match shell:
        case Shell.FISH:
            return f"set -e {name}" if value is None else f"set -gx {name} {_fish_quoted(value)}"
        case Shell.POWERSHELL:
            quoted = (value or "").replace("'", "''")
            return f"Remove-Item Env:{name}" if value is None else f"$Env:{name} = '{quoted}'"
        case _:
            return f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}"


def _fish_quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
