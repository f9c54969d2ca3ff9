"""Putting our services into ministack: routes, CloudFormation types, Step Functions, permissions. At every start."""

from __future__ import annotations

import json
import sys
from typing import Any

from . import (
    client_context,
    codebuild,
    fixtures,
    function_urls,
    iam,
    identity,
    lambdas,
    machine_roles,
    schedules,
    seams,
    stack_roles,
    state,
)
from .cfn import custom_resources, registry
from .cfn.generic import RECORDS
from .faults import TaskFailed
from .gateway import api as gateway_api
from .gateway.store import GATEWAYS
from .harness import api
from .harness.store import STORE
from .memory import records
from .process import PROCESS, LocalCloudError
from .stepfunctions import callbacks, definitions, quotas
from .stepfunctions.runner import Runner

_STATE_FILE = "agentcore_local.json"
_STATE_FORMAT = 1
_INVOKE_HARNESS = "arn:aws:states:::bedrockagentcore:invokeHarness"


def compose(*, iam_enabled: bool) -> None:
    """Import ministack, verify it is the one we know, and add what it lacks.

    Raises:
        LocalCloudError: The `[local]` extra is not installed.
        SeamBrokenError: ministack is not the version this package composes with.
    """
    try:
        seams.load()
    except ImportError as missing:
        raise LocalCloudError(
            f"the local cloud needs packages that are not installed ({missing.name}); "
            "install agentcore-harness-cdk[local]"
        ) from missing
    seams.check()
    iam.Switch.enabled = iam_enabled
    seams.enforce_permissions(enabled=iam_enabled)
    seams.run_workflows(Runner(), machine_roles.check)
    seams.task_tokens(callbacks.Tokens())
    seams.on_state_machine(definitions.refusal)
    seams.on_start(quotas.start_refusal)
    seams.match_by_name_only(quotas.TERMINAL)
    seams.on_schedules(schedules.tick, schedules.problem)
    seams.execute_changes_of_outputs()
    seams.on_stack_request(stack_roles.note)
    seams.keep_exports_in_use()
    seams.keep_away_from_docker()
    seams.count_loopback_as_tls()
    seams.lambda_surroundings(PROCESS.lambda_environment, lambda: str(PROCESS.folder))
    seams.on_code_unpacked(lambdas.fit)
    seams.function_errors()
    seams.lambda_client_contexts(client_context.read)
    seams.on_function_url(function_urls.refusal, function_urls.authorizer)
    seams.route_agentcore(lambda original: api.in_front_of(gateway_api.in_front_of(identity.in_front_of(original))))
    seams.serve_memory(records.extract)
    seams.evaluate_conditions_fully()
    registry.register()
    custom_resources.install()
    seams.watch_roles()
    codebuild.install()
    seams.task_integration(_INVOKE_HARNESS, _invoke_harness)
    if PROCESS.state_dir is not None:
        keeper = state.KEPT.keeper = state.Keeper(PROCESS.state_dir, _ours)
        seams.keep_state(lambda: keeper.snapshot, keeper.restored)
    _load()


def started() -> None:
    """The server serves, and its services have read their state: keep it from now on."""
    if state.KEPT.keeper is not None:
        state.KEPT.keeper.start()


def reset() -> None:
    """Forget everything, in every account: ministack's services, harnesses, recorded resources, sessions, files."""
    _forget()
    if state.KEPT.keeper is not None:
        state.KEPT.keeper.save()


def shut_down() -> None:
    """End what outlives the event loop (Lambda workers, the agents' thread), keep state if asked to, forget it here.

    Raises:
        OSError: The state could not be written; all else is done.
    """
    seams.end_lambda_workers()
    keeper, state.KEPT.keeper = state.KEPT.keeper, None
    try:
        if keeper is not None:
            keeper.stop()
    finally:
        _end()


def _end() -> None:
    agents = _agents()
    if agents:
        agents.shutdown()
    _forget(keep_files=PROCESS.state_dir is not None)
    seams.forget_loop()


def _forget(*, keep_files: bool = False) -> None:
    seams.abort_executions()
    seams.reset_all(keep_files=keep_files)
    schedules.forget()
    STORE.reset()
    GATEWAYS.reset()
    fixtures.use(None)
    RECORDS.reset()
    stack_roles.reset()
    agents = _agents()
    if agents:
        agents.reset()


def _ours() -> dict[str, str]:
    """What is kept beside the state of ministack's services: file name to content."""
    content = {
        "format": _STATE_FORMAT,
        "harnesses": STORE.dump(),
        "gateways": GATEWAYS.dump(),
        "recorded": RECORDS.dump(),
    }
    return {_STATE_FILE: json.dumps(content)}


def _load() -> None:
    if state.KEPT.keeper is None:
        return
    state.KEPT.keeper.check()
    path = state.KEPT.keeper.snapshot / _STATE_FILE
    if not path.exists():
        return
    content = json.loads(path.read_text())
    if content.get("format") != _STATE_FORMAT:
        raise LocalCloudError(
            f"{path} was written in format {content.get('format')}, this version reads {_STATE_FORMAT}; "
            "use an empty state folder"
        )
    STORE.load(content["harnesses"])
    GATEWAYS.load(content.get("gateways", []))
    RECORDS.load(content["recorded"])


def _agents() -> Any:
    """The agents' package, if anything has used it: importing it takes most of a second."""
    return sys.modules.get("agentcore_local.agents")


def _invoke_harness(resource: str, arguments: dict[str, Any]) -> Any:
    from .stepfunctions import harness_task  # noqa: PLC0415 - loads the agents

    account, region = seams.current_scope()
    try:
        return harness_task.invoke_harness(resource, arguments, account=account, region=region)
    except TaskFailed as failure:
        raise seams.task_error(failure.error, failure.cause) from failure
