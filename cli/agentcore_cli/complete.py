"""What the shell offers for HARNESS and `--endpoint`: the names on the local cloud, when one runs.

AWS is never asked, and nothing is ever said: a completion that fails offers nothing. No SDK is loaded, because the
shell waits for this at every press of the Tab key.
"""

from __future__ import annotations

import http.client
import json
import os
from typing import Final, NamedTuple
from urllib.parse import urlencode

import typer  # noqa: TC002 - Typer reads the annotations of these functions

from agentcore_cli import process, state, targets
from agentcore_cli.errors import CliError

_SECONDS: Final = 0.5


class _Known(NamedTuple):
    name: str
    arn: str
    endpoints: list[str]


def harnesses(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Names of harnesses that begin so, each with its endpoints."""
    return [(found.name, ", ".join(found.endpoints)) for found in _known(context) if found.name.startswith(incomplete)]


def endpoints(context: typer.Context, incomplete: str) -> list[str]:
    """Endpoints, beginning so, of the harness on the command line; without one, of all."""
    # An option that still lacks its value keeps the parser from naming the arguments.
    wanted = context.params.get("harness") or next(iter(context.args), None)
    names = {
        name
        for found in _known(context)
        if wanted in (None, found.name, found.arn, found.arn.rpartition("/")[2])
        for name in found.endpoints
    }
    return sorted(name for name in names if name.startswith(incomplete))


def _known(context: typer.Context) -> list[_Known]:
    given = context.params
    if given.get("aws_") or os.environ.get("AGENTCORE_TARGET") == "aws":
        return []
    try:
        target = targets.presumed(state.home(), os.environ, account=given.get("account"), region=given.get("region"))
        if target is None:
            return []
        place = urlencode({"account": target.account, "region": target.region})
        path = f"/_agentcore/harnesses?{place}"
        status, body = process.request(target.endpoint, "GET", path, timeout=_SECONDS)
        found = json.loads(body)["harnesses"] if status == http.client.OK else []
        return [_Known(str(one["name"]), str(one["arn"]), [str(name) for name in one["endpoints"]]) for one in found]
    except (CliError, OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return []
