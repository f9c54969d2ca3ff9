"""Compares the models with botocore's shapes and the CloudFormation schema, and writes docs/coverage.md from it.

Run `python docs/_coverage.py` after an upgrade of botocore or cfn-lint; `tests/conformance/test_parity.py` fails until
what is new is modelled, or listed here with the reason why not.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import cfnlint

from agentcore_constructs.config import HarnessConfig, HarnessEndpointConfig
from agentcore_constructs.config.harness import OVERRIDES
from agentcore_constructs.config.node import Field, Node, OneOf, Shape, fields
from agentcore_constructs.config.primitives import Choice, Entries, Flag, Int, Items, Json, Num, Text, span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OUTPUT = Path(__file__).with_name("coverage.md")
HARNESS = "AWS::BedrockAgentCore::Harness"
ENDPOINT = "AWS::BedrockAgentCore::HarnessEndpoint"

# What the API has and the models have not.
NOT_MODELLED = {
    "clientToken": "makes one call idempotent; no configuration",
    "memory.managedMemoryConfiguration.arn": "read-only, ignored on input; refused with the reason",
}
# What only a call of UpdateHarness or InvokeHarness has.
CALL_ONLY = {
    "UpdateHarness": {
        "harnessId": "which harness",
        "clientToken": "makes one call idempotent",
    },
    "InvokeHarness": {
        "harnessArn": "which harness",
        "qualifier": "which endpoint",
        "runtimeSessionId": "which session",
        "runtimeUserId": "who is behind the call",
        "traceParent": "tracing of one call",
        "traceState": "tracing of one call",
        "traceId": "tracing of one call",
        "baggage": "tracing of one call",
        "messages": "what is said in one call",
        "actorId": "whose memories in one call; `Memory.existing(actor_id=…)` configures it",
    },
}
# What UpdateHarnessEndpoint takes.
ENDPOINT_UPDATES = {"targetVersion", "description"}
# Fields the API requires and the configuration does not.
NOT_REQUIRED = {
    "harnessName": "derived by the `Harness` construct",
    "executionRoleArn": "made by the `Harness` construct",
}
# CloudFormation requires what the API does not.
CFN_REQUIRED = {
    "Model": "the API has a default, which the `Harness` construct writes out",
    "AuthorizerConfiguration.CustomJWTAuthorizer.PrivateEndpoint.SelfManagedLatticeResource"
    ".ResourceConfigurationIdentifier": "the API has a union of one member, which is the same",
    "AuthorizerConfiguration.CustomJWTAuthorizer.PrivateEndpointOverrides[].PrivateEndpoint.SelfManagedLatticeResource"
    ".ResourceConfigurationIdentifier": "the API has a union of one member, which is the same",
    "SystemPrompt[].Text": "the API has a union of one member, which is the same",
}
_NOT_NEGATIVE = "a negative number has no meaning"
_AT_LEAST_ONE = "less than one has no meaning"
_NOT_EMPTY = "an empty text has no meaning"
_ROLE = "a role has an account (the CloudFormation schema requires it)"
_BUCKET = "an S3 URI names a bucket, by S3's naming rules"
_HTTP = "MCP's remote transport is HTTP (modelcontextprotocol.io, Transports)"
_LIFETIME = "a harness's lifetimes end at 28800 s (documentation of the shape, and the CloudFormation schema)"
_RESERVED = "tag keys that begin with aws: are reserved (AWS tagging rules)"
# Where our limit is not botocore's: path and kind of limit to the reason. Every one is narrower.
NARROWER = {
    ("executionRoleArn", "pattern"): _ROLE,
    ("allowedTools", "min"): "what an empty list means is not documented",
    ("environment.agentCoreRuntimeEnvironment.lifecycleConfiguration.idleRuntimeSessionTimeout", "max"): _LIFETIME,
    ("environment.agentCoreRuntimeEnvironment.lifecycleConfiguration.maxLifetime", "max"): _LIFETIME,
    ("maxIterations", "min"): _AT_LEAST_ONE,
    ("maxTokens", "min"): _AT_LEAST_ONE,
    ("timeoutSeconds", "min"): _AT_LEAST_ONE,
    **{(f"model.{kind}.modelId", "min"): _NOT_EMPTY for kind in (
        "bedrockModelConfig", "openAiModelConfig", "geminiModelConfig", "liteLlmModelConfig")},
    ("memory.agentCoreMemoryConfiguration.actorId", "min"): _NOT_EMPTY,
    ("memory.agentCoreMemoryConfiguration.messagesCount", "min"): _NOT_NEGATIVE,
    ("memory.agentCoreMemoryConfiguration.retrievalConfig{key}", "min"): _NOT_EMPTY,
    ("memory.agentCoreMemoryConfiguration.retrievalConfig{}.topK", "min"): "RetrieveMemoryRecords takes 1–100",
    ("memory.agentCoreMemoryConfiguration.retrievalConfig{}.topK", "max"): "RetrieveMemoryRecords takes 1–100",
    ("memory.agentCoreMemoryConfiguration.retrievalConfig{}.relevanceScore", "min"): "a relevance is 0–1",
    ("memory.agentCoreMemoryConfiguration.retrievalConfig{}.relevanceScore", "max"): "a relevance is 0–1",
    ("memory.agentCoreMemoryConfiguration.retrievalConfig{}.strategyId", "min"): _NOT_EMPTY,
    ("skills[].s3.uri", "pattern"): _BUCKET,
    ("tags{key}", "pattern"): _RESERVED,
    ("authorizerConfiguration.customJWTAuthorizer.privateEndpoint.managedVpcResource.tags{key}", "pattern"): _RESERVED,
    (("authorizerConfiguration.customJWTAuthorizer.privateEndpointOverrides[].privateEndpoint.managedVpcResource"
     ".tags{key}"), "pattern"): _RESERVED,
    ("tools[].config.remoteMcp.url", "pattern"): _HTTP,
    ("truncation.config.slidingWindow.messagesCount", "min"): _AT_LEAST_ONE,
    ("truncation.config.summarization.summaryRatio", "min"): "a ratio is 0–1 (Terraform's documentation)",
    ("truncation.config.summarization.summaryRatio", "max"): "a ratio is 0–1 (Terraform's documentation)",
    ("truncation.config.summarization.preserveRecentMessages", "min"): _NOT_NEGATIVE,
}  # fmt: skip
_AWS_ONLY = "botocore takes the partition aws only"
_DISCOVERY = "the API takes oauth-authorization-server too; such a value is API-only"
_JWT = "AuthorizerConfiguration.CustomJWTAuthorizer"
# Where CloudFormation's limit is neither botocore's nor ours.
CFN_LIMITS = {
    (f"{_JWT}.DiscoveryUrl", "pattern"): _DISCOVERY,
    ("Model.OpenAiModelConfig.ApiKeyArn", "pattern"): _AWS_ONLY,
    ("Model.GeminiModelConfig.ApiKeyArn", "pattern"): _AWS_ONLY,
    ("Model.LiteLlmModelConfig.ApiKeyArn", "pattern"): _AWS_ONLY,
    ("Skills[].Git.Auth.CredentialArn", "pattern"): _AWS_ONLY,
    ("Memory.AgentCoreMemoryConfiguration.Arn", "pattern"): _AWS_ONLY,
    (
        "Tools[].Config.AgentCoreGateway.OutboundAuth.Oauth.GrantType",
        "enum",
    ): "the API has TOKEN_EXCHANGE too; API-only",
    ("Skills[].Git.Url", "pattern"): "the schema only looks at the beginning",
}
"""The limits the schema leaves out are not listed: botocore's are checked then."""


@dataclass(frozen=True)
class Fact:
    """What one source says of one field."""

    kind: str
    required: bool
    limits: dict[str, Any]
    union: bool = False


def api_facts(service: str, operation: str) -> dict[str, Fact]:
    """Reads the input of an operation: path to fact. `[]` is an item, `{}` a value and `{key}` a key of a map."""
    model = botocore.session.get_session().get_service_model(service)
    found: dict[str, Fact] = {}

    def read(shape: Any, path: str, *, required: bool) -> None:
        meta = shape.metadata
        limits = {name: meta[name] for name in ("min", "max", "pattern", "enum") if name in meta}
        document = bool(getattr(shape, "is_document_type", False))
        found[path] = Fact("json" if document else shape.type_name, required, limits, bool(meta.get("union")))
        if document:
            return
        if shape.type_name == "structure":
            for name, member in shape.members.items():
                read(member, f"{path}.{name}".lstrip("."), required=name in shape.required_members)
        elif shape.type_name == "list":
            read(shape.member, f"{path}[]", required=True)
        elif shape.type_name == "map":
            read(shape.key, f"{path}{{key}}", required=True)
            read(shape.value, f"{path}{{}}", required=True)

    read(model.operation_model(operation).input_shape, "", required=True)
    return found


_SCHEMA_LIMITS = {
    "minLength": "min", "minItems": "min", "minimum": "min", "minProperties": "min",
    "maxLength": "max", "maxItems": "max", "maximum": "max", "maxProperties": "max",
    "pattern": "pattern", "enum": "enum",
}  # fmt: skip


def schema_of(resource: str) -> dict[str, Any]:
    """Returns the CloudFormation schema of a resource type that ships inside cfn-lint."""
    root = Path(cfnlint.__file__).parent / "data" / "schemas"
    name = json.loads((root / "providers" / "us-east-1.json").read_text())[resource]
    schema: dict[str, Any] = json.loads((root / "resources" / f"{name}.json").read_text())
    return schema


def cfn_facts(resource: str) -> dict[str, Fact]:
    """Reads the properties of a resource type: path to fact, without what is read-only."""
    schema = schema_of(resource)
    read_only = {
        pointer.removeprefix("/properties/").replace("/", ".") for pointer in schema.get("readOnlyProperties", [])
    }
    found: dict[str, Fact] = {}

    def read(node: dict[str, Any], path: str, *, required: bool) -> None:
        if path in read_only:
            return
        if "$ref" in node:
            node = schema["definitions"][node["$ref"].rsplit("/", 1)[-1]]
        limits = {ours: node[theirs] for theirs, ours in _SCHEMA_LIMITS.items() if theirs in node}
        found[path] = Fact(str(node.get("type")), required, limits, "oneOf" in node)
        for name, child in node.get("properties", {}).items():
            read(child, f"{path}.{name}".lstrip("."), required=name in node.get("required", []))
        for child in node.get("patternProperties", {}).values():
            read(child, f"{path}{{}}", required=True)
        if "items" in node:
            read(node["items"], f"{path}[]", required=True)

    read(schema, "", required=True)
    del found[""]
    return found


def model_facts(node: type[Node]) -> dict[str, Fact]:
    """Reads the models the same way."""
    found: dict[str, Fact] = {"": Fact("structure", required=True, limits={}, union=issubclass(node, OneOf))}
    for path, shape, required in shapes(node):
        union = shape.node is not None and issubclass(shape.node, OneOf)
        found[path] = Fact(_kind(shape), required, _limits(shape.limit), union)
    return found


def shapes(node: type[Node], path: str = "") -> Iterator[tuple[str, Shape, bool]]:
    """Yields every value below a model: path, shape, whether it is required."""
    for field in fields(node):
        if not field.companion:
            yield from _within(field.shape, f"{path}.{field.api}".lstrip("."), required=field.required)


def _within(shape: Shape, path: str, *, required: bool) -> Iterator[tuple[str, Shape, bool]]:
    yield path, shape, required
    if shape.node is not None:
        yield from shapes(shape.node, path)
    if shape.key is not None:
        yield f"{path}{{key}}", shape.key, True
    if shape.item is not None:
        yield from _within(shape.item, path + ("[]" if shape.kind == "list" else "{}"), required=True)


def _kind(shape: Shape) -> str:
    kinds: list[tuple[type, str]] = [
        (Int, "integer"), (Num, "float"), (Flag, "boolean"), (Json, "json"), (Items, "list"), (Entries, "map"),
    ]  # fmt: skip
    if shape.node is not None:
        return "structure"
    return next((kind for limit, kind in kinds if isinstance(shape.limit, limit)), "string")


def _limits(limit: Any) -> dict[str, Any]:
    if isinstance(limit, Choice):
        return {"enum": list(limit.values)}
    low = getattr(limit, "ge", getattr(limit, "min", None))
    high = getattr(limit, "le", getattr(limit, "max", None))
    said = {"min": low, "max": high, "pattern": getattr(limit, "pattern", None)}
    return {name: value for name, value in said.items() if value is not None}


def cfn_name(path: str) -> str:
    """Writes a path of the API as CloudFormation does."""
    return ".".join(part[:1].upper() + part[1:] for part in path.split("."))


def found_fields(node: type[Node], path: str = "") -> Iterator[tuple[str, Field, type[Node], str | None]]:
    """Yields path, field, the model it is declared in, and why CloudFormation cannot say it (or what it is in)."""
    yield from _found_fields(node, path, None)


def _found_fields(
    node: type[Node], path: str, reason: str | None
) -> Iterator[tuple[str, Field, type[Node], str | None]]:
    for field in fields(node):
        if field.companion:
            continue
        where = f"{path}.{field.api}".lstrip(".")
        whole = field.api_only is not None and field.api_only.beyond is None and not field.api_only.values
        why = field.api_only.reason if field.api_only is not None and whole else reason
        yield where, field, node, why
        shape: Shape | None = field.shape
        while shape is not None and shape.item is not None:
            where += "[]" if shape.kind == "list" else "{}"
            shape = shape.item
        if shape is not None and shape.node is not None:
            yield from _found_fields(shape.node, where, why)


def companions(node: type[Node]) -> Iterator[tuple[str, str]]:
    """Yields the facts kept beside the API's: Python attribute and what it is for."""
    seen: set[type[Node]] = set()

    def read(one: type[Node]) -> Iterator[tuple[str, str]]:
        if one in seen:
            return
        seen.add(one)
        for field in fields(one):
            if field.companion is not None:
                yield f"{one.__name__}.{field.name}", field.companion.why
            shape: Shape | None = field.shape
            while shape is not None and shape.item is not None:
                shape = shape.item
            if shape is not None and shape.node is not None:
                yield from read(shape.node)

    yield from read(node)


# The document


def markdown() -> str:
    """Writes the document."""
    versions = f"botocore {botocore.__version__} and the CloudFormation schemas of cfn-lint {version('cfn-lint')}"
    parts = [
        "# Coverage",
        "",
        f"Every field of CreateHarness and CreateHarnessEndpoint, compared with {versions}.",
        "Written by `python docs/_coverage.py`; a test fails when an upgrade brings a field, a value or a limit that",
        "is not here.",
        "",
        "- **Limits** are those checked on literal values; tokens pass. *Python* names the attribute that holds",
        "  the field; [configuration.md](configuration.md) shows the factories that make it.",
        "- **CloudFormation**: *yes*, or why it cannot say the field. Such fields are modelled, appear in `to_api()`,",
        "  and are refused (never dropped) where a template is made.",
        "- **API**: the operations that take the field. What *invoke* takes, one InvokeHarness call or one Step",
        "  Functions state may override.",
        "",
        "## Harness",
        "",
        *_table(HarnessConfig, _operations),
        "",
        "## Endpoint",
        "",
        *_table(HarnessEndpointConfig, lambda top: "create, update" if top in ENDPOINT_UPDATES else "create"),
        "",
        "## Not configuration",
        "",
        "| Field | Operation | Why it is not modelled |",
        "| --- | --- | --- |",
        *(f"| `{path}` | CreateHarness | {why} |" for path, why in NOT_MODELLED.items()),
        *(f"| `{path}` | {name} | {why} |" for name, one in CALL_ONLY.items() for path, why in one.items()),
        "",
        "UpdateHarness takes the fields above except `harnessName` and `tags`; it wraps `environmentArtifact`,",
        "`authorizerConfiguration` and `memory` as `{optionalValue: …}` (`config.to_update_request()`).",
        "",
        "## Where limits differ",
        "",
        "Ours are botocore's, except where they are narrower:",
        "",
        "| Field | Limit | Ours because |",
        "| --- | --- | --- |",
        *(f"| `{path}` | {kind} | {why} |" for (path, kind), why in NARROWER.items()),
        "",
        "CloudFormation's schema states another limit, and botocore's is checked:",
        "",
        "| Property | Limit | Why |",
        "| --- | --- | --- |",
        *(f"| `{path}` | {kind} | {why} |" for (path, kind), why in CFN_LIMITS.items()),
        *(f"| `{path}` | required | {why} |" for path, why in CFN_REQUIRED.items()),
        "",
        "## Kept beside the API's fields",
        "",
        "Facts that decide what the execution role is granted. Factories take them from CDK objects; no form of the",
        "configuration contains them.",
        "",
        "| Attribute | What for |",
        "| --- | --- |",
        *(f"| `{name}` | {why} |" for name, why in companions(HarnessConfig)),
        "",
    ]
    return "\n".join(parts)


def _operations(top: str) -> str:
    if top in {"harnessName", "tags"}:
        return "create"
    return "create, update, invoke" if top in OVERRIDES else "create, update"


def _table(node: type[Node], operations: Callable[[str], str]) -> list[str]:
    lines = ["| Field | Limits | API | CloudFormation | Python |", "| --- | --- | --- | --- | --- |"]
    for path, field, owner, why in found_fields(node):
        partly = field.api_only.reason if field.api_only is not None and why is None else None
        cfn = f"no: {why}" if why else f"yes, but {partly}" if partly else "yes"
        api = operations(re.split(r"[.\[{]", path, maxsplit=1)[0])
        lines.append(f"| `{path}` | {_said(field)} | {api} | {cfn} | `{owner.__name__}.{field.name}` |")
    return lines


def _said(field: Field) -> str:
    shape: Shape = field.shape
    parts = []
    if field.required:
        parts.append("required")
    parts.extend(_phrases(shape))
    return "; ".join(parts).replace("|", "\\|").replace("<", "&lt;")


def _phrases(shape: Shape) -> Iterator[str]:
    limit = shape.limit
    if shape.node is not None:
        members = ", ".join(one.api for one in fields(shape.node) if not one.companion)
        yield f"one of {members}" if issubclass(shape.node, OneOf) else "structure"
    elif isinstance(limit, Text):
        size = span(limit.min, limit.max, "character")
        yield limit.means + (f", {size}" if size else "")
    elif isinstance(limit, (Int, Num)):
        size = span(limit.ge, limit.le)
        unit = f" {limit.unit}" if isinstance(limit, Int) and limit.unit else ""
        yield f"{'whole number' if isinstance(limit, Int) else 'number'}, {size}{unit}"
    elif isinstance(limit, Choice):
        yield ", ".join(f"`{value}`" for value in limit.values)
    elif isinstance(limit, (Items, Entries)):
        size = span(limit.min, limit.max)
        yield f"{'list' if isinstance(limit, Items) else 'map'} of {limit.noun}" + (f", {size}" if size else "")
    elif isinstance(limit, Flag):
        yield "true or false"
    elif isinstance(limit, Json):
        yield limit.means
    if shape.key is not None:
        yield "each key " + " ".join(_phrases(shape.key))
    if shape.item is not None and shape.item.node is None:
        yield "each " + " ".join(_phrases(shape.item))


def main() -> None:
    """Writes docs/coverage.md."""
    OUTPUT.write_text(markdown(), encoding="utf-8")
    sys.stdout.write(f"wrote {OUTPUT}\n")


if __name__ == "__main__":
    main()
