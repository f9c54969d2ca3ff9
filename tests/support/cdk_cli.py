"""The real CDK CLI against the local cloud."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk

from agentcore_local.toolchain import cdk_command

if TYPE_CHECKING:
    from agentcore_local import Account


FOLDER = Path(__file__).parent
"""Below the project's own `node_modules`."""


def environment(account: Account) -> cdk.Environment:
    """Where a stack goes that the CLI deploys to an account."""
    return cdk.Environment(account=account.account_id, region=account.region)


def deploy(account: Account, assembly: str, stack: str) -> dict[str, str]:
    """Bootstraps the account and deploys a stack of an assembly; returns its outputs.

    Args:
        account: The account; its environment is all that the CLI knows of where it is.
        assembly: Folder of the assembly.
        stack: Name of the stack.
    """
    where = f"aws://{account.account_id}/{account.region}"
    run(account, "bootstrap", where)
    run(account, "deploy", stack, "--app", assembly, "--require-approval", "never")
    (found,) = account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs: list[Any] = found["Outputs"]
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}


def run(account: Account, *words: str, folder: Path = FOLDER, expect: int = 0, **environment: str) -> str:
    """Runs the CDK CLI in an account; returns what it printed.

    Args:
        account: The account; its environment is all that the CLI knows of where it is.
        words: Command and options.
        folder: The project.
        expect: Exit code.
        environment: Further variables.
    """
    done = subprocess.run(
        [*cdk_command(FOLDER), *words],
        # Loading the rules of the CDK's validation takes three seconds in each process; tests/conformance validates.
        env={**account.environment, "CDK_VALIDATION": "false", **environment},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == expect, printed
    return printed
