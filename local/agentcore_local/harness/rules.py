"""The service's own rules: what shapes cannot say, because it spans several fields.

Each rule is a generator of faults; `check` runs those that apply to the members a request carries. Sources: botocore
1.44.5 documentation of the shapes and the developer guide's pages on environment, hooks, tools and inbound JWT.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from . import defaults
from .errors import FieldFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_MAX_MOUNTS = {"sessionStorage": 1, "efsAccessPoint": 2, "s3FilesAccessPoint": 2}
# The shapes' pattern lets these pass; no file system can be mounted there.
_NO_DIRECTORY = {"/mnt/.", "/mnt/.."}
_NEEDS_VPC = {"efsAccessPoint", "s3FilesAccessPoint"}
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
        if value is not None and value > defaults.LIFETIME_SECONDS:
            yield FieldFault(
                f"{path}.{name}",
                f"Value '{value}' at '{path}.{name}' failed to satisfy constraint: Member must have value less than or "
                f"equal to {defaults.LIFETIME_SECONDS} for a harness",
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
    if (network.get("networkModeConfig") or {}).get("requireServiceS3Endpoint") is not None:
        name = f"{path}.networkConfiguration.networkModeConfig.requireServiceS3Endpoint"
        yield FieldFault(name, "requireServiceS3Endpoint cannot be set on runtimes created after May 2026")
    yield from _mounts(runtime.get("filesystemConfigurations") or [], network.get("networkMode"), path)


def _mounts(mounts: list[dict[str, Any]], mode: str | None, path: str) -> Iterator[FieldFault]:
    name = f"{path}.filesystemConfigurations"
    kinds = Counter(kind for mount in mounts for kind in mount)
    for kind, limit in _MAX_MOUNTS.items():
        if kinds[kind] > limit:
            yield FieldFault(name, f"at most {limit} {kind} may be mounted; received {kinds[kind]}")
    paths = [str(at.get("mountPath", "")).rstrip("/") for mount in mounts for at in mount.values()]
    for position in _repeated(paths):
        mounted = paths[position]
        yield FieldFault(f"{name}.{position + 1}.member", f"mountPath must be unique; '{mounted}' is used before")
    for position, mount in enumerate(mounts, start=1):
        for kind, at in mount.items():
            if str(at.get("mountPath", "")).rstrip("/") in _NO_DIRECTORY:
                yield FieldFault(
                    f"{name}.{position}.member.{kind}.mountPath",
                    f"mountPath must name a directory below /mnt; received '{at['mountPath']}'",
                )
    # An update that leaves the network as it is does not carry a mode: `operations` checks the merged environment.
    for position, mount in enumerate(mounts, start=1):
        for kind in _NEEDS_VPC & mount.keys() if mode == "PUBLIC" else ():
            message = f"{kind} can only be mounted when networkMode is VPC"
            yield FieldFault(f"{name}.{position}.member.{kind}", message)


def _tools(tools: list[dict[str, Any]]) -> Iterator[FieldFault]:
    for position, tool in enumerate(tools, start=1):
        path = f"tools.{position}.member.config"
        wanted, config = defaults.TOOL_CONFIG.get(tool.get("type", "")), tool.get("config") or {}
        if not config and tool.get("type") in _CONFIG_REQUIRED:
            yield FieldFault(path, f"a tool of type {tool['type']} requires config.{wanted}")
        for member in config:
            if wanted and member != wanted:
                yield FieldFault(path, f"a tool of type {tool['type']} takes config.{wanted}, not config.{member}")
    names = [tool.get("name") for tool in tools]
    for position in _repeated(names):
        message = f"tool names must be unique; '{names[position]}' is used before"
        yield FieldFault(f"tools.{position + 1}.member.name", message)


def _hooks(hooks: list[dict[str, Any]]) -> Iterator[FieldFault]:
    named = [(event, body.get("name")) for hook in hooks for event, body in hook.items()]
    for position in _repeated([name for _, name in named]):
        event, name = named[position]
        message = f"hook names must be unique; '{name}' is used before"
        yield FieldFault(f"hooks.{position + 1}.member.{event}.name", message)


def _repeated(values: Sequence[str | None]) -> Iterator[int]:
    """Positions (from 0) of the values that stand at an earlier position too; None is no value."""
    for position, value in enumerate(values):
        if value is not None and value in values[:position]:
            yield position


def _model(model: dict[str, Any]) -> Iterator[FieldFault]:
    bedrock = model.get("bedrockModelConfig") or {}
    parameters = bedrock.get("additionalParams")
    guarded = isinstance(parameters, dict) and "guardrailConfig" in parameters
    if guarded and bedrock.get("apiFormat", "converse_stream") != "converse_stream":
        yield FieldFault(
            "model.bedrockModelConfig.additionalParams.guardrailConfig",
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
    for position, scope in enumerate(jwt.get("advertisedScopeMapping") or {}, start=1):
        if scope not in (jwt.get("allowedScopes") or []):
            message = f"'{scope}' must be one of allowedScopes to be advertised"
            yield FieldFault(f"{path}.advertisedScopeMapping.{position}.key", message)
    if jwt.get("certificateConfigurations") and not jwt.get("privateEndpoint"):
        message = "certificateConfigurations can only be used together with privateEndpoint"
        yield FieldFault(f"{path}.certificateConfigurations", message)
    yield from _private_endpoint(jwt.get("privateEndpoint") or {}, f"{path}.privateEndpoint")
    for position, override in enumerate(jwt.get("privateEndpointOverrides") or [], start=1):
        at = f"{path}.privateEndpointOverrides.{position}.member.privateEndpoint"
        yield from _private_endpoint(override.get("privateEndpoint") or {}, at)


def _private_endpoint(endpoint: dict[str, Any], path: str) -> Iterator[FieldFault]:
    tags = (endpoint.get("managedVpcResource") or {}).get("tags") or {}
    yield from reserved_tags(tags, f"{path}.managedVpcResource.tags")


def _claim(claim: dict[str, Any], path: str) -> Iterator[FieldFault]:
    kind = claim.get("inboundTokenClaimValueType", "")
    match = claim.get("authorizingClaimMatchValue") or {}
    operator = match.get("claimMatchOperator", "")
    if operator not in _OPERATORS.get(kind, ()):
        allowed = " or ".join(_OPERATORS.get(kind, ()))
        at = f"{path}.authorizingClaimMatchValue.claimMatchOperator"
        yield FieldFault(at, f"a {kind} claim takes {allowed}, not {operator}")
        return
    wanted = _CLAIM_VALUE[operator]
    if wanted not in (match.get("claimMatchValue") or {}):
        yield FieldFault(f"{path}.authorizingClaimMatchValue.claimMatchValue", f"{operator} takes {wanted}")


def _memory(memory: dict[str, Any]) -> Iterator[FieldFault]:
    """The CloudFormation schema says `uniqueItems` of the strategies; shapes cannot."""
    strategies = (memory.get("managedMemoryConfiguration") or {}).get("strategies") or []
    for position in _repeated(strategies):
        message = f"strategies must be unique; {strategies[position]} is named before"
        yield FieldFault("memory.managedMemoryConfiguration.strategies", message)


def reserved_tags(tags: dict[str, str], path: str = "tags") -> Iterator[FieldFault]:
    """Tag keys that begin with `aws:`, in any case of letters, are AWS' own."""
    for position, key in enumerate(tags, start=1):
        if key.lower().startswith("aws:"):
            yield FieldFault(f"{path}.{position}.key", f"Tag keys must not start with 'aws:'; received {key}")


_WRAPPED = {"authorizerConfiguration", "memory", "environmentArtifact"}
_RULES: dict[str, Callable[[Any], Iterator[FieldFault]]] = {
    "environment": _environment,
    "authorizerConfiguration": _authorizer,
    "model": _model,
    "tools": _tools,
    "truncation": _truncation,
    "hooks": _hooks,
    "memory": _memory,
    "tags": reserved_tags,
}
