"""For every feature of the permission table, the smallest configuration that uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentcore_constructs.config import (
    Environment,
    FileSystem,
    GatewayAuth,
    Guardrail,
    HarnessConfig,
    HarnessImage,
    Hook,
    HookTarget,
    Memory,
    Model,
    Skill,
    Tool,
)
from agentcore_constructs.credentials import registry
from agentcore_constructs.harness.defaults import completed
from agentcore_constructs.harness.needs import Reader
from agentcore_constructs.harness.policy import Place

if TYPE_CHECKING:
    from agentcore_constructs.harness.permissions import Need
    from agentcore_constructs.harness.policy import Needs

ACCOUNT = "111122223333"
REGION = "eu-west-1"
PLACE = Place("aws", REGION, ACCOUNT)
NAME = "research"
AGENTCORE = f"arn:aws:bedrock-agentcore:{REGION}:{ACCOUNT}"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef"
API_KEY = f"{AGENTCORE}:token-vault/default/apikeycredentialprovider/openai-key"
OWN_API_KEY = f"{AGENTCORE}:token-vault/default/apikeycredentialprovider/own-key"
OWN_SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:openai-AbCdEf"
OAUTH = f"{AGENTCORE}:token-vault/default/oauth2credentialprovider/orders"
MEMORY = f"{AGENTCORE}:memory/customers-0123456789"
GATEWAY = f"{AGENTCORE}:gateway/orders-0123456789"
BROWSER = f"{AGENTCORE}:browser-custom/research-0123456789"
INTERPRETER = f"{AGENTCORE}:code-interpreter-custom/python-0123456789"
EFS = f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:access-point/fsap-0123456789abcdef0"
EFS_SYSTEM = f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:file-system/fs-0123456789abcdef0"
S3_FILES = f"arn:aws:s3files:{REGION}:{ACCOUNT}:file-system/fs-0123456789abcdef0/access-point/fsap-0123456789abcdef0"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:guard"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:tool-calls"
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/agents"

registry.note(OWN_API_KEY, registry.OwnSecret(OWN_SECRET, KEY))


def _split(text: str, separator: str, index: int) -> str:
    return f"<{index} of {text} by {separator}>"


def reader(name: str = NAME, place: Place = PLACE) -> Reader:
    """Reads needs for a harness of this name and place."""
    return Reader(name, place, _split)


def needs_of(**config: Any) -> Needs:
    """What a configuration needs, the service's defaults written out."""
    return reader().of(completed(HarnessConfig.create(**config)))


def _in_vpc(*filesystems: Any) -> dict[str, Any]:
    groups, subnets = ["sg-0123456789abcdef0"], ["subnet-0123456789abcdef0"]
    return {"environment": Environment.vpc(subnets=subnets, security_groups=groups, filesystems=filesystems)}


def _guarded(**guardrail: Any) -> dict[str, Any]:
    return {"model": Model.bedrock("amazon.nova-pro-v1:0", guardrail=Guardrail("abc123", "1", **guardrail))}


EXAMPLES: dict[Need, dict[str, Any]] = {
    "harness": {},
    "bedrock_model": {"model": Model.bedrock("amazon.nova-pro-v1:0")},
    "inference_profile": {"model": Model.bedrock("eu.amazon.nova-pro-v1:0")},
    "profile_model": {"model": Model.bedrock("eu.amazon.nova-pro-v1:0")},
    "mantle": {"model": Model.bedrock("openai.gpt-oss-120b-1:0", api_format="responses")},
    "guardrail": _guarded(),
    "guardrail_key": _guarded(encryption_key=KEY),
    "public_image": {},
    "managed_image": _in_vpc(),
    "private_image": {
        "environment_artifact": HarnessImage.from_uri(f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/team/agent:1")
    },
    "private_registry": _in_vpc(),
    "memory": {"memory": Memory.existing(MEMORY)},
    "memory_key": {"memory": Memory.managed(encryption_key=KEY)},
    "gateway": {"tools": [Tool.gateway(GATEWAY, name="orders")]},
    "oauth_provider": {
        "tools": [Tool.gateway(GATEWAY, name="orders", outbound_auth=GatewayAuth.oauth(OAUTH, scopes=["read"]))]
    },
    "api_key": {"model": Model.openai("gpt-5", api_key=API_KEY)},
    "own_secret_key": {"model": Model.openai("gpt-5", api_key=OWN_API_KEY)},
    "browser": {"tools": [Tool.browser()]},
    "custom_browser": {"tools": [Tool.browser(BROWSER)]},
    "code_interpreter": {"tools": [Tool.code_interpreter()]},
    "custom_code_interpreter": {"tools": [Tool.code_interpreter(INTERPRETER)]},
    "skill_bucket": {"skills": [Skill.s3("agent-skills")]},
    "skill_prefix": {"skills": [Skill.s3("agent-skills", "report/v1")]},
    "skill_object": {"skills": [Skill.s3("agent-skills", "report/v1")]},
    "skill_key": {"skills": [Skill.s3("agent-skills", "report/v1", encryption_key=KEY)]},
    "efs": _in_vpc(FileSystem.efs(EFS, "/mnt/efs", file_system_arn=EFS_SYSTEM)),
    "efs_read_only": _in_vpc(FileSystem.efs(EFS, "/mnt/efs", file_system_arn=EFS_SYSTEM, read_only=True)),
    "efs_root": _in_vpc(FileSystem.efs(EFS, "/mnt/efs", file_system_arn=EFS_SYSTEM, as_root=True)),
    "efs_mount": _in_vpc(FileSystem.efs(EFS, "/mnt/efs", file_system_arn=EFS_SYSTEM)),
    "s3_files": _in_vpc(FileSystem.s3_files(S3_FILES, "/mnt/s3")),
    "s3_files_read_only": _in_vpc(FileSystem.s3_files(S3_FILES, "/mnt/s3", read_only=True)),
    "s3_files_root": _in_vpc(FileSystem.s3_files(S3_FILES, "/mnt/s3", as_root=True)),
    "s3_files_mount": _in_vpc(FileSystem.s3_files(S3_FILES, "/mnt/s3")),
    "lambda_hook": {"hooks": [Hook.before_invocation("guard", FUNCTION)]},
    "sns_hook": {"hooks": [Hook.after_tool_call("tell", TOPIC)]},
    "topic_key": {"hooks": [Hook.after_tool_call("tell", HookTarget.topic(TOPIC, encryption_key=KEY))]},
    "event_hook": {"hooks": [Hook.after_invocation("record", BUS)]},
    "bus_key": {"hooks": [Hook.after_invocation("record", HookTarget.event_bus(BUS, encryption_key=KEY))]},
}
"""All but managed memory, which is granted on an attribute of the harness."""
