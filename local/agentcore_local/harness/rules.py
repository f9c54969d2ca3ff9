"""The service's own rules: what shapes cannot say, because it spans several fields.

Each rule is a generator of faults; `check` runs those that apply to the members a request carries. Sources: botocore
1.44.5 documentation of the shapes and the developer guide's pages on environment, hooks, tools and inbound JWT.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from .errors import FieldFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_LIFETIME_SECONDS = 28_800
_MAX_MOUNTS = {"sessionStorage": 1, "efsAccessPoint": 2, "s3FilesAccessPoint": 2}
_TOOL_CONFIG = {
    "remote_mcp": "remoteMcp",
    "agentcore_browser": "agentCoreBrowser",
    "agentcore_gateway": "agentCoreGateway",
    "inline_function": "inlineFunction",
    "agentcore_code_interpreter": "agentCoreCodeInterpreter",
}
_CONFIG_REQUIRED = {"remote_mcp", "agentcore_gateway", "inline_function"}
_OPERATORS = {"STRING": ("EQUALS",), "STRING_ARRAY": ("CONTAINS", "CONTAINS_ANY")}
_CLAIM_VALUE = {"EQUALS": "matchValueString", "CONTAINS": "matchValueString", "CONTAINS_ANY": "matchValueStringList"}
_TRUNCATION_CONFIG = {"sliding_window": "slidingWindow", "summarization": "summarization", "none": None}


def check(request: dict[str, Any]) -> list[FieldFault]:
    """Every fault of a request (CreateHarness, UpdateHarness or InvokeHarness members) that its shapes accept."""
    faults: list[FieldFault] = []
    for member, rule in _RULES.items():
        value = request.get(member)
        if isinstance(value, dict) and set(value) <= {"optionalValue"} and member in _WRAPPED:
            value = value.get("optionalValue")
        if value is not None:
            faults += rule(value)
    return faults


def lifecycle(configuration: dict[str, Any]) -> Iterator[FieldFault]:
    """60–28800 s each for a harness (shapes allow 1209600 for runtimes), idle not above the lifetime."""
    path = "environment.agentCoreRuntimeEnvironment.lifecycleConfiguration"
    for name in ("idleRuntimeSessionTimeout", "maxLifetime"):
        value = configuration.get(name)
        if value is not None and value > MAX_LIFETIME_SECONDS:
            yield FieldFault(
                f"{path}.{name}",
                f"Value '{value}' at '{path}.{name}' failed to satisfy constraint: Member must have value less than or "
                f"equal to {MAX_LIFETIME_SECONDS} for a harness",
            )
    idle, lifetime = configuration.get("idleRuntimeSessionTimeout"), configuration.get("maxLifetime")
    if idle is not None and lifetime is not None and idle > lifetime:
        yield FieldFault(
            f"{path}.idleRuntimeSessionTimeout",
            f"idleRuntimeSessionTimeout ({idle}) must be less than or equal to maxLifetime ({lifetime})",
        )


def _environment(environment: dict[str, Any]) -> Iterator[FieldFault]:
    runtime = environment.get("agentCoreRuntimeEnvironment") or {}
    path = "environment.agentCoreRuntimeEnvironment"
    yield from lifecycle(runtime.get("lifecycleConfiguration") or {})
    network = runtime.get("networkConfiguration") or {}
    if network.get("networkMode") == "VPC" and not network.get("networkModeConfig"):
        name = f"{path}.networkConfiguration.networkModeConfig"
        yield FieldFault(name, "networkModeConfig is required when networkMode is VPC")
    if network.get("networkMode") == "PUBLIC" and network.get("networkModeConfig"):
        name = f"{path}.networkConfiguration.networkModeConfig"
        yield FieldFault(name, "networkModeConfig is only allowed when networkMode is VPC")
    yield from _mounts(runtime.get("filesystemConfigurations") or [], network.get("networkMode"), path)


def _mounts(mounts: list[dict[str, Any]], mode: str | None, path: str) -> Iterator[FieldFault]:
    name = f"{path}.filesystemConfigurations"
    kinds = Counter(kind for mount in mounts for kind in mount)
    for kind, limit in _MAX_MOUNTS.items():
        if kinds[kind] > limit:
            yield FieldFault(name, f"at most {limit} {kind} may be mounted; received {kinds[kind]}")
    paths = Counter(str(at.get("mountPath", "")).rstrip("/") for mount in mounts for at in mount.values())
    for mounted, times in paths.items():
        if times > 1:
            yield FieldFault(name, f"mountPath must be unique; '{mounted}' is used {times} times")
    needs_vpc = [kind for kind in ("efsAccessPoint", "s3FilesAccessPoint") if kinds[kind]]
    # An update that leaves the network as it is does not carry a mode: `operations` checks the merged environment.
    if needs_vpc and mode == "PUBLIC":
        yield FieldFault(name, f"{' and '.join(needs_vpc)} can only be mounted when networkMode is VPC")


def _tools(tools: list[dict[str, Any]]) -> Iterator[FieldFault]:
    for position, tool in enumerate(tools, start=1):
        path = f"tools.{position}.member.config"
        wanted, config = _TOOL_CONFIG.get(tool.get("type", "")), tool.get("config") or {}
        if not config and tool.get("type") in _CONFIG_REQUIRED:
            yield FieldFault(path, f"a tool of type {tool['type']} requires config.{wanted}")
        for member in config:
            if wanted and member != wanted:
                message = f"a tool of type {tool['type']} takes config.{wanted}, not config.{member}"
                yield FieldFault(f"{path}.{member}", message)
    yield from _unique([tool.get("name") for tool in tools], "tools", "tool names")


def _hooks(hooks: list[dict[str, Any]]) -> Iterator[FieldFault]:
    names = [event.get("name") for hook in hooks for event in hook.values()]
    yield from _unique(names, "hooks", "hook names")


def _unique(names: list[str | None], path: str, what: str) -> Iterator[FieldFault]:
    for name, times in Counter(name for name in names if name).items():
        if times > 1:
            yield FieldFault(path, f"{what} must be unique; '{name}' is used {times} times")


def _model(model: dict[str, Any]) -> Iterator[FieldFault]:
    bedrock = model.get("bedrockModelConfig") or {}
    parameters = bedrock.get("additionalParams")
    guarded = isinstance(parameters, dict) and "guardrailConfig" in parameters
    if guarded and bedrock.get("apiFormat", "converse_stream") != "converse_stream":
        yield FieldFault(
            "model.bedrockModelConfig.additionalParams",
            f"guardrailConfig is only supported with apiFormat converse_stream, not {bedrock['apiFormat']}",
        )


def _truncation(truncation: dict[str, Any]) -> Iterator[FieldFault]:
    strategy, config = truncation.get("strategy", ""), truncation.get("config") or {}
    wanted = _TRUNCATION_CONFIG.get(strategy)
    for member in config:
        if member != wanted:
            allowed = f"takes config.{wanted}" if wanted else "takes no config"
            yield FieldFault("truncation.config", f"strategy {strategy} {allowed}, not config.{member}")


def _authorizer(authorizer: dict[str, Any]) -> Iterator[FieldFault]:
    jwt = authorizer.get("customJWTAuthorizer") or {}
    path = "authorizerConfiguration.customJWTAuthorizer"
    if not any(jwt.get(name) for name in ("allowedAudience", "allowedClients", "allowedScopes", "customClaims")):
        yield FieldFault(
            path, "at least one of allowedAudience, allowedClients, allowedScopes or customClaims is required"
        )
    for position, claim in enumerate(jwt.get("customClaims") or [], start=1):
        yield from _claim(claim, f"{path}.customClaims.{position}.member")


def _claim(claim: dict[str, Any], path: str) -> Iterator[FieldFault]:
    kind = claim.get("inboundTokenClaimValueType", "")
    match = claim.get("authorizingClaimMatchValue") or {}
    operator = match.get("claimMatchOperator", "")
    if operator not in _OPERATORS.get(kind, ()):
        allowed = " or ".join(_OPERATORS.get(kind, ()))
        yield FieldFault(f"{path}.authorizingClaimMatchValue", f"a {kind} claim takes {allowed}, not {operator}")
        return
    wanted = _CLAIM_VALUE[operator]
    if wanted not in (match.get("claimMatchValue") or {}):
        yield FieldFault(f"{path}.authorizingClaimMatchValue.claimMatchValue", f"{operator} takes {wanted}")


_WRAPPED = {"authorizerConfiguration", "memory", "environmentArtifact"}
_RULES: dict[str, Callable[[Any], Iterator[FieldFault]]] = {
    "environment": _environment,
    "authorizerConfiguration": _authorizer,
    "model": _model,
    "tools": _tools,
    "truncation": _truncation,
    "hooks": _hooks,
}
