"""The agent loop acts with the role of the harness version that serves: asks before it acts, surfaces refusals.

Where AWS says nothing of how a refusal shows itself, it is the nearest documented one; docs/local-permissions.md lists
them.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import TYPE_CHECKING

from agentcore_local import actions, iam, seams
from agentcore_local.faults import RequestRefused, StreamFailed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentcore_local.agents.plan import Plan, ToolConfig
    from agentcore_local.agents.sessions import Session

logger = logging.getLogger(__name__)

SERVICE_PRINCIPAL = "bedrock-agentcore.amazonaws.com"
LOG_GROUPS = "/aws/bedrock-agentcore/runtimes/"

_FAILED_DEPENDENCY = 424
_MACHINES = 10_000
# When the machine of a session was started for which everything it takes to start one was allowed.
_STARTED: OrderedDict[object, float] = OrderedDict()
_TOLD = 4096
_told: set[tuple[str, str, str]] = set()


def denial(plan: Plan, asks: Iterable[actions.Ask]) -> str | None:
    """Why the role may not do one of these, in AWS's words; None when it may do all."""
    role = plan.harness.get("executionRoleArn")
    if role is None or not iam.Switch.enabled:
        return None  # an agent without a role is one of our own tests: every harness has one
    place = iam.Place(plan.account, plan.region)
    session = f"BedrockAgentCore-{plan.harness_name}"
    for ask in asks:
        refusal = iam.denial(role, ask.action, ask.resource, place=place, session=session, keys=ask.keys)
        if refusal is not None:
            return f"AccessDeniedException: {refusal}"
    return None


_ALLOWED: dict[tuple[str, ...], int] = {}
_VERSIONS = 4096


def _version_denial(plan: Plan, what: str, asks: Iterable[actions.Ask]) -> str | None:
    """As `denial`, for what no request can override: that a version may do it is remembered until IAM changes."""
    role = plan.harness.get("executionRoleArn")
    if role is None or not iam.Switch.enabled:
        return None
    key, revision = (plan.harness_arn, plan.version, role, what), seams.role_revision()
    if _ALLOWED.get(key) == revision:
        return None
    listed = list(asks)
    refusal = denial(plan, listed)
    if refusal is None and all(iam.lasts(role, ask.action, account=plan.account) for ask in listed):
        if len(_ALLOWED) >= _VERSIONS:
            _ALLOWED.clear()
        _ALLOWED[key] = revision
    return refusal


def start(plan: Plan, session: Session) -> None:
    """Assume the role and, for a session whose machine is new, start one: images, file systems.

    Raises:
        RequestRefused: `RuntimeClientError` (HTTP 424), before any event.
    """
    role = plan.harness.get("executionRoleArn")
    if role is None or not iam.Switch.enabled:
        return
    runtime = actions.runtime_environment(plan).get("agentRuntimeArn") or plan.harness_arn
    distrust = iam.role_trusts(role, SERVICE_PRINCIPAL, account=plan.account, region=plan.region, source_arn=runtime)
    if distrust is not None:
        raise _failed_dependency(
            f"The execution role {role} of version {plan.version} cannot be assumed: {distrust}; make it assumable, "
            "or point the endpoint at a version with a role that is"
        )
    if _STARTED.get(session.key) == session.started:
        return
    refusal = _version_denial(plan, "image", actions.image(plan.harness, plan.region))
    if refusal is not None:
        raise _failed_dependency(f"The session could not be started: its image could not be pulled: {refusal}")
    refusal = denial(plan, actions.mounts(plan))
    if refusal is not None:
        raise _failed_dependency(f"The session could not be started: a file system could not be mounted: {refusal}")
    _tell_missing_telemetry(plan)


def _started(session: Session) -> None:
    _STARTED[session.key] = session.started
    if len(_STARTED) > _MACHINES:
        _STARTED.popitem(last=False)


def load(plan: Plan, session: Session, *, resumes: bool) -> None:
    """Read the conversation.

    Raises:
        StreamFailed: `runtimeClientError`.
    """
    if _STARTED.get(session.key) != session.started:
        _started(session)
    operations = (*actions.MEMORY_LOAD, *(actions.MEMORY_RESUME if resumes else ()))
    what = "memory of a call" if resumes else "memory"
    _refuse("The memory could not be read", _version_denial(plan, what, actions.memory(plan, operations)))


def keep(plan: Plan) -> None:
    """Write the conversation.

    Raises:
        StreamFailed: `runtimeClientError`.
    """
    kept = actions.memory(plan, actions.MEMORY_KEEP)
    _refuse("The memory could not be written", _version_denial(plan, "memory kept", kept))


def call_model(plan: Plan) -> None:
    """Call the model.

    Raises:
        StreamFailed: `runtimeClientError`.
    """
    asks = actions.model(plan)
    is_overridden = plan.model != plan.harness.get("model")
    refusal = denial(plan, asks) if is_overridden else _version_denial(plan, "model", asks)
    _refuse("The model provider refused the request", refusal)


def load_tools(plan: Plan) -> bool:
    """Whether the loop has tools at all: without its workload identity it silently has none.

    Raises:
        StreamFailed: `runtimeClientError`, for a gateway or an MCP server that cannot be asked.
    """
    refusal = _version_denial(plan, "tools", actions.workload_identity(plan))
    if refusal is not None:
        _tell_once(plan, "tools", refusal)
        return False
    for tool in plan.tools:
        _refuse(f"The tools of {tool.name!r} could not be loaded", denial(plan, actions.tool_loading(plan, tool)))
    return True


def tool_denial(plan: Plan, tool: ToolConfig) -> str | None:
    """Why a browser or a code interpreter cannot be called."""
    return denial(plan, actions.tool_call(plan, tool))


def hook_denial(plan: Plan, service: str, arn: str) -> str | None:
    """Why a hook's target cannot be told."""
    return denial(plan, actions.hook(plan, service, arn))


def may_log(plan: Plan, group: str) -> bool:
    """Whether what the agent does is logged."""
    refusal = _version_denial(plan, group, actions.logs(plan, group))
    if refusal is not None:
        _tell_once(plan, "logs", refusal)
    return refusal is None


def reset() -> None:
    """Forget which sessions run and what was told."""
    _STARTED.clear()
    _ALLOWED.clear()
    _told.clear()


def _tell_missing_telemetry(plan: Plan) -> None:
    group = f"{LOG_GROUPS}{actions.runtime_environment(plan).get('agentRuntimeId', '')}-DEFAULT"
    if _version_denial(plan, "telemetry", (ask for _, ask in actions.telemetry(plan, group))) is None:
        return
    for what, ask in actions.telemetry(plan, group):
        refusal = denial(plan, [ask])
        if refusal is not None:
            _tell_once(plan, what, refusal)


def _tell_once(plan: Plan, what: str, refusal: str) -> None:
    """AWS says nothing of these; the local cloud's own log does, once for each version of a harness."""
    if len(_told) >= _TOLD:
        _told.clear()
    key = (plan.harness_arn, plan.version, refusal)
    if key not in _told:
        _told.add(key)
        logger.warning(
            "harness=<%s>, version=<%s>, missing=<%s>, refusal=<%s> | goes without, as it silently does on AWS",
            plan.harness_arn,
            plan.version,
            what,
            refusal,
        )


def _refuse(what: str, refusal: str | None) -> None:
    if refusal is not None:
        raise StreamFailed("runtimeClientError", f"{what}: {refusal}")


def _failed_dependency(message: str) -> RequestRefused:
    return RequestRefused("RuntimeClientError", message, _FAILED_DEPENDENCY)
