"""`agentcore-harness deploy`, `diff` and `destroy`: the real CDK CLI, pointed at the local cloud.

Every argument that is not ours goes to the CDK CLI as it is; behind `--` even those with our names do.
Its exit code is ours.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from agentcore_cli import assembly, aws, console, state, targets
from agentcore_cli.errors import INTERRUPTED, CliError, misused
from agentcore_cli.local import variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PASS_THROUGH: Final[dict[Any, Any]] = {"allow_extra_args": True, "ignore_unknown_options": True}
_TOOLKIT: Final = "CDKToolkit"
_BOOTSTRAPPED: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})
_INTERRUPT_SECONDS: Final = 15.0
_STDERR: Final = 2

AccountOption = Annotated[str | None, typer.Option(help="Account id on the local cloud (12 digits).")]
RegionOption = Annotated[str | None, typer.Option(help="Default Region of the app's stacks.")]


@dataclass(frozen=True)
class Cdk:
    """The CDK CLI for one account of the local cloud.

    Attributes:
        command: Words that start it.
        target: The local cloud, account and default Region.
        environment: For the process; nothing of the caller's AWS settings is left in it.
    """

    command: list[str]
    target: targets.Target
    environment: Mapping[str, str]

    def run(self, *words: str, stdout: int | None = None) -> int:
        """Run it on this terminal and wait; its exit code, 128 + n when signal n ended it.

        Raises:
            KeyboardInterrupt: Ctrl-C, after it has ended (it gets the same signal from the terminal).
        """
        command = [*self.command, *words]
        process = subprocess.Popen(command, env=self.environment, stdout=stdout)  # noqa: S603 - the user's own CLI
        try:
            code = process.wait()
        except KeyboardInterrupt:
            _let_end(process)
            raise
        return 128 - code if code < 0 else code


def deploy(
    context: typer.Context,
    *,
    account: AccountOption = None,
    region: RegionOption = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print one JSON document with the stacks' outputs; the CDK CLI's own words go to stderr."
        ),
    ] = False,
) -> None:
    """Deploy the app of this folder to the local cloud with the real CDK CLI, bootstrapping first where needed.

    All other arguments are those of `cdk deploy`: agentcore-harness deploy --all -c stage=dev
    """
    words = list(context.args)
    cdk = _cdk(words, account=account, region=region)
    if not _has(words, "--require-approval"):
        # Nothing on the local cloud opens a door; without a terminal the CDK CLI could not even ask.
        words += ["--require-approval", "never"]
    _bootstrap(cdk, words, {(cdk.target.account, cdk.target.region)})
    with tempfile.TemporaryDirectory(prefix="agentcore-deploy-") as scratch:
        outputs = Path(assembly.option(words, "--outputs-file", "-O") or Path(scratch) / "outputs.json")
        if as_json and not _has(words, "--outputs-file", "-O"):
            words += ["--outputs-file", str(outputs)]
        code = _deploy(cdk, words, stdout=_STDERR if as_json else None)
        if as_json:
            _print_outputs(cdk.target, outputs, code)
    _leave("deploy", code, cdk, context.args)


def diff(
    context: typer.Context,
    *,
    account: AccountOption = None,
    region: RegionOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document with the exit code.")] = False,
) -> None:
    """Compare the app of this folder with what the local cloud runs (`cdk diff`)."""
    words = list(context.args)
    cdk = _cdk(words, account=account, region=region)
    _finish("diff", cdk, words, as_json=as_json)


def destroy(
    context: typer.Context,
    *,
    account: AccountOption = None,
    region: RegionOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document with the exit code.")] = False,
) -> None:
    """Destroy stacks on the local cloud (`cdk destroy`), without asking: it can reach nothing else."""
    words = list(context.args)
    cdk = _cdk(words, account=account, region=region)
    if not _has(words, "--force", "-f"):
        words.append("--force")
    _finish("destroy", cdk, words, as_json=as_json)


def _finish(verb: str, cdk: Cdk, words: Sequence[str], *, as_json: bool) -> None:
    code = cdk.run(verb, *words, stdout=_STDERR if as_json else None)
    if as_json:
        console.document({"target": cdk.target.to_json(), "exitCode": code})
    _leave(verb, code, cdk, words)


def _cdk(words: Sequence[str], *, account: str | None, region: str | None) -> Cdk:
    if "--aws" in words or os.environ.get("AGENTCORE_TARGET") == "aws":
        raise misused(
            "This command works on the local cloud only; deploy to AWS with the CDK CLI itself: cdk deploy.",
            code="LocalOnly",
        )
    if _has(words, "--profile"):
        raise misused(
            "--profile names AWS credentials, and this command uses the local cloud; choose an account with --account.",
            code="LocalOnly",
        )
    target = targets.local_target(state.home(), os.environ, account=account, region=region)
    console.note(f"{target.describe()}", style="dim")
    from agentcore_local import toolchain  # noqa: PLC0415 - only commands that need the local cloud load it

    try:
        command = toolchain.cdk_command()
    except toolchain.ToolchainError as error:
        raise CliError(f"The CDK CLI cannot be used: {str(error).rstrip('.')}.", code="CdkCliMissing") from error
    return Cdk(command, target, environment(os.environ, variables(target)))


def environment(environ: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without any AWS setting, with the local cloud's in their place.

    The rest stays: apps read their own variables, and their tools need HOME and PATH. `CDK_HOME` and the two
    `AWS_…_FILE` variables keep `~/.cdk` and `~/.aws` out of it.
    """
    return {name: value for name, value in environ.items() if not name.startswith("AWS_")} | dict(found)


def _deploy(cdk: Cdk, words: Sequence[str], *, stdout: int | None) -> int:
    """Deploy; when stacks go to Regions that were never bootstrapped, bootstrap those and deploy once more."""
    began = time.time()
    code = cdk.run("deploy", *words, stdout=stdout)
    if code == 0:
        return code
    manifest = assembly.folder(Path.cwd(), words)
    if not _written_since(manifest / "manifest.json", began):
        return code  # synthesis failed: the manifest, if there is one, is of another day
    wanted = assembly.environments(manifest, account=cdk.target.account, region=cdk.target.region)
    others = sorted({account for account, _ in wanted} - {cdk.target.account})
    if others:
        console.note(f"Stacks of this app go to account {', '.join(others)}; deploy those with --account {others[0]}.")
    if not _bootstrap(cdk, words, {place for place in wanted if place[0] == cdk.target.account}):
        return code
    return cdk.run("deploy", *words, stdout=stdout)


def _bootstrap(cdk: Cdk, words: Sequence[str], places: set[tuple[str, str]]) -> bool:
    """Bootstrap those places that are not yet; whether there were any.

    Raises:
        CliError: the CDK CLI could not.
    """
    toolkit = assembly.option(words, "--toolkit-stack-name")
    missing = sorted(place for place in places if not _is_bootstrapped(cdk.target, place[1], toolkit or _TOOLKIT))
    for account, region in missing:
        began = time.monotonic()
        console.note(f"Bootstrapping aws://{account}/{region} on the local cloud …", style="dim", end="")
        named = ["--toolkit-stack-name", toolkit] if toolkit else []
        done = subprocess.run(  # noqa: S603 - the user's own CLI
            [*cdk.command, "bootstrap", f"aws://{account}/{region}", *named],
            env=cdk.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            console.note()
            console.note(done.stdout)
            raise CliError(
                f"Bootstrapping aws://{account}/{region} failed (exit code {done.returncode}); "
                "the CDK CLI says why above.",
                code="BootstrapFailed",
            )
        console.note(f" {time.monotonic() - began:.1f} s", style="dim")
    return bool(missing)


def _is_bootstrapped(target: targets.Target, region: str, toolkit: str) -> bool:
    place = targets.Target("local", target.endpoint, target.account, region)
    cloudformation = aws.client(place, "cloudformation")
    with aws.sentences(place):
        try:
            stacks = cloudformation.describe_stacks(StackName=toolkit)["Stacks"]
        except cloudformation.exceptions.ClientError as error:
            if "does not exist" in str(error):
                return False
            raise
    return any(stack["StackStatus"] in _BOOTSTRAPPED for stack in stacks)


def _print_outputs(target: targets.Target, outputs: Path, code: int) -> None:
    stacks: dict[str, Any] = json.loads(outputs.read_text(encoding="utf-8")) if outputs.is_file() else {}
    console.document({"target": target.to_json(), "exitCode": code, "outputs": stacks})


def _leave(verb: str, code: int, cdk: Cdk, words: Sequence[str]) -> None:
    if code == 0:
        return
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    command = shlex.join(["cdk", verb, *words])
    console.note(f"agentcore-harness: `{command}` ended with exit code {code} on {cdk.target.describe()}.", style="red")
    raise typer.Exit(code)


def _has(words: Sequence[str], *names: str) -> bool:
    return any(word.partition("=")[0] in names for word in words)


def _written_since(path: Path, moment: float) -> bool:
    # File systems keep whole seconds at worst.
    return path.is_file() and path.stat().st_mtime >= moment - 1


def _let_end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_INTERRUPT_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        process.wait()
