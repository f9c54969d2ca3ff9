"""What the shell offers for HARNESS and `--endpoint`: the names on the local cloud, when one runs.

AWS is never asked, and nothing is ever said: a completion that fails offers nothing. No SDK is loaded, because the
shell waits for this at every press of the Tab key.
"""

from __future__ import annotations

import http.client
import json
import os
from typing import Any, Final
from urllib.parse import urlencode

import typer  # noqa: TC002 - Typer reads the annotations of these functions

from agentcore_cli import process, state, targets
from agentcore_cli.errors import CliError

_SECONDS: Final = 0.5


def harnesses(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Names of harnesses that begin so, each with its endpoints."""
    return [
        (str(found["name"]), ", ".join(found["endpoints"]))
        for found in _known(context)
        if str(found["name"]).startswith(incomplete)
    ]


def endpoints(context: typer.Context, incomplete: str) -> list[str]:
    """Endpoints, beginning so, of the harness on the command line; without one, of all."""
    wanted = context.params.get("harness")
    return sorted(
        {
            str(name)
            for found in _known(context)
            if wanted in (None, found["name"], found["arn"], str(found["arn"]).rpartition("/")[2])
            for name in found["endpoints"]
            if str(name).startswith(incomplete)
        }
    )


def _known(context: typer.Context) -> list[dict[str, Any]]:
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
        return list(json.loads(body)["harnesses"]) if status == http.client.OK else []
    except (CliError, OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return []
