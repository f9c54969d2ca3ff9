"""Which AWS services the sessions of a harness talk to, and so which VPC endpoints they need: one table. Pure.

A session in a VPC reaches AWS only through that VPC: there are no service-managed routes since May 2026. Which calls
come from the session is documented in part
(https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/agentcore-vpc.html); each row says how it is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from agentcore_constructs.config import HarnessSkill, HarnessTool
from agentcore_constructs.config.node import members
from agentcore_constructs.harness.permissions import Need

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from agentcore_constructs.config import HarnessConfig, HarnessModelConfiguration

VPC = "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/agentcore-vpc.html"
ECR = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html"
PRIVATE_LINK = "https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/vpc-interface-endpoints.html"
BEDROCK = "https://docs.aws.amazon.com/bedrock/latest/userguide/vpc-interface-endpoints.html"
AWS_SERVICES = "https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html"

Use = Need | Literal["gateway_tool"]
"""What a configuration uses: what the execution role needs, and gateways, which need no permission without auth."""

S3 = "s3"


@dataclass(frozen=True, slots=True)
class Service:
    """One row: an AWS service that sessions talk to.

    Attributes:
        name: What its endpoint is called, after `com.amazonaws.<region>.`.
        uses: The features that talk to it.
        reason: What for, or what fails without it.
        source: Where that is documented.
        gateway: Whether it is a gateway endpoint: a route, which costs nothing.
    """

    name: str
    uses: tuple[Use, ...]
    reason: str
    source: str
    gateway: bool = False


_IMAGES: tuple[Use, ...] = ("managed_image", "private_registry")
_KEYS: tuple[Use, ...] = ("api_key", "oauth_provider")

SERVICES: tuple[Service, ...] = (
    Service(
        "bedrock-runtime",
        ("bedrock_model", "inference_profile"),
        "The model. Without a route to it a harness gets READY, and invocations hang.",
        BEDROCK,
    ),
    Service("bedrock-mantle", ("mantle",), "Models with api_format `responses` or `chat_completions`.", BEDROCK),
    Service("ecr.api", _IMAGES, "Where a session's images are, the service's own among them.", ECR),
    Service("ecr.dkr", _IMAGES, "Pulls a session's images.", ECR),
    Service(
        S3,
        ("managed_image", "private_image", "skill_bucket", "skill_prefix", "skill_object"),
        "Layers of images, without which no session starts; skills in S3; what session storage is kept in.",
        ECR,
        gateway=True,
    ),
    Service("sts", ("harness",), "Credentials of the execution role.", VPC),
    Service("logs", ("harness",), "Logs of the agent loop.", VPC),
    Service("xray", ("harness",), "Traces of the agent loop.", VPC),
    Service("monitoring", ("harness",), "Metrics of the agent loop.", VPC),
    Service(
        "bedrock-agentcore",
        ("harness",),
        "The data plane: the loop's own token, without which it runs with no tools; memory, browser, code interpreter.",
        PRIVATE_LINK,
    ),
    Service(
        "bedrock-agentcore.gateway",
        ("gateway_tool", "gateway", "oauth_provider"),
        "Gateways. Without it loading their tools ends in a DNS error.",
        PRIVATE_LINK,
    ),
    Service("secretsmanager", _KEYS, "Keys and secrets of credential providers, read as the execution role.", VPC),
    Service("lambda", ("lambda_hook",), "Hooks to Lambda functions.", AWS_SERVICES),
    Service("sns", ("sns_hook",), "Hooks to SNS topics.", AWS_SERVICES),
    Service("events", ("event_hook",), "Hooks to EventBridge buses.", AWS_SERVICES),
)

NAMES = tuple(service.name for service in SERVICES)
_MODEL_SERVICES = ("bedrock-runtime", "bedrock-mantle")

# Needs that make no session call a service: the account behind them does, or another row names the service.
WITHOUT_SERVICE: frozenset[Use] = frozenset(get_args(Need)) - {use for service in SERVICES for use in service.uses}


def uses_of(config: HarnessConfig, needs: Collection[Need]) -> set[Use]:
    """Returns what a configuration uses.

    Args:
        config: The configuration.
        needs: What its execution role needs.
    """
    uses: set[Use] = set(needs)
    tools = members(config.tools, HarnessTool)
    if any(tool.config is not None and tool.config.agent_core_gateway is not None for _, tool in tools):
        uses.add("gateway_tool")
    return uses


def services(uses: Collection[Use]) -> list[Service]:
    """Returns the services that uses call for, in the order of the table."""
    return [service for service in SERVICES if any(use in uses for use in service.uses)]


def model_services(uses: Collection[Use]) -> list[str]:
    """Returns the names of the services that models are reached by."""
    return [service.name for service in services(uses) if service.name in _MODEL_SERVICES]


def beyond_aws(config: HarnessConfig) -> list[str]:
    """Returns what a configuration reaches only over the internet, in words: no VPC endpoint leads there."""
    return [*_models(config.model), *_tools(config), *_skills(config), *_images(config)]


def _models(model: HarnessModelConfiguration | None) -> Iterator[str]:
    if model is None:
        return
    if model.open_ai_model_config is not None:
        yield "the OpenAI model"
    if model.gemini_model_config is not None:
        yield "the Gemini model"
    lite_llm = model.lite_llm_model_config
    if lite_llm is not None and not lite_llm.model_id.startswith("bedrock/"):
        yield f"the model {lite_llm.model_id}"


def _tools(config: HarnessConfig) -> Iterator[str]:
    for _, tool in members(config.tools, HarnessTool):
        if tool.type == "remote_mcp":
            yield "remote MCP servers"
            return


def _skills(config: HarnessConfig) -> Iterator[str]:
    if any(skill.git is not None for _, skill in members(config.skills, HarnessSkill)):
        yield "skills in Git"


def _images(config: HarnessConfig) -> Iterator[str]:
    artifact = config.environment_artifact
    container = None if artifact is None else artifact.container_configuration
    if container is not None and container.container_uri.startswith("public.ecr.aws/"):
        yield "the image in ECR Public"
