"""Valid CreateHarness requests with one rule broken that spans several fields, which no single shape forbids.

The sources of the rules are in `meanings`, where the same rules keep what is drawn valid.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from .meanings import LONGEST_LIFETIME, NEEDS_VPC, TOOL_CONFIG, TOOLS_WITHOUT_CONFIG, TRUNCATION_CONFIG
from .mutations import Broken, Key, Place
from .shapes import CREATE_HARNESS, Drawn, Walk

Rule = Callable[[Any, Walk], tuple[dict[str, Any], Place]]
"""Draws members that replace those of a request, and the field that has to be named then."""


@st.composite
def broken_rule(draw: Any, walk: Walk, role_arn: str, rule: str) -> Broken:
    """Requests that break a rule."""
    request = draw(walk.whole(role_arn))
    members, place = RULES[rule](draw, walk)
    if "tools" in members:
        request.pop("allowedTools", None)  # it may refer to the tools that are replaced
    return Broken(rule, place, {**request, **members})


def _of(walk: Walk, path: str) -> Drawn:
    """What is drawn for a place of a valid request."""
    shape: Any = CREATE_HARNESS
    for name in path.split("."):
        shape = shape.members[name]
        while shape.type_name in {"list", "map"}:
            shape = shape.member if shape.type_name == "list" else shape.value
    return walk.of(shape, None)


# Tools and hooks


def _tool_without_config(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    kind = draw(st.sampled_from(sorted(set(TOOL_CONFIG) - TOOLS_WITHOUT_CONFIG)))
    before = draw(st.lists(st.just({"type": "agentcore_browser"}), max_size=2))
    return {"tools": [*before, {"type": kind}]}, ("tools", len(before), "config")


def _tool_with_another_config(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    tool = draw(_of(walk, "tools").filter(lambda one: "config" in one))
    kind = draw(st.sampled_from(sorted(set(TOOL_CONFIG) - {tool["type"]})))
    return {"tools": [{**tool, "type": kind}]}, ("tools", 0, "config")


def _same_tool_name(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    first, second = draw(_of(walk, "tools")), draw(_of(walk, "tools"))
    between = draw(st.lists(st.just({"type": "agentcore_browser"}), max_size=1))
    tools = [{**first, "name": "same"}, *between, {**second, "name": "same"}]
    return {"tools": tools}, ("tools", len(tools) - 1, "name")


def _same_hook_name(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    hooks = [draw(_of(walk, "hooks")) for _ in range(2)]
    for hook in hooks:
        next(iter(hook.values()))["name"] = "same"
    return {"hooks": hooks}, ("hooks", 1, next(iter(hooks[1])), "name")


# Model and truncation


def _guardrail_without_converse(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    model = draw(_of(walk, "model.bedrockModelConfig"))
    params = {
        **model.get("additionalParams", {}),
        "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
    }
    api_format = draw(st.sampled_from(["responses", "chat_completions"]))
    broken = {**model, "additionalParams": params, "apiFormat": api_format}
    place = ("model", "bedrockModelConfig", "additionalParams", "guardrailConfig")
    return {"model": {"bedrockModelConfig": broken}}, place


def _truncation_of_another_strategy(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    truncation = draw(_of(walk, "truncation").filter(lambda one: "config" in one))
    strategy = draw(st.sampled_from(sorted(set(TRUNCATION_CONFIG) - {truncation["strategy"]})))
    return {"truncation": {**truncation, "strategy": strategy}}, ("truncation", "config")


# Environment

_RUNTIME = ("environment", "agentCoreRuntimeEnvironment")
_MOUNTS = (*_RUNTIME, "filesystemConfigurations")
_NETWORK = (*_RUNTIME, "networkConfiguration")
_LIFECYCLE = (*_RUNTIME, "lifecycleConfiguration")


def _runtime(draw: Any, walk: Walk, **members: Any) -> dict[str, Any]:
    drawn = draw(_of(walk, "environment.agentCoreRuntimeEnvironment"))
    if "networkConfiguration" in members:
        drawn.pop("filesystemConfigurations", None)
    kept = {name: value for name, value in {**drawn, **members}.items() if value is not None}
    return {"environment": {"agentCoreRuntimeEnvironment": kept}}


def _vpc(draw: Any, walk: Walk) -> dict[str, Any]:
    place = draw(_of(walk, "environment.agentCoreRuntimeEnvironment.networkConfiguration.networkModeConfig"))
    return {"networkMode": "VPC", "networkModeConfig": place}


def _mount(draw: Any, walk: Walk, kind: str, path: str) -> dict[str, Any]:
    settings = draw(_of(walk, f"environment.agentCoreRuntimeEnvironment.filesystemConfigurations.{kind}"))
    return {kind: {**settings, "mountPath": path}}


def _vpc_without_place(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    return _runtime(draw, walk, networkConfiguration={"networkMode": "VPC"}), (*_NETWORK, "networkModeConfig")


def _public_with_place(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    network = {**_vpc(draw, walk), "networkMode": "PUBLIC"}
    return _runtime(draw, walk, networkConfiguration=network), (*_NETWORK, "networkModeConfig")


def _lifetime_too_long(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    name = draw(st.sampled_from(["idleRuntimeSessionTimeout", "maxLifetime"]))
    # The shape itself would allow this much.
    seconds = draw(st.integers(LONGEST_LIFETIME + 1, 1_209_600))
    return _runtime(draw, walk, lifecycleConfiguration={name: seconds}), (*_LIFECYCLE, name)


def _idle_longer_than_lifetime(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    lifetime = draw(st.integers(60, LONGEST_LIFETIME - 1))
    idle = draw(st.integers(lifetime + 1, LONGEST_LIFETIME))
    lifecycle = {"maxLifetime": lifetime, "idleRuntimeSessionTimeout": idle}
    return _runtime(draw, walk, lifecycleConfiguration=lifecycle), (*_LIFECYCLE, "idleRuntimeSessionTimeout")


def _mounts_that_need_a_vpc(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    kind = draw(st.sampled_from(sorted(NEEDS_VPC)))
    network = draw(st.sampled_from([None, {"networkMode": "PUBLIC"}]))
    mounts = [_mount(draw, walk, "sessionStorage", "/mnt/a"), _mount(draw, walk, kind, "/mnt/b")]
    runtime = _runtime(draw, walk, networkConfiguration=network, filesystemConfigurations=mounts)
    return runtime, (*_MOUNTS, 1, kind)


def _too_many_mounts(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    kind, most = draw(st.sampled_from([("sessionStorage", 1), ("efsAccessPoint", 2), ("s3FilesAccessPoint", 2)]))
    mounts = [_mount(draw, walk, kind, f"/mnt/{index}") for index in range(most + 1)]
    network = _vpc(draw, walk)
    return _runtime(draw, walk, networkConfiguration=network, filesystemConfigurations=mounts), _MOUNTS


def _mount_at_no_name(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    path = draw(st.sampled_from(["/mnt/./", "/mnt/..", "/mnt/../"]))
    mounts = [_mount(draw, walk, "sessionStorage", path)]
    return _runtime(draw, walk, filesystemConfigurations=mounts), (*_MOUNTS, 0, "sessionStorage", "mountPath")


def _same_mount_path(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    first, second = draw(st.sampled_from([("/mnt/a", "/mnt/a"), ("/mnt/a", "/mnt/a/"), ("/mnt/a/", "/mnt/a")]))
    mounts = [_mount(draw, walk, "sessionStorage", first), _mount(draw, walk, "efsAccessPoint", second)]
    network = _vpc(draw, walk)
    return _runtime(draw, walk, networkConfiguration=network, filesystemConfigurations=mounts), (*_MOUNTS, 1)


# Authorizer

_JWT = ("authorizerConfiguration", "customJWTAuthorizer")


def _jwt(draw: Any, walk: Walk, change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    jwt = copy.deepcopy(draw(_of(walk, "authorizerConfiguration.customJWTAuthorizer")))
    change(jwt)
    return {"authorizerConfiguration": {"customJWTAuthorizer": jwt}}


def _nothing_asked_of_a_token(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    def change(jwt: dict[str, Any]) -> None:
        for name in ("allowedAudience", "allowedClients", "allowedScopes", "customClaims", "advertisedScopeMapping"):
            jwt.pop(name, None)

    return _jwt(draw, walk, change), _JWT


def _claim(draw: Any, walk: Walk, change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    claim = copy.deepcopy(draw(_of(walk, "authorizerConfiguration.customJWTAuthorizer.customClaims")))
    change(claim)
    return _jwt(draw, walk, lambda jwt: jwt.update(customClaims=[claim]))


_MATCH = (*_JWT, "customClaims", 0, "authorizingClaimMatchValue")


def _operator_of_another_type(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    def change(claim: dict[str, Any]) -> None:
        many = claim["inboundTokenClaimValueType"] == "STRING_ARRAY"
        claim["inboundTokenClaimValueType"] = "STRING" if many else "STRING_ARRAY"

    return _claim(draw, walk, change), (*_MATCH, "claimMatchOperator")


def _value_of_another_operator(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    def change(claim: dict[str, Any]) -> None:
        match = claim["authorizingClaimMatchValue"]
        several = match["claimMatchOperator"] == "CONTAINS_ANY"
        match["claimMatchValue"] = {"matchValueString": "a"} if several else {"matchValueStringList": ["a"]}

    return _claim(draw, walk, change), (*_MATCH, "claimMatchValue")


def _advertised_and_not_allowed(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    def change(jwt: dict[str, Any]) -> None:
        jwt["advertisedScopeMapping"] = {"no-such-scope": "other"}

    return _jwt(draw, walk, change), (*_JWT, "advertisedScopeMapping", Key("no-such-scope"))


def _certificate_without_private_endpoint(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    certificate = draw(_of(walk, "authorizerConfiguration.customJWTAuthorizer.certificateConfigurations"))

    def change(jwt: dict[str, Any]) -> None:
        jwt.pop("privateEndpoint", None)
        jwt["certificateConfigurations"] = [certificate]

    return _jwt(draw, walk, change), (*_JWT, "certificateConfigurations")


# Memory and tags


def _strategy_twice(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    memory = draw(_of(walk, "memory.managedMemoryConfiguration"))
    strategy = draw(_of(walk, "memory.managedMemoryConfiguration.strategies"))
    managed = {**memory, "strategies": [strategy, strategy]}
    place = ("memory", "managedMemoryConfiguration", "strategies")
    return {"memory": {"managedMemoryConfiguration": managed}}, place


def _reserved_tag(draw: Any, walk: Walk) -> tuple[dict[str, Any], Place]:
    del walk
    key = draw(st.sampled_from(["aws:team", "AWS:team", "Aws:"]))
    return {"tags": {"team": "blue", key: "value"}}, ("tags", Key(key))


RULES: dict[str, Rule] = {
    "a tool without its configuration": _tool_without_config,
    "a tool with the configuration of another type": _tool_with_another_config,
    "two tools of one name": _same_tool_name,
    "two hooks of one name": _same_hook_name,
    "a guardrail without the Converse API": _guardrail_without_converse,
    "a configuration of another truncation strategy": _truncation_of_another_strategy,
    "VPC without a place": _vpc_without_place,
    "PUBLIC with a place": _public_with_place,
    "a lifetime beyond that of a harness": _lifetime_too_long,
    "idle for longer than the lifetime": _idle_longer_than_lifetime,
    "a mount that needs a VPC": _mounts_that_need_a_vpc,
    "too many mounts of a kind": _too_many_mounts,
    "a mount at /mnt itself or above": _mount_at_no_name,
    "two mounts at one path": _same_mount_path,
    "nothing asked of a token": _nothing_asked_of_a_token,
    "an operator for another type of claim": _operator_of_another_type,
    "a value for another operator": _value_of_another_operator,
    "a scope advertised and not allowed": _advertised_and_not_allowed,
    "a certificate without a private endpoint": _certificate_without_private_endpoint,
    "a strategy named twice": _strategy_twice,
    "a reserved tag": _reserved_tag,
}
