"""What botocore's shapes leave open about a CreateHarness request: rules that span fields, and limits said in prose.

Each has its source. Strategies here are what `shapes` draws instead of what a shape alone would allow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import botocore.session
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from botocore.model import StructureShape

    from .shapes import Schema, Walk

Drawn = st.SearchStrategy[Any]
GREATEST_INTEGER = 2**31 - 1
"""Smithy's integer has 32 bits (https://smithy.io/2.0/spec/simple-types.html); botocore does not say so."""
_KEY = st.text(min_size=1, max_size=8)
JSON = st.recursive(
    # Templates are written by JavaScript, whose whole numbers end at 2^53.
    st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEY, inner, max_size=3),
    max_leaves=6,
)
DOCUMENT = st.dictionaries(_KEY.filter(lambda key: key != "guardrailConfig"), JSON, max_size=3)

# Single fields. "Shape.member" or, for the keys of a map, "Shape.key".

_AT_LEAST_ONE = st.integers(1, GREATEST_INTEGER)
_NOT_EMPTY = st.text(min_size=1, max_size=24)
_RATIO = st.sampled_from([0, 1]) | st.floats(0, 1)
_BEDROCK_MODEL = (
    botocore.session.Session()
    .get_service_model("bedrock-runtime")
    .operation_model("ConverseStream")
    .input_shape.members["modelId"]
    .metadata["pattern"]
    # Of its alternatives, those that are anchored on their own are prompts and SageMaker endpoints.
    .split("|(^")[0]
    .replace("arn:aws(-[^:]+)?:", "arn:aws:")
    .replace(":[a-z0-9-]{1,20}:", ":(us-east-1|eu-central-1):")
)
_PATH = st.from_regex(r"[a-z0-9._-]{1,12}(/[a-z0-9._-]{1,12}){0,2}/?", fullmatch=True)

MEANINGS: dict[str, Drawn] = {
    # Zero and less mean nothing.
    "CreateHarnessRequest.maxIterations": _AT_LEAST_ONE,
    "CreateHarnessRequest.maxTokens": _AT_LEAST_ONE,
    "CreateHarnessRequest.timeoutSeconds": _AT_LEAST_ONE,
    "HarnessSlidingWindowConfiguration.messagesCount": _AT_LEAST_ONE,
    # RetrieveMemoryRecords takes 1-100 records of a relevance of 0-1.
    "HarnessAgentCoreMemoryRetrievalConfig.topK": st.integers(1, 100),
    "HarnessAgentCoreMemoryRetrievalConfig.relevanceScore": _RATIO,
    "HarnessSummarizationConfiguration.summaryRatio": _RATIO,
    # An empty text names nothing.
    "HarnessAgentCoreMemoryConfiguration.actorId": _NOT_EMPTY,
    "HarnessAgentCoreMemoryRetrievalConfig.strategyId": _NOT_EMPTY,
    "HarnessAgentCoreMemoryRetrievalConfigs.key": _NOT_EMPTY,
    "HarnessOpenAiModelConfig.modelId": _NOT_EMPTY,
    "HarnessGeminiModelConfig.modelId": _NOT_EMPTY,
    "HarnessLiteLlmModelConfig.modelId": _NOT_EMPTY,
    # What ConverseStream takes as a model.
    "HarnessBedrockModelConfig.modelId": st.from_regex(f"(?a:{_BEDROCK_MODEL})", fullmatch=True),
    # Naming rules of S3 buckets.
    "HarnessSkillS3Source.uri": st.builds(
        "s3://{}{}".format,
        st.from_regex(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", fullmatch=True),
        st.just("") | _PATH.map("/{}".format),
    ),
    # MCP's remote transport is HTTP (modelcontextprotocol.io, Transports).
    "HarnessRemoteMcpConfig.url": st.builds("{}://host.example/{}".format, st.sampled_from(["http", "https"]), _PATH),
    # Keys that begin with aws: are reserved
    # (https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html).
    "TagsMap.key": st.from_regex(r"[a-zA-Z0-9 \t._:/=+@-]{1,128}", fullmatch=True).filter(
        lambda key: not key.lower().startswith("aws:")
    ),
}


# Structures whose fields belong together, by the name of their shape.


def _tool(walk: Walk, shape: StructureShape, schema: Schema | None) -> Drawn:
    """The configuration is the one of the type; some types need none (devguide, harness-tools)."""
    members = walk.members(shape, schema)
    config = walk.members(shape.members["config"], schema and schema.member("config"))

    def of_type(kind: str) -> Drawn:
        chosen = config[TOOL_CONFIG[kind]].map(lambda value: {TOOL_CONFIG[kind]: value})
        with_config = {"type": st.just(kind), "config": chosen}
        name = {"name": members["name"]}
        if kind in TOOLS_WITHOUT_CONFIG:
            return st.fixed_dictionaries({"type": st.just(kind)}, optional={"config": chosen, **name})
        return st.fixed_dictionaries(with_config, optional=name)

    return evenly(TOOL_CONFIG).flatmap(of_type)


TOOL_CONFIG = {
    "agentcore_gateway": "agentCoreGateway",
    "remote_mcp": "remoteMcp",
    "inline_function": "inlineFunction",
    "agentcore_code_interpreter": "agentCoreCodeInterpreter",
    "agentcore_browser": "agentCoreBrowser",
}
TOOLS_WITHOUT_CONFIG = frozenset({"agentcore_browser", "agentcore_code_interpreter"})


def _inline_function(walk: Walk, shape: StructureShape, schema: Schema | None) -> Drawn:
    """Arguments have names, so their schema is one of an object (devguide, harness-tools)."""
    properties = st.dictionaries(_KEY, DOCUMENT, max_size=3)
    arguments = st.fixed_dictionaries({"type": st.just("object")}, optional={"properties": properties, "x": JSON})
    return st.fixed_dictionaries({**walk.members(shape, schema), "inputSchema": arguments})


def _bedrock(walk: Walk, shape: StructureShape, schema: Schema | None) -> Drawn:
    """A guardrail works with the Converse API alone (devguide, harness-models)."""
    members = walk.members(shape, schema)
    guardrail = st.fixed_dictionaries(
        {
            "guardrailIdentifier": st.from_regex(r"[a-z0-9]{1,16}", fullmatch=True),
            "guardrailVersion": st.sampled_from(["DRAFT", "1", "12345678"]),
        },
        optional={"trace": st.sampled_from(["enabled", "disabled", "enabled_full"])},
    )
    guarded = {
        **members,
        "apiFormat": st.just("converse_stream"),
        "additionalParams": st.builds(
            lambda params, config: {**params, "guardrailConfig": config}, DOCUMENT, guardrail
        ),
    }
    return structure(shape, members) | structure(shape, guarded)


def _truncation(walk: Walk, shape: StructureShape, schema: Schema | None) -> Drawn:
    """The configuration is the one of the strategy (devguide, harness-models)."""
    config = walk.members(shape.members["config"], schema and schema.member("config"))

    def of_strategy(strategy: str) -> Drawn:
        member = TRUNCATION_CONFIG[strategy]
        optional = {} if member is None else {"config": config[member].map(lambda value: {member: value})}
        return st.fixed_dictionaries({"strategy": st.just(strategy)}, optional=optional)

    return evenly(TRUNCATION_CONFIG).flatmap(of_strategy)


TRUNCATION_CONFIG = {"summarization": "summarization", "sliding_window": "slidingWindow", "none": None}


def _claim(walk: Walk, shape: StructureShape, schema: Schema | None) -> Drawn:
    """Type, operator and value go together (aws-cdk-lib, RuntimeCustomClaim)."""
    inside = schema and schema.member("authorizingClaimMatchValue")
    match = shape.members["authorizingClaimMatchValue"]
    values = walk.members(match.members["claimMatchValue"], inside and inside.member("claimMatchValue"))

    def of_kind(kind: tuple[str, str, str]) -> Drawn:
        claim_type, operator, member = kind
        value = values[member].map(lambda chosen: {"claimMatchValue": {member: chosen}, "claimMatchOperator": operator})
        fixed = {"inboundTokenClaimValueType": st.just(claim_type), "authorizingClaimMatchValue": value}
        return st.fixed_dictionaries({**walk.members(shape, schema), **fixed})

    return st.sampled_from(
        [
            ("STRING", "EQUALS", "matchValueString"),
            ("STRING_ARRAY", "CONTAINS", "matchValueString"),
            ("STRING_ARRAY", "CONTAINS_ANY", "matchValueStringList"),
        ]
    ).flatmap(of_kind)


def _jwt(walk: Walk, shape: StructureShape, schema: Schema | None) -> Drawn:
    """A token is asked something, advertised scopes are allowed, certificates need a private endpoint (botocore)."""
    members = walk.members(shape, schema)

    def together(jwt: dict[str, Any], asked: str, value: Any) -> dict[str, Any]:
        jwt.setdefault(asked, value)
        if "advertisedScopeMapping" in jwt:
            jwt["allowedScopes"] = [*jwt.get("allowedScopes", []), *jwt["advertisedScopeMapping"]]
        if "privateEndpoint" not in jwt:
            jwt.pop("certificateConfigurations", None)
        return jwt

    return st.one_of(
        [
            st.builds(together, structure(shape, members), st.just(asked), members[asked])
            for asked in ("allowedAudience", "allowedClients", "allowedScopes", "customClaims")
        ]
    )


def _network(walk: Walk, shape: StructureShape, schema: Schema | None) -> Drawn:
    """VPC needs a place, PUBLIC has none (devguide, harness-environment)."""
    place = walk.members(shape, schema)["networkModeConfig"]
    vpc = place.map(lambda chosen: {"networkMode": "VPC", "networkModeConfig": chosen})
    return st.just({"networkMode": "PUBLIC"}) | vpc


def _lifecycle(walk: Walk, shape: StructureShape, schema: Schema | None) -> Drawn:
    """Both end at 28800 seconds for a harness, and idle time is part of the lifetime (botocore's documentation)."""
    del walk, schema
    seconds = st.integers(60, LONGEST_LIFETIME)
    pair = st.tuples(seconds, seconds).map(sorted)
    idle, lifetime = shape.members
    return st.one_of(
        pair.map(lambda both: {idle: both[0], lifetime: both[1]}),
        seconds.map(lambda one: {idle: one}),
        seconds.map(lambda one: {lifetime: one}),
        st.just({}),
    )


LONGEST_LIFETIME = 28_800


def _runtime(walk: Walk, shape: StructureShape, schema: Schema | None) -> Drawn:
    """One session storage, two EFS and two S3 Files at paths of their own, the latter two in a VPC (devguide).

    A path is /mnt/<name>; "." and ".." fit the pattern and are no names.
    """
    most = {"sessionStorage": 1, "efsAccessPoint": 2, "s3FilesAccessPoint": 2}
    network = shape.members["networkConfiguration"]
    place = walk.members(network, schema and schema.member("networkConfiguration"))["networkModeConfig"]

    def together(runtime: dict[str, Any], vpc: dict[str, Any]) -> dict[str, Any]:
        kept: list[dict[str, Any]] = []
        for mount in runtime.get("filesystemConfigurations", []):
            ((kind, settings),) = mount.items()
            paths = {"/mnt/.", "/mnt/.."} | {other["mountPath"].rstrip("/") for one in kept for other in one.values()}
            count = sum(kind in one for one in kept)
            if settings["mountPath"].rstrip("/") not in paths and count < most.get(kind, 5):
                kept.append(mount)
        if "filesystemConfigurations" in runtime:
            runtime["filesystemConfigurations"] = kept
        if any(NEEDS_VPC & mount.keys() for mount in kept):
            runtime["networkConfiguration"] = {"networkMode": "VPC", "networkModeConfig": vpc}
        return runtime

    return st.builds(together, structure(shape, walk.members(shape, schema)), place)


NEEDS_VPC = frozenset({"efsAccessPoint", "s3FilesAccessPoint"})

SHAPES: dict[str, Callable[[Walk, StructureShape, Schema | None], Drawn]] = {
    "CustomClaimValidationType": _claim,
    "CustomJWTAuthorizerConfiguration": _jwt,
    "HarnessAgentCoreRuntimeEnvironmentRequest": _runtime,
    "HarnessBedrockModelConfig": _bedrock,
    "HarnessInlineFunctionConfig": _inline_function,
    "HarnessTool": _tool,
    "HarnessTruncationConfiguration": _truncation,
    "LifecycleConfiguration": _lifecycle,
    "NetworkConfiguration": _network,
}


def evenly(options: Iterable[Any]) -> Drawn:
    """Each of the options as often as the others; `sampled_from` prefers the first, and the last stay unseen."""
    listed = list(options)
    return st.integers(0, 10**6).map(lambda drawn: listed[drawn % len(listed)])


def structure(shape: StructureShape, members: dict[str, Drawn]) -> Drawn:
    """A structure with what it requires, and some of the rest."""
    required = {name: members[name] for name in shape.required_members}
    return st.fixed_dictionaries(
        required, optional={name: drawn for name, drawn in members.items() if name not in required}
    )


# The request as a whole.


_LONGEST_ENTRY = 64


def together(request: dict[str, Any]) -> dict[str, Any]:
    """Names of tools and of hooks are their own (botocore, devguide), and allowed tools are those that exist."""
    names = _distinct([tool for tool in request.get("tools", []) if "name" in tool])
    _distinct([event for hook in request.get("hooks", []) for event in hook.values()])
    if "allowedTools" in request:
        # An entry has at most 64 characters, and so has a name: the longest can be allowed by a glob only.
        known = [f"@{name}" if len(name) < _LONGEST_ENTRY else f"@{name[:9]}*" for name in names] or ["@builtin"]
        request["allowedTools"] = [
            known[index % len(known)] if entry.startswith("@") else entry
            for index, entry in enumerate(request["allowedTools"])
        ] or ["*"]
    return request


def _distinct(named: list[dict[str, Any]]) -> list[str]:
    taken: list[str] = []
    for one in named:
        if one["name"] in taken:
            one["name"] = f"{one['name'][:60]}-{len(taken)}"
        taken.append(one["name"])
    return taken
