"""Any configuration the limits allow comes back equal, and nothing else than a `HarnessConfigError` ever happens.

The configurations are drawn from the models themselves: each value within its own limits, each union with one member.
Where a rule concerns several fields, the values are drawn so that it holds.
"""

from __future__ import annotations

import copy
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support.all_fields import all_configs
from support.paths import at, places, replaced

from agentcore_constructs.config import HarnessConfig, HarnessConfigError, OneOf
from agentcore_constructs.config.drafts import leaves
from agentcore_constructs.config.node import Node, Shape, fields
from agentcore_constructs.config.primitives import Choice, Int, Num, Text
from agentcore_constructs.config.skills import leaving_fault

# The same examples every time: a test that fails now and then teaches people to run it again.
QUICK = settings(max_examples=60, suppress_health_check=list(HealthCheck))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
# Longer texts than this only cost time: test_limits tries the greatest lengths.
LONGEST = 40


def of_shape(shape: Shape) -> st.SearchStrategy[Any]:
    if shape.node is not None:
        return of_node(shape.node)
    if shape.kind == "json":
        return st.dictionaries(st.text(max_size=8).filter(lambda key: key != "guardrailConfig"), JSON, max_size=3)
    if shape.item is not None:
        low, high = getattr(shape.limit, "min", None) or 0, min(getattr(shape.limit, "max", None) or 3, 3)
        if shape.key is None:
            return st.lists(of_shape(shape.item), min_size=low, max_size=max(low, high), unique_by=repr)
        return st.dictionaries(of_shape(shape.key), of_shape(shape.item), min_size=low, max_size=max(low, high))
    return of_limit(shape.limit)


def of_limit(limit: Any) -> st.SearchStrategy[Any]:
    if isinstance(limit, Text):
        return of_text(limit)
    if isinstance(limit, Int):
        return st.integers(limit.ge, limit.le if limit.le is not None else 10**6)
    if isinstance(limit, Num):
        return st.integers(int(limit.ge or 0), int(limit.le or 1)) | st.floats(limit.ge, limit.le)
    if isinstance(limit, Choice):
        return st.sampled_from(limit.values)
    return st.booleans()


def of_text(limit: Text) -> st.SearchStrategy[str]:
    if limit.pattern is None:
        return st.text(min_size=limit.min or 0, max_size=max(limit.min or 0, min(limit.max or LONGEST, LONGEST)))
    return st.from_regex(_ascii(limit.pattern), fullmatch=True).filter(limit._fits)


def _ascii(pattern: str) -> str:
    return f"(?a:{pattern})"


def of_node(node: type[Node]) -> st.SearchStrategy[dict[str, Any]]:
    by_name = {field.api: field for field in fields(node) if not field.companion}
    special = SPECIAL.get(node.__name__)
    if special is not None:
        return special(by_name)
    if issubclass(node, OneOf):
        return st.one_of(
            [of_shape(field.shape).map(lambda value, name=name: {name: value}) for name, field in by_name.items()]
        )
    return of_fields(by_name)


def of_fields(by_name: dict[str, Any], **instead: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    required = {
        name: of_shape(field.shape) for name, field in by_name.items() if field.required and name not in instead
    }
    optional = {
        name: of_shape(field.shape) for name, field in by_name.items() if not field.required and name not in instead
    }
    return st.fixed_dictionaries({**required, **instead}, optional=optional)


# Nodes with rules of their own.


def of_tool(by_name: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    kinds = {
        "remote_mcp": "remoteMcp",
        "agentcore_browser": "agentCoreBrowser",
        "agentcore_gateway": "agentCoreGateway",
        "inline_function": "inlineFunction",
        "agentcore_code_interpreter": "agentCoreCodeInterpreter",
    }
    config = {field.api: field.shape for field in fields(by_name["config"].shape.node)}

    def of_kind(kind: str) -> st.SearchStrategy[dict[str, Any]]:
        member = kinds[kind]
        return st.fixed_dictionaries(
            {"type": st.just(kind), "config": of_shape(config[member]).map(lambda value: {member: value})},
            optional={"name": of_shape(by_name["name"].shape)},
        )

    return st.sampled_from(sorted(kinds)).flatmap(of_kind)


def of_inline_function(by_name: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    properties = st.dictionaries(
        st.text(max_size=8), st.dictionaries(st.text(max_size=8), JSON, max_size=2), max_size=3
    )
    schema = st.fixed_dictionaries({"type": st.just("object"), "properties": properties})
    return of_fields(by_name, inputSchema=schema)


def of_claim(by_name: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    value = st.from_regex(r"(?a:[A-Za-z0-9_.-]{1,20})", fullmatch=True)
    one, many = (
        value.map(lambda text: {"matchValueString": text}),
        st.lists(value, min_size=1, max_size=3).map(lambda texts: {"matchValueStringList": texts}),
    )
    choices = [("STRING", "EQUALS", one), ("STRING_ARRAY", "CONTAINS", one), ("STRING_ARRAY", "CONTAINS_ANY", many)]

    def of_choice(choice: Any) -> st.SearchStrategy[dict[str, Any]]:
        kind, operator, values = choice
        match = values.map(lambda chosen: {"claimMatchValue": chosen, "claimMatchOperator": operator})
        return of_fields(by_name, inboundTokenClaimValueType=st.just(kind), authorizingClaimMatchValue=match)

    return st.sampled_from(choices).flatmap(of_choice)


def of_jwt(by_name: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    def made(jwt: dict[str, Any]) -> dict[str, Any]:
        if "advertisedScopeMapping" in jwt:
            jwt["allowedScopes"] = sorted(jwt["advertisedScopeMapping"])
        if "certificateConfigurations" in jwt and "privateEndpoint" not in jwt:
            del jwt["certificateConfigurations"]
        return jwt

    return of_fields(by_name, allowedClients=of_shape(by_name["allowedClients"].shape)).map(made)


def of_truncation(by_name: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    config = {field.api: field.shape for field in fields(by_name["config"].shape.node)}
    members = {"sliding_window": "slidingWindow", "summarization": "summarization"}

    def of_strategy(strategy: str) -> st.SearchStrategy[dict[str, Any]]:
        member = members.get(strategy)
        if member is None:
            return st.just({"strategy": strategy})
        chosen = of_shape(config[member]).map(lambda value: {member: value})
        return st.fixed_dictionaries({"strategy": st.just(strategy)}, optional={"config": chosen})

    return st.sampled_from(["sliding_window", "summarization", "none"]).flatmap(of_strategy)


def of_network(by_name: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    place = of_shape(by_name["networkModeConfig"].shape)
    vpc = place.map(lambda chosen: {"networkMode": "VPC", "networkModeConfig": chosen})
    return st.just({"networkMode": "PUBLIC"}) | vpc


def of_lifecycle(by_name: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    times = st.lists(of_shape(by_name["maxLifetime"].shape), min_size=2, max_size=2).map(sorted)
    return times.map(lambda pair: {"idleRuntimeSessionTimeout": pair[0], "maxLifetime": pair[1]})


def of_runtime(by_name: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    def made(runtime: dict[str, Any]) -> dict[str, Any]:
        public = runtime.get("networkConfiguration", {"networkMode": "PUBLIC"})["networkMode"] == "PUBLIC"
        mounts, kinds, paths = [], set(), {"/mnt/.", "/mnt/.."}
        for mount in runtime.get("filesystemConfigurations", []):
            ((kind, settings_),) = mount.items()
            path = settings_["mountPath"].rstrip("/")
            if kind in kinds or path in paths or (public and kind in {"efsAccessPoint", "s3FilesAccessPoint"}):
                continue
            kinds.add(kind)
            paths.add(path)
            mounts.append(mount)
        if "filesystemConfigurations" in runtime:
            runtime["filesystemConfigurations"] = mounts
        return runtime

    return of_fields(by_name).map(made)


def of_git_skill(by_name: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    def made(source: dict[str, Any]) -> dict[str, Any]:
        # Texts are drawn from constants of the modules that are imported, too: some are paths that lead out.
        return source if not list(leaving_fault(source.get("path"), "")) else {**source, "path": "skills/report"}

    return of_fields(by_name).map(made)


def of_config(by_name: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    def made(config: dict[str, Any]) -> dict[str, Any]:
        for index, tool in enumerate(config.get("tools", [])):
            if "name" in tool:
                tool["name"] = f"{tool['name'][:60]}-{index}"
        for index, hook in enumerate(config.get("hooks", [])):
            ((_, event),) = hook.items()
            event["name"] = f"{event['name'][:60]}-{index}"
        return config

    plain = of_shape(by_name["allowedTools"].shape).map(lambda names: [name.lstrip("@") or "*" for name in names])
    names = plain.map(lambda names: [name if "/" not in name or name == "*" else "@builtin" for name in names])
    return of_fields(by_name, allowedTools=names).map(made)


SPECIAL = {
    "HarnessSkillGitSource": of_git_skill,
    "HarnessTool": of_tool,
    "HarnessInlineFunctionConfig": of_inline_function,
    "CustomClaimValidationType": of_claim,
    "CustomJWTAuthorizerConfiguration": of_jwt,
    "HarnessTruncationConfiguration": of_truncation,
    "NetworkConfiguration": of_network,
    "LifecycleConfiguration": of_lifecycle,
    "HarnessAgentCoreRuntimeEnvironment": of_runtime,
    "HarnessConfig": of_config,
}
CONFIGS = of_node(HarnessConfig)
SHAPE = (
    botocore.session.get_session()
    .get_service_model("bedrock-agentcore-control")
    .operation_model("CreateHarness")
    .input_shape
)
REQUIRED = {"harnessName": "a", "executionRoleArn": "arn:aws:iam::123456789012:role/x"}


@QUICK
@given(CONFIGS)
def test_what_the_limits_allow_comes_back_equal(config: dict[str, Any]) -> None:
    parsed = HarnessConfig.parse(copy.deepcopy(config))
    assert parsed.to_api() == config
    assert HarnessConfig.parse(parsed.to_api()) == parsed


@QUICK
@given(CONFIGS)
def test_what_the_limits_allow_boto3_takes(config: dict[str, Any]) -> None:
    request = {**REQUIRED, **HarnessConfig.parse(config).to_api()}
    assert ParamValidator().validate(request, SHAPE).generate_report() == ""


@QUICK
@given(CONFIGS)
def test_a_template_has_all_of_it_or_says_what_it_has_not(config: dict[str, Any]) -> None:
    parsed = HarnessConfig.parse(config)
    if parsed.api_only():
        with pytest.raises(HarnessConfigError):
            parsed.to_cfn()
    else:
        assert {key[0].lower() + key[1:] for key in parsed.to_cfn()} == set(config)


def outcome(config: dict[str, Any]) -> dict[str, Any] | None:
    """Returns what comes back of a configuration; None when it is refused in proper sentences."""
    try:
        return HarnessConfig.parse(config).to_api()
    except HarnessConfigError as refusal:
        faults = refusal.faults
    assert faults
    assert all(fault.path and fault.must.startswith("must ") and fault.received and fault.fix for fault in faults)
    return None


@QUICK
@given(JSON | st.dictionaries(st.sampled_from([field.api for _, field in leaves(HarnessConfig)]), JSON))
def test_nothing_but_a_config_error_ever_happens(anything: Any) -> None:
    assume(isinstance(anything, dict))
    outcome(anything)


PATHS = [path for path, _ in leaves(HarnessConfig)]


@settings(QUICK, max_examples=300)
@given(st.sampled_from(PATHS), st.sampled_from(sorted(all_configs())), JSON)
def test_one_value_replaced_by_anything(path: str, name: str, anything: Any) -> None:
    config = all_configs()[name]
    place = next(places(config, path), None)
    assume(place is not None)
    assert place is not None
    changed = replaced(config, place, anything)
    assert outcome(changed) in (None, changed)


@settings(QUICK, max_examples=200)
@given(st.sampled_from(PATHS), st.sampled_from(sorted(all_configs())))
def test_one_field_left_out(path: str, name: str) -> None:
    config = all_configs()[name]
    place = next(places(config, path), None)
    assume(place is not None)
    assert place is not None
    del at(config, place[:-1])[place[-1]]
    assert outcome(config) in (None, config)
