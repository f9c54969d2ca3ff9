"""The web search connector as a target of a gateway.

The CDK has no L2 for connectors. Tool name, arguments, filters, rights and Regions:
https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway-target-connector-web-search-tool.html. Which
version of the connector serves cannot be said in CloudFormation: a target keeps the one that was the default when it
was made, 1.3.0 since October 2026 and 1.1.0 before. Lists of domains to include came with 1.2.0.
https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway-target-connector-versions.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_iam as iam

from agentcore_constructs.config import is_token
from agentcore_constructs.config.errors import Fault, received

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from constructs import Construct

CONNECTOR = "web-search"
TOOL = "WebSearch"
REGIONS = ("us-east-1", "eu-west-1", "ap-northeast-1")
"""Where the connector is offered (AgentCore release notes, September 2026)."""

MAX_DOMAINS = 100
_LABEL = r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}$)({_LABEL}\.)+{_LABEL}")


def faults(include: Any, exclude: Any, path: str) -> Iterator[Fault]:
    """Yields what is wrong with the lists of domains."""
    for name, domains in (("include_domains", include), ("exclude_domains", exclude)):
        if isinstance(domains, str) or not isinstance(domains, (list, tuple)):
            yield Fault(f"{path}.{name}", "must be a list of domains", received(domains), "put the domains into a list")
            continue
        if len(domains) > MAX_DOMAINS:
            fix = f"keep at most {MAX_DOMAINS}"
            yield Fault(f"{path}.{name}", f"must have at most {MAX_DOMAINS} domains", received(domains), fix)
        for index, domain in enumerate(domains):
            if not isinstance(domain, str) or not (is_token(domain) or _DOMAIN.fullmatch(domain)):
                fix = "write the name alone, such as docs.aws.amazon.com, without scheme and path"
                yield Fault(f"{path}.{name}[{index}]", "must be a domain", received(domain), fix)
    lists = all(isinstance(domains, (list, tuple)) for domains in (include, exclude))
    for domain in sorted(set(map(str, include)) & set(map(str, exclude))) if lists else ():
        must = "must not be excluded as well"
        yield Fault(f"{path}.include_domains", must, received(domain), "keep it in one of the lists")


def add(
    scope: Construct,
    gateway: agentcore.IGateway,
    *,
    name: str,
    description: str | None,
    include: Sequence[str],
    exclude: Sequence[str],
    warn: Callable[[str], None],
) -> agentcore.CfnGatewayTarget:
    """Makes the target, lets the gateway's role search, and warns of a Region without the connector.

    Args:
        scope: Where the target is made, with the target's name as its id.
        gateway: The gateway.
        name: Name of the target.
        description: What it is for.
        include: Domains to search, and no others.
        exclude: Domains to leave out.
        warn: Told the Region, when it is known and does not have the connector.
    """
    stack = cdk.Stack.of(scope)
    if not is_token(stack.region) and stack.region not in REGIONS:
        warn(stack.region)
    arn = f"arn:{stack.partition}:bedrock-agentcore:{stack.region}:aws:tool/web-search.v1"
    statement = iam.PolicyStatement(actions=["bedrock-agentcore:InvokeWebSearch"], resources=[arn])
    grant = iam.Grant.add_to_principal(
        grantee=gateway.role, actions=statement.actions, resource_arns=statement.resources
    )
    domains: dict[str, Any] = {}
    if include:
        domains["include"] = list(include)
    if exclude:
        domains["exclude"] = list(exclude)
    # An empty object where there is nothing to say: the service refuses a target whose configurations have no values
    # (aws/bedrock-agentcore-sdk-python, src/bedrock_agentcore/gateway/client.py).
    configuration = agentcore.CfnGatewayTarget.ConnectorConfigurationProperty(
        name=TOOL, parameter_values={"domainFilter": domains} if domains else {}
    )
    connector = agentcore.CfnGatewayTarget.ConnectorTargetConfigurationProperty(
        source=agentcore.CfnGatewayTarget.ConnectorSourceProperty(connector_id=CONNECTOR),
        configurations=[configuration],
    )
    target = agentcore.CfnGatewayTarget(
        scope,
        name,
        gateway_identifier=gateway.gateway_id,
        name=name,
        description=description,
        target_configuration=agentcore.CfnGatewayTarget.TargetConfigurationProperty(
            mcp=agentcore.CfnGatewayTarget.McpTargetConfigurationProperty(connector=connector)
        ),
        credential_provider_configurations=[
            agentcore.CfnGatewayTarget.CredentialProviderConfigurationProperty(
                credential_provider_type="GATEWAY_IAM_ROLE"
            )
        ],
    )
    grant.apply_before(target)
    return target
