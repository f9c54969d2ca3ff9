"""Which action the service takes on which resource for each feature of a harness, with the role of the harness.

The one place that knows. It says what is asked and when; `agents/permissions.py` asks, and surfaces a refusal. Sources:
devguide harness-security and the pages it links, the service authorization reference; docs/local-permissions.md lists
the symptoms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentcore_local import facts, seams

if TYPE_CHECKING:
    from agentcore_local.agents.plan import Plan, ToolConfig

# The account of the managed image differs by Region and is documented nowhere; policies leave it open.
_IMAGE_ACCOUNT = "000000000000"
# Secrets Manager ends the ARN of a secret with six characters of its own.
_SECRET_SUFFIX = "-a1B2c3"  # noqa: S105 - of a name, not of a secret

_PROFILE_ID = re.compile(r"(global|apac|us-gov|[a-z]{2})\.(.+)")
_BEDROCK_ARN = re.compile(r"arn:[^:]*:bedrock:[^:]*:[^:]*:(?P<kind>[a-z-]+)/(?P<id>.+)")
_PRIVATE_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.[^/]+/([^:@]+)(?:[:@].*)?")
_LITELLM_BEDROCK = re.compile(r"bedrock/(?:converse/|invoke/)?(.+)")
HEADER_REFERENCE = re.compile(r"\$\{(arn:[^${}]+[:/]apikeycredentialprovider/[^${}]+)\}")
_MANTLE_FORMATS = ("responses", "chat_completions")
_ROLE_PARAMETERS = ("aws_role_name", "aws_role_arn", "role_arn")

MEMORY_LOAD = ("ListEvents", "RetrieveMemoryRecords")
MEMORY_RESUME = ("GetEvent", "DeleteEvent")
MEMORY_KEEP = ("CreateEvent",)


@dataclass(frozen=True, slots=True)
class Ask:
    """One action on one resource.

    Attributes:
        action: Such as `bedrock:InvokeModelWithResponseStream`.
        resource: ARN, or `*`.
        keys: Condition keys that the service presents, lower case.
    """

    action: str
    resource: str
    keys: Mapping[str, str] = field(default_factory=dict)


Asks = Iterator[Ask]


def _arn(plan: Plan, service: str, resource: str) -> str:
    return f"arn:aws:{service}:{plan.region}:{plan.account}:{resource}"


def _key(arn: str, service: str, *, actions: tuple[str, ...]) -> Asks:
    """The use of a customer key through a service, which is how key policies know it."""
    region = arn.split(":")[3] if arn.startswith("arn:") else ""
    for action in actions:
        yield Ask(f"kms:{action}", arn, {"kms:viaservice": f"{service}.{region}.amazonaws.com"})


# ---- model -----------------------------------------------------------------------------------------------------------


def model(plan: Plan) -> Asks:
    """Before a call of the model."""
    kind, config = next(iter(plan.model.items()))
    extra = config.get("additionalParams") or {}
    if kind == "bedrockModelConfig":
        yield from _bedrock(plan, config, extra)
        return
    if config.get("apiKeyArn"):
        yield from api_key(plan, config["apiKeyArn"])
    elif kind == "liteLlmModelConfig" and (found := _LITELLM_BEDROCK.fullmatch(config["modelId"])):
        yield from invocation(plan, found[1])
    for parameter in _ROLE_PARAMETERS:
        if isinstance(extra, dict) and isinstance(extra.get(parameter), str):
            yield Ask("sts:AssumeRole", extra[parameter])


def _bedrock(plan: Plan, config: dict[str, Any], extra: Any) -> Asks:
    if config.get("apiFormat") in _MANTLE_FORMATS:
        yield Ask("bedrock-mantle:CallWithBearerToken", "*")
        yield Ask("bedrock-mantle:CreateInference", _arn(plan, "bedrock-mantle", "project/default"))
    else:
        yield from invocation(plan, config["modelId"])
    attached = extra.get("guardrailConfig") if isinstance(extra, dict) else None
    if isinstance(attached, dict) and isinstance(attached.get("guardrailIdentifier"), str):
        yield from _guardrail(plan, attached["guardrailIdentifier"])


def invocation(plan: Plan, model_id: str) -> Asks:
    """A call of a Bedrock model, by its id, its ARN, or through an inference profile."""
    action = "bedrock:InvokeModelWithResponseStream"
    found = _BEDROCK_ARN.fullmatch(model_id)
    profile = _PROFILE_ID.fullmatch(model_id)
    if found and found["kind"].endswith("inference-profile"):
        yield Ask(action, model_id)
        yield from _behind(plan, model_id, found["kind"], found["id"])
    elif found:
        yield Ask(action, model_id)
    elif profile:
        arn = _arn(plan, "bedrock", f"inference-profile/{model_id}")
        yield Ask(action, arn)
        yield from _behind(plan, arn, "inference-profile", model_id)
    else:
        yield Ask(action, f"arn:aws:bedrock:{plan.region}::foundation-model/{model_id}")


def _behind(plan: Plan, profile_arn: str, kind: str, identifier: str) -> Asks:
    """The foundation model behind a profile, in the Region the request lands in: this one, or none for `global.`."""
    name = identifier
    if kind == "application-inference-profile":
        source = facts.copied_model((plan.account, plan.region), profile_arn)
        if source is None:
            return  # made elsewhere: which model it is cannot be known here
        name = source.partition("/")[2]
    system = _PROFILE_ID.fullmatch(name)
    model_name = system[2] if system else name
    regions = [plan.region, ""] if system and system[1] == "global" else [plan.region]
    for region in regions:
        resource = f"arn:aws:bedrock:{region}::foundation-model/{model_name}"
        yield Ask("bedrock:InvokeModelWithResponseStream", resource, {"bedrock:inferenceprofilearn": profile_arn})


def _guardrail(plan: Plan, identifier: str) -> Asks:
    arn = identifier if identifier.startswith("arn:") else _arn(plan, "bedrock", f"guardrail/{identifier}")
    yield Ask("bedrock:ApplyGuardrail", arn)
    deployed = facts.guardrail((plan.account, plan.region), arn)
    profile = (deployed.get("CrossRegionConfig") or {}).get("GuardrailProfileArn")
    if profile:
        yield Ask("bedrock:ApplyGuardrail", profile)
    if deployed.get("KmsKeyArn"):
        yield from _key(deployed["KmsKeyArn"], "bedrock", actions=("Decrypt",))


# ---- identity --------------------------------------------------------------------------------------------------------


def _identities(plan: Plan) -> tuple[str, str]:
    runtime = runtime_environment(plan).get("agentRuntimeId") or f"harness_{plan.harness_name}-"
    directory = _arn(plan, "bedrock-agentcore", "workload-identity-directory/default")
    return directory, f"{directory}/workload-identity/{runtime}"


def workload_identity(plan: Plan) -> Asks:
    """The token the loop gets for its tools."""
    for resource in _identities(plan):
        yield Ask("bedrock-agentcore:GetWorkloadAccessToken", resource)


def api_key(plan: Plan, provider: str) -> Asks:
    """A key from an API-key credential provider."""
    yield from _credential(plan, provider, "bedrock-agentcore:GetResourceApiKey", "apikey")


def _credential(plan: Plan, provider: str, action: str, kind: str) -> Asks:
    for resource in (_arn(plan, "bedrock-agentcore", "token-vault/default"), *_identities(plan), provider):
        yield Ask(action, resource)
    own = facts.own_secret((plan.account, plan.region), provider)
    if own is not None:
        yield Ask("secretsmanager:GetSecretValue", own)
        if key := seams.encryption_key(plan.account, own):
            yield from _key(key, "secretsmanager", actions=("Decrypt",))
        return
    name = provider.rsplit("/", 1)[-1]
    secret = f"secret:bedrock-agentcore-identity!default/{kind}/{name}{_SECRET_SUFFIX}"
    yield Ask("secretsmanager:GetSecretValue", _arn(plan, "secretsmanager", secret))


# ---- the machine of a session ----------------------------------------------------------------------------------------


def runtime_environment(plan: Plan) -> dict[str, Any]:
    """The part of the harness that says where it runs."""
    found: dict[str, Any] = (plan.harness.get("environment") or {}).get("agentCoreRuntimeEnvironment") or {}
    return found


def image(harness: Mapping[str, Any], region: str) -> Asks:
    """Pulling the managed image, and the harness' own: at the start of a session."""
    runtime = (harness.get("environment") or {}).get("agentCoreRuntimeEnvironment") or {}
    in_vpc = (runtime.get("networkConfiguration") or {}).get("networkMode") == "VPC"
    if in_vpc:
        yield from _private_pull(f"arn:aws:ecr:{region}:{_IMAGE_ACCOUNT}:repository/harness-{region}")
    else:
        yield from _public_pull()
    yield from own_image(harness)


def own_image(harness: Mapping[str, Any]) -> Asks:
    """Pulling the harness' own image, which creation tries too."""
    artifact = harness.get("environmentArtifact") or {}
    uri = (artifact.get("containerConfiguration") or {}).get("containerUri") or ""
    private = _PRIVATE_IMAGE.fullmatch(uri)
    if private:
        account, region, name = private.groups()
        yield from _private_pull(f"arn:aws:ecr:{region}:{account}:repository/{name}")
    elif uri.startswith("public.ecr.aws/"):
        yield from _public_pull()


def _public_pull() -> Asks:
    yield Ask("ecr-public:GetAuthorizationToken", "*")
    yield Ask("sts:GetServiceBearerToken", "*", {"sts:awsservicename": "ecr-public.amazonaws.com"})


def _private_pull(repository: str) -> Asks:
    yield Ask("ecr:GetAuthorizationToken", "*")
    for action in ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer"):
        yield Ask(f"ecr:{action}", repository)


def mounts(plan: Plan) -> Asks:
    """Mounting file systems."""
    for mount in runtime_environment(plan).get("filesystemConfigurations") or ():
        if efs := mount.get("efsAccessPoint"):
            yield from _efs(plan, efs["accessPointArn"])
        if s3 := mount.get("s3FilesAccessPoint"):
            yield from _s3_files(plan, s3["accessPointArn"])


def _efs(plan: Plan, access_point: str) -> Asks:
    yield Ask("elasticfilesystem:DescribeAccessPoints", access_point)
    system = facts.access_point(plan.account, access_point).file_system
    if system is not None:
        yield Ask("elasticfilesystem:DescribeMountTargets", system)
        yield _client("elasticfilesystem", "ClientMount", system, access_point)


def _s3_files(plan: Plan, access_point: str) -> Asks:
    system = facts.access_point(plan.account, access_point).file_system or access_point
    yield Ask("s3files:GetAccessPoint", access_point)
    yield Ask("s3files:ListMountTargets", system)
    yield _client("s3files", "ClientMount", system, access_point)


def writing(service: str, file_system: str | None, access_point: str, *, as_root: bool) -> Asks:
    """Writing to a mounted file system; one that is not known can be written to.

    Args:
        service: `elasticfilesystem` or `s3files`.
        file_system: ARN of the file system, if known.
        access_point: ARN of the access point it is mounted through.
        as_root: Whether the access point acts as root.
    """
    if file_system is not None:
        yield _client(service, "ClientWrite", file_system, access_point)
        if as_root:
            yield _client(service, "ClientRootAccess", file_system, access_point)


def _client(service: str, action: str, file_system: str, access_point: str) -> Ask:
    return Ask(f"{service}:{action}", file_system, {f"{service}:accesspointarn": access_point})


def access_points(harness: Mapping[str, Any]) -> Asks:
    """What creation reads of S3 Files."""
    runtime = (harness.get("environment") or {}).get("agentCoreRuntimeEnvironment") or {}
    for mount in runtime.get("filesystemConfigurations") or ():
        if s3 := mount.get("s3FilesAccessPoint"):
            yield Ask("s3files:GetAccessPoint", s3["accessPointArn"])


# ---- skills and memory -----------------------------------------------------------------------------------------------


def skill(plan: Plan, configured: dict[str, Any]) -> Asks:
    """Fetching a skill, before its files are known."""
    if s3 := configured.get("s3"):
        yield from _s3_skill(plan, s3["uri"])
    auth = (configured.get("git") or {}).get("auth") or {}
    if auth.get("credentialArn"):
        yield from api_key(plan, auth["credentialArn"])


def skill_object(_plan: Plan, bucket: str, key: str) -> Asks:
    """Reading one file of a skill in S3."""
    yield Ask("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")


def _s3_skill(plan: Plan, uri: str) -> Asks:
    name, _, path = uri.partition("://")[2].partition("/")
    bucket, prefix = f"arn:aws:s3:::{name}", path.strip("/")
    yield Ask("s3:ListBucket", bucket, {"s3:prefix": prefix} if prefix else {})
    yield Ask("s3:GetObject", f"{bucket}/{prefix}/SKILL.md" if prefix else f"{bucket}/SKILL.md")
    key = seams.encryption_key(plan.account, bucket)
    if key:
        yield from _key(key, "s3", actions=("Decrypt",))


def memory(plan: Plan, operations: tuple[str, ...]) -> Asks:
    """Reading or writing the conversation."""
    configured = plan.harness.get("memory") or {}
    managed, own = configured.get("managedMemoryConfiguration"), configured.get("agentCoreMemoryConfiguration")
    used = managed or own
    if not used or not used.get("arn"):
        return
    for operation in operations:
        yield Ask(f"bedrock-agentcore:{operation}", used["arn"])
    if managed and managed.get("encryptionKeyArn"):
        needed = ("GenerateDataKey",) if operations == MEMORY_KEEP else ("Decrypt",)
        yield from _key(managed["encryptionKeyArn"], "bedrock-agentcore", actions=needed)


# ---- tools -----------------------------------------------------------------------------------------------------------


def tool_loading(plan: Plan, tool: ToolConfig) -> Asks:
    """Asking a gateway or an MCP server for its tools."""
    if tool.type == "agentcore_gateway":
        auth = tool.config.get("outboundAuth") or {"awsIam": {}}
        if "awsIam" in auth:
            yield Ask("bedrock-agentcore:InvokeGateway", tool.config["gatewayArn"])
        elif "oauth" in auth:
            action = "bedrock-agentcore:GetResourceOauth2Token"
            yield from _credential(plan, auth["oauth"]["providerArn"], action, "oauth2")
    for value in (tool.config.get("headers") or {}).values() if tool.type == "remote_mcp" else ():
        for provider in HEADER_REFERENCE.findall(value):
            yield from api_key(plan, provider)


def tool_call(plan: Plan, tool: ToolConfig) -> Asks:
    """Calling a browser or a code interpreter."""
    owned = f"arn:aws:bedrock-agentcore:{plan.region}:aws:"
    if tool.type == "agentcore_browser":
        arn = tool.config.get("browserArn") or f"{owned}browser/aws.browser.v1"
        for action in ("StartBrowserSession", "ConnectBrowserAutomationStream", "StopBrowserSession"):
            yield Ask(f"bedrock-agentcore:{action}", arn)
    elif tool.type == "agentcore_code_interpreter":
        arn = tool.config.get("codeInterpreterArn") or f"{owned}code-interpreter/aws.codeinterpreter.v1"
        for action in ("StartCodeInterpreterSession", "InvokeCodeInterpreter", "StopCodeInterpreterSession"):
            yield Ask(f"bedrock-agentcore:{action}", arn)


# ---- hooks -----------------------------------------------------------------------------------------------------------


def hook(plan: Plan, service: str, arn: str) -> Asks:
    """Telling a hook's target."""
    if service == "lambda":
        yield Ask("lambda:InvokeFunction", arn)
        return
    yield Ask("sns:Publish" if service == "sns" else "events:PutEvents", arn)
    key = seams.encryption_key(plan.account, arn)
    principal = f"{service}.amazonaws.com"
    # The key policy of a bus may let EventBridge itself encrypt; a topic's is always the publisher's to use.
    if (
        key
        and key.startswith("arn:")
        and not (service == "events" and seams.key_admits_service(plan.account, key, principal))
    ):
        yield from _key(key, service, actions=("GenerateDataKey", "Decrypt"))


# ---- observability ---------------------------------------------------------------------------------------------------


def logs(plan: Plan, group: str) -> Asks:
    """Writing into a log group of the runtime."""
    yield Ask("logs:DescribeLogGroups", _arn(plan, "logs", "log-group:*"))
    arn = _arn(plan, "logs", f"log-group:{group}")
    yield Ask("logs:CreateLogGroup", arn)
    yield Ask("logs:DescribeLogStreams", arn)
    yield Ask("logs:CreateLogStream", f"{arn}:log-stream:runtime-logs")
    yield Ask("logs:PutLogEvents", f"{arn}:log-stream:runtime-logs")


def telemetry(plan: Plan, group: str) -> Iterator[tuple[str, Ask]]:
    """What is delivered beside logs, each with what is missing without it."""
    for action in ("PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets"):
        yield "traces", Ask(f"xray:{action}", "*")
    yield "spans in the log group", Ask("logs:PutResourcePolicy", _arn(plan, "logs", f"log-group:{group}"))
    yield "metrics", Ask("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "bedrock-agentcore"})
