"""What the execution role of a harness may do: one table, one row per feature.

A row is used only when the configuration uses its feature. `needs.py` reads the features off a configuration,
`policy.py` turns rows into statements, `docs/iam.md` is generated from here. The Sids are those of AWS's sample
policies where there is one, so that a review can lay both side by side.

Resource and condition texts are templates: `{partition}`, `{region}` and `{account}` are those of the stack, the other
placeholders come from the feature (`{model}`, `{gateway}`, …). All of them may be CDK tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Need = Literal[
    "harness",
    "bedrock_model",
    "inference_profile",
    "profile_model",
    "mantle",
    "guardrail",
    "guardrail_key",
    "public_image",
    "managed_image",
    "private_image",
    "private_registry",
    "managed_memory",
    "memory",
    "memory_key",
    "gateway",
    "oauth_provider",
    "api_key",
    "own_secret_key",
    "browser",
    "custom_browser",
    "code_interpreter",
    "custom_code_interpreter",
    "skill_bucket",
    "skill_prefix",
    "skill_object",
    "skill_key",
    "efs",
    "efs_read_only",
    "efs_root",
    "efs_mount",
    "s3_files",
    "s3_files_read_only",
    "s3_files_root",
    "s3_files_mount",
    "lambda_hook",
    "sns_hook",
    "topic_key",
    "event_hook",
    "bus_key",
]
"""A feature that a configuration may use; every row serves one."""

SECURITY = "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-security.html"
MODELS = "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-models.html"
ENVIRONMENT = "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-environment.html"
HOOKS = "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-lifecycle-hooks.html"
PROFILES = "https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html"
GUARDRAIL_PROFILES = "https://docs.aws.amazon.com/bedrock/latest/userguide/guardrail-profiles-permissions.html"
MANTLE = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_bedrock-mantle.html"
SNS_KEYS = "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html"
BUS_KEYS = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-at-rest-key-policy.html"
SECRETS_MANAGER = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html"
S3_KEYS = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html"
EFS_ROOT = "https://docs.aws.amazon.com/efs/latest/ug/enforce-root-access-point.html"
S3_FILES_ROOT = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-files-security-iam.html"
MEMORY_KEYS = "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/data-encryption.html"

_AGENTCORE = "arn:{partition}:bedrock-agentcore:{region}:{account}:"
_RUNTIME_LOGS = "arn:{partition}:logs:{region}:{account}:log-group:/aws/bedrock-agentcore/runtimes/harness_{name}-*"
_DIRECTORY = _AGENTCORE + "workload-identity-directory/default"
_IDENTITY = _DIRECTORY + "/workload-identity/harness_{name}-*"
_VAULT = _AGENTCORE + "token-vault/default"
_ID_SUFFIX = "the service adds ten characters of its own to the harness's name, which is spelled out"

_PROFILE = "a Bedrock inference profile (`global.`, `us.`, `eu.`, …, or an application inference profile)"
_API_KEY = (
    "a key from an API-key credential provider: OpenAI, Gemini or LiteLLM models, `${arn:…}` in an MCP header, private "
    "git skills"
)
_LONE_ACCESS_POINT = (
    "only where the access point came without its file system: the condition names the access point, which belongs to "
    "one"
)

_INVOKE_MODEL = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
_BROWSER_SESSION = (
    "bedrock-agentcore:StartBrowserSession",
    "bedrock-agentcore:StopBrowserSession",
    "bedrock-agentcore:GetBrowserSession",
    "bedrock-agentcore:ListBrowserSessions",
    "bedrock-agentcore:UpdateBrowserStream",
    "bedrock-agentcore:ConnectBrowserAutomationStream",
    "bedrock-agentcore:ConnectBrowserLiveViewStream",
)
_CODE_SESSION = (
    "bedrock-agentcore:StartCodeInterpreterSession",
    "bedrock-agentcore:StopCodeInterpreterSession",
    "bedrock-agentcore:GetCodeInterpreterSession",
    "bedrock-agentcore:ListCodeInterpreterSessions",
    "bedrock-agentcore:InvokeCodeInterpreter",
)
_MEMORY_EVENTS = (
    "bedrock-agentcore:CreateEvent",
    "bedrock-agentcore:DeleteEvent",
    "bedrock-agentcore:GetEvent",
    "bedrock-agentcore:ListEvents",
    "bedrock-agentcore:RetrieveMemoryRecords",
)


@dataclass(frozen=True, slots=True)
class Permission:
    """One row: what one feature needs, why, and who says so.

    Attributes:
        sid: Statement id, unique in the table. Statements that cannot be merged get 2, 3, … appended.
        need: The feature that calls for it.
        when: The feature, in the user's words.
        actions: IAM actions.
        resources: Templates of ARNs.
        reason: What the actions are for, or what fails without them.
        source: Where that is documented or was measured.
        conditions: Operator, condition key and template of its value.
        wildcard: Why a `*` remains; empty when none does.
        allow: False for a deny.
    """

    sid: str
    need: Need
    when: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    reason: str
    source: str
    conditions: tuple[tuple[str, str, str], ...] = ()
    wildcard: str = ""
    allow: bool = True


TABLE: tuple[Permission, ...] = (
    # ---- models ------------------------------------------------------------------------------------------------------
    Permission(
        "BedrockModelInvocation",
        "bedrock_model",
        "a Bedrock model named by its id or ARN",
        _INVOKE_MODEL,
        ("{model}",),
        "The agent loop calls the model with the role's credentials.",
        SECURITY,
        wildcard="only where the model's id is known at deployment alone: then every model and profile of the account "
        "is allowed, and a warning says so",
    ),
    Permission(
        "BedrockInferenceProfile",
        "inference_profile",
        _PROFILE,
        (*_INVOKE_MODEL, "bedrock:GetInferenceProfile"),
        ("{profile}",),
        "Calls through a profile are authorized on the profile first.",
        PROFILES,
    ),
    Permission(
        "BedrockInferenceProfileModels",
        "profile_model",
        _PROFILE,
        _INVOKE_MODEL,
        ("{model}",),
        "Calls through a profile are authorized on the foundation model in the Region they land in as well; the "
        "condition closes every way to the model other than the profile.",
        PROFILES,
        conditions=(("StringLike", "bedrock:InferenceProfileArn", "{profile}"),),
        wildcard="which Regions a profile routes to is AWS's to change, and which model stands behind an application "
        "inference profile is not in its ARN; the condition binds both to the profile",
    ),
    Permission(
        "BedrockMantleInference",
        "mantle",
        "a Bedrock model with api_format `responses` or `chat_completions`",
        ("bedrock-mantle:CreateInference",),
        ("arn:{partition}:bedrock-mantle:{region}:{account}:project/*",),
        "These formats are served by the bedrock-mantle endpoint, which has actions of its own.",
        MANTLE,
        wildcard="a harness has no field that names the project",
    ),
    Permission(
        "BedrockMantleCallWithBearerToken",
        "mantle",
        "a Bedrock model with api_format `responses` or `chat_completions`",
        ("bedrock-mantle:CallWithBearerToken",),
        ("*",),
        "The endpoint takes a bearer token made from the role's credentials.",
        MANTLE,
        wildcard="the action has no resource type",
    ),
    Permission(
        "BedrockGuardrail",
        "guardrail",
        "a guardrail",
        ("bedrock:ApplyGuardrail",),
        ("{guardrail}",),
        "Bedrock applies the guardrail with the caller's permission.",
        MODELS,
    ),
    Permission(
        "BedrockGuardrailProfile",
        "guardrail",
        "a guardrail",
        ("bedrock:ApplyGuardrail",),
        ("arn:{partition}:bedrock:*:{account}:guardrail-profile/*",),
        "A guardrail of the standard tier runs across Regions and is authorized on its profile too, in whatever "
        "Region the request lands; without it such a guardrail fails now and then.",
        GUARDRAIL_PROFILES,
        wildcard="the Region follows the request, and only AWS makes guardrail profiles",
    ),
    Permission(
        "BedrockGuardrailKey",
        "guardrail_key",
        "a guardrail encrypted with a customer key",
        ("kms:Decrypt", "kms:DescribeKey"),
        ("{key}",),
        "Bedrock decrypts the guardrail's policy as the caller, and only Bedrock may do so.",
        MODELS,
        conditions=(("StringEquals", "kms:ViaService", "bedrock.{key_region}.amazonaws.com"),),
    ),
    # ---- image -------------------------------------------------------------------------------------------------------
    Permission(
        "EcrPublicTokenAccess",
        "public_image",
        "public network mode, or an image from public.ecr.aws",
        ("ecr-public:GetAuthorizationToken",),
        ("*",),
        "The managed image is pulled from ECR Public at the start of every session, with a custom image too.",
        SECURITY,
        wildcard="the action has no resource type",
    ),
    Permission(
        "StsForEcrPublicPull",
        "public_image",
        "public network mode, or an image from public.ecr.aws",
        ("sts:GetServiceBearerToken",),
        ("*",),
        "ECR Public wants a bearer token of the role.",
        SECURITY,
        wildcard="the action has no resource type",
    ),
    Permission(
        "EcrManagedImagePull",
        "managed_image",
        "VPC network mode",
        ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"),
        ("arn:{partition}:ecr:{region}:*:repository/harness-{region}",),
        "In a VPC the managed image comes from a private repository of AWS, at the start of every session and with a "
        "custom image too.",
        SECURITY,
        wildcard="the repository is in an account of AWS that differs by Region and is not documented",
    ),
    Permission(
        "ECRImageAccess",
        "private_image",
        "an image from a private ECR repository",
        ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"),
        ("{repository}",),
        "The session's environment is this image.",
        SECURITY,
    ),
    Permission(
        "ECRTokenAccess",
        "private_registry",
        "VPC network mode, or an image from a private ECR repository",
        ("ecr:GetAuthorizationToken",),
        ("*",),
        "Every pull from private ECR starts with a token.",
        SECURITY,
        wildcard="the action has no resource type",
    ),
    # ---- observability -----------------------------------------------------------------------------------------------
    Permission(
        "XRayTracingAccess",
        "harness",
        "always",
        (
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
        ),
        ("*",),
        "Traces of the agent loop.",
        SECURITY,
        wildcard="the actions have no resource type",
    ),
    Permission(
        "CloudWatchLogsGroup",
        "harness",
        "always",
        ("logs:CreateLogGroup", "logs:DescribeLogStreams"),
        (_RUNTIME_LOGS,),
        "The service makes one log group per endpoint.",
        SECURITY,
        wildcard=_ID_SUFFIX,
    ),
    Permission(
        "CloudWatchLogsDescribeGroups",
        "harness",
        "always",
        ("logs:DescribeLogGroups",),
        ("arn:{partition}:logs:{region}:{account}:log-group:*",),
        "The service looks whether its group exists.",
        SECURITY,
        wildcard="the action lists groups and cannot be narrowed to one",
    ),
    Permission(
        "CloudWatchLogsStream",
        "harness",
        "always",
        ("logs:CreateLogStream", "logs:PutLogEvents"),
        (_RUNTIME_LOGS + ":log-stream:*",),
        "Logs of the agent loop.",
        SECURITY,
        wildcard=_ID_SUFFIX + "; the streams are the service's own",
    ),
    Permission(
        "CloudWatchLogsPutResourcePolicy",
        "harness",
        "always",
        ("logs:PutResourcePolicy",),
        (_RUNTIME_LOGS,),
        "Lets X-Ray deliver spans into the agent's own log group; without it there are none there.",
        SECURITY,
        wildcard=_ID_SUFFIX,
    ),
    Permission(
        "CloudWatchMetricsPublish",
        "harness",
        "always",
        ("cloudwatch:PutMetricData",),
        ("*",),
        "Metrics of the agent loop, in the service's namespace only.",
        SECURITY,
        conditions=(("StringEquals", "cloudwatch:namespace", "bedrock-agentcore"),),
        wildcard="the action has no resource type; the namespace is fixed",
    ),
    # ---- identity ----------------------------------------------------------------------------------------------------
    Permission(
        "AgentCoreWorkloadIdentity",
        "harness",
        "always",
        ("bedrock-agentcore:GetWorkloadAccessToken", "bedrock-agentcore:GetWorkloadAccessTokenForJWT"),
        (_DIRECTORY, _IDENTITY),
        "The loop gets its own token for its tools; without it a harness runs with no tools, and no error says so.",
        SECURITY,
        wildcard=_ID_SUFFIX,
    ),
    Permission(
        "AgentCoreApiKeyTokenVault",
        "api_key",
        _API_KEY,
        ("bedrock-agentcore:GetResourceApiKey",),
        (_VAULT, _DIRECTORY, _IDENTITY, "{provider}"),
        "The key is read from the token vault when it is used; the agent never sees it.",
        SECURITY,
        wildcard=_ID_SUFFIX,
    ),
    Permission(
        "AgentCoreApiKeySecret",
        "api_key",
        _API_KEY,
        ("secretsmanager:GetSecretValue",),
        ("{secret}",),
        "The vault keeps the key in a secret of this account and reads it as the role. An `ApiKey` with a `json_key` "
        "is read from your own secret, and that one is named here instead.",
        SECURITY,
        wildcard="Secrets Manager adds six characters of its own to the secret's name",
    ),
    Permission(
        "CredentialSecretKey",
        "own_secret_key",
        "a credential provider that reads a secret of yours, encrypted with a customer key",
        ("kms:Decrypt",),
        ("{key}",),
        "Secrets Manager decrypts the secret as who reads it, and only Secrets Manager may do so.",
        SECRETS_MANAGER,
        conditions=(("StringEquals", "kms:ViaService", "secretsmanager.{key_region}.amazonaws.com"),),
    ),
    Permission(
        "AgentCoreOAuth2TokenVault",
        "oauth_provider",
        "a gateway behind OAuth",
        ("bedrock-agentcore:GetResourceOauth2Token",),
        (_VAULT, _DIRECTORY, _IDENTITY, "{provider}"),
        "The token for the gateway is fetched through the credential provider.",
        SECURITY,
        wildcard=_ID_SUFFIX,
    ),
    Permission(
        "AgentCoreOAuth2Secret",
        "oauth_provider",
        "a gateway behind OAuth",
        ("secretsmanager:GetSecretValue",),
        ("{secret}",),
        "The client secret lies in a secret of this account and is read as the role.",
        SECURITY,
        wildcard="Secrets Manager adds six characters of its own to the secret's name",
    ),
    # ---- memory ------------------------------------------------------------------------------------------------------
    Permission(
        "AgentCoreManagedMemory",
        "managed_memory",
        "managed memory (the default)",
        _MEMORY_EVENTS,
        ("{memory}",),
        "Without it every invocation fails on ListEvents. The ARN is known only once the harness exists, so this "
        "statement is in a policy of its own that follows the harness.",
        SECURITY,
    ),
    Permission(
        "AgentCoreMemory",
        "memory",
        "a memory of your own",
        _MEMORY_EVENTS,
        ("{memory}",),
        "Without it every invocation fails on ListEvents.",
        SECURITY,
    ),
    Permission(
        "AgentCoreMemoryKey",
        "memory_key",
        "memory encrypted with a customer key",
        ("kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"),
        ("{key}",),
        "AgentCore encrypts and decrypts events as the caller, and only AgentCore may do so. Inferred from its other "
        "resources: not documented for memory.",
        MEMORY_KEYS,
        conditions=(("StringEquals", "kms:ViaService", "bedrock-agentcore.{key_region}.amazonaws.com"),),
    ),
    # ---- tools -------------------------------------------------------------------------------------------------------
    Permission(
        "AgentCoreGatewayAccess",
        "gateway",
        "a gateway with IAM authorization",
        ("bedrock-agentcore:InvokeGateway",),
        ("{gateway}",),
        "The loop lists and calls the gateway's tools.",
        SECURITY,
    ),
    Permission(
        "AgentCoreBrowserDefault",
        "browser",
        "the default browser",
        _BROWSER_SESSION,
        ("arn:{partition}:bedrock-agentcore:{region}:aws:browser/aws.browser.v1",),
        "The loop opens a browser session per agent session.",
        SECURITY,
    ),
    Permission(
        "AgentCoreBrowserCustom",
        "custom_browser",
        "a browser of your own",
        _BROWSER_SESSION,
        ("{browser}",),
        "The loop opens a browser session per agent session.",
        SECURITY,
    ),
    Permission(
        "AgentCoreCodeInterpreterDefault",
        "code_interpreter",
        "the default code interpreter",
        _CODE_SESSION,
        ("arn:{partition}:bedrock-agentcore:{region}:aws:code-interpreter/aws.codeinterpreter.v1",),
        "The loop runs code in a sandbox session.",
        SECURITY,
    ),
    Permission(
        "AgentCoreCodeInterpreterCustom",
        "custom_code_interpreter",
        "a code interpreter of your own",
        _CODE_SESSION,
        ("{code_interpreter}",),
        "The loop runs code in a sandbox session.",
        SECURITY,
    ),
    # ---- skills ------------------------------------------------------------------------------------------------------
    Permission(
        "AgentCoreSkillS3Access",
        "skill_object",
        "a skill in S3",
        ("s3:GetObject",),
        ("{objects}",),
        "Skills are fetched when a session starts; a failing fetch fails the invocation.",
        SECURITY,
        wildcard="a skill is every object under its prefix",
    ),
    Permission(
        "AgentCoreSkillS3List",
        "skill_prefix",
        "a skill in S3 under a prefix",
        ("s3:ListBucket",),
        ("{bucket}",),
        "The prefix is listed to find the skill's files.",
        SECURITY,
        conditions=(("StringLike", "s3:prefix", "{prefix}"), ("StringLike", "s3:prefix", "{prefix}/*")),
        wildcard="a skill may have folders",
    ),
    Permission(
        "AgentCoreSkillS3ListBucket",
        "skill_bucket",
        "a skill that is a whole S3 bucket",
        ("s3:ListBucket",),
        ("{bucket}",),
        "The bucket is listed to find the skill's files.",
        SECURITY,
    ),
    Permission(
        "AgentCoreSkillS3Key",
        "skill_key",
        "a skill in a bucket encrypted with a customer key",
        ("kms:Decrypt",),
        ("{key}",),
        "S3 decrypts the objects as the caller, and only S3 may do so.",
        S3_KEYS,
        conditions=(("StringEquals", "kms:ViaService", "s3.{key_region}.amazonaws.com"),),
    ),
    # ---- filesystems -------------------------------------------------------------------------------------------------
    Permission(
        "EFSClientAccess",
        "efs",
        "an EFS access point",
        ("elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"),
        ("{file_system}",),
        "Mounts the file system through this access point only.",
        ENVIRONMENT,
        conditions=(("ArnEquals", "elasticfilesystem:AccessPointArn", "{access_point}"),),
        wildcard=_LONE_ACCESS_POINT,
    ),
    Permission(
        "EFSClientReadOnly",
        "efs_read_only",
        "an EFS access point, read only",
        ("elasticfilesystem:ClientMount",),
        ("{file_system}",),
        "Mounts the file system through this access point only, without writing.",
        ENVIRONMENT,
        conditions=(("ArnEquals", "elasticfilesystem:AccessPointArn", "{access_point}"),),
        wildcard=_LONE_ACCESS_POINT,
    ),
    Permission(
        "EFSClientRoot",
        "efs_root",
        "an EFS access point whose POSIX user is root",
        ("elasticfilesystem:ClientRootAccess",),
        ("{file_system}",),
        "Without it root is squashed to nobody, also where the access point says that the user is root.",
        EFS_ROOT,
        conditions=(("ArnEquals", "elasticfilesystem:AccessPointArn", "{access_point}"),),
        wildcard=_LONE_ACCESS_POINT,
    ),
    Permission(
        "EFSDescribe",
        "efs_mount",
        "an EFS access point",
        ("elasticfilesystem:DescribeAccessPoints", "elasticfilesystem:DescribeMountTargets"),
        ("{file_system}", "{access_point}"),
        "The service looks up the mount target of the session's Availability Zone.",
        ENVIRONMENT,
        wildcard="only where the access point came without its file system",
    ),
    Permission(
        "S3FilesClientAccess",
        "s3_files",
        "an S3 Files access point",
        ("s3files:ClientMount", "s3files:ClientWrite"),
        ("{file_system}",),
        "Mounts the file system through this access point only.",
        ENVIRONMENT,
        conditions=(("ArnEquals", "s3files:AccessPointArn", "{access_point}"),),
    ),
    Permission(
        "S3FilesClientReadOnly",
        "s3_files_read_only",
        "an S3 Files access point, read only",
        ("s3files:ClientMount",),
        ("{file_system}",),
        "Mounts the file system through this access point only, without writing.",
        ENVIRONMENT,
        conditions=(("ArnEquals", "s3files:AccessPointArn", "{access_point}"),),
    ),
    Permission(
        "S3FilesClientRoot",
        "s3_files_root",
        "an S3 Files access point whose POSIX user is root",
        ("s3files:ClientRootAccess",),
        ("{file_system}",),
        "Without it root is squashed to nobody, also where the access point says that the user is root.",
        S3_FILES_ROOT,
        conditions=(("ArnEquals", "s3files:AccessPointArn", "{access_point}"),),
    ),
    Permission(
        "S3FilesGetAccessPoint",
        "s3_files_mount",
        "an S3 Files access point",
        ("s3files:GetAccessPoint",),
        ("{access_point}",),
        "The harness is refused at creation when its role cannot read the access point; the file system's ARN does "
        "not count.",
        ENVIRONMENT,
    ),
    Permission(
        "S3FilesListMountTargets",
        "s3_files_mount",
        "an S3 Files access point",
        ("s3files:ListMountTargets",),
        ("{file_system}",),
        "The service looks up the mount target of the session's Availability Zone.",
        ENVIRONMENT,
    ),
    # ---- hooks -------------------------------------------------------------------------------------------------------
    Permission(
        "HookLambda",
        "lambda_hook",
        "a hook to a Lambda function",
        ("lambda:InvokeFunction",),
        ("{function}",),
        "The loop calls the function and waits for its decision. In the same account the function needs no policy of "
        "its own.",
        HOOKS,
    ),
    Permission(
        "HookSns",
        "sns_hook",
        "a hook to an SNS topic",
        ("sns:Publish",),
        ("{topic}",),
        "The loop publishes the event.",
        HOOKS,
    ),
    Permission(
        "HookSnsKey",
        "topic_key",
        "a hook to a topic encrypted with a customer key",
        ("kms:Decrypt", "kms:GenerateDataKey"),
        ("{key}",),
        "SNS encrypts the message as the publisher, and only SNS may do so.",
        SNS_KEYS,
        conditions=(("StringEquals", "kms:ViaService", "sns.{key_region}.amazonaws.com"),),
    ),
    Permission(
        "HookEventBridge",
        "event_hook",
        "a hook to an EventBridge bus",
        ("events:PutEvents",),
        ("{bus}",),
        "The loop puts the event.",
        HOOKS,
    ),
    Permission(
        "HookEventBridgeKey",
        "bus_key",
        "a hook to an event bus whose customer key is given",
        ("kms:Decrypt", "kms:GenerateDataKey"),
        ("{key}",),
        "For a bus whose key policy leaves encryption to the sender; only EventBridge may use the key so.",
        BUS_KEYS,
        conditions=(("StringEquals", "kms:ViaService", "events.{key_region}.amazonaws.com"),),
    ),
    # ---- defence -----------------------------------------------------------------------------------------------------
    Permission(
        "DenyRoleAssumption",
        "harness",
        "always",
        ("sts:AssumeRole",),
        ("*",),
        "A caller may override the model's additionalParams, and some providers take a role to assume from there. The "
        "harness itself never switches roles.",
        SECURITY,
        wildcard="it denies",
        allow=False,
    ),
)
