"""A gateway made from a list of what it offers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Unpack

import aws_cdk as cdk
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_iam as iam
from constructs import Construct

from agentcore_constructs.config import HarnessConfigError, is_token
from agentcore_constructs.config.allowed_tools import SEPARATOR
from agentcore_constructs.config.errors import Fault, received
from agentcore_constructs.harness import messages, offers
from agentcore_constructs.harness.wildcards import answer

from . import own_secrets, wildcards
from .target import Target, text_faults

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_

    from agentcore_constructs.harness import MetricOptions

_NAME = re.compile(r"([0-9a-zA-Z][-]?){1,48}")
_SERVICE = "bedrock-agentcore.amazonaws.com"
_MODEL_TOOL_NAME = 64


class ToolGateway(Construct):
    """An AgentCore gateway with its targets, over the CDK's own `Gateway`.

    Callers sign with IAM unless another authorizer is given: that is what a harness does without being told. The
    service role may do what the targets need and is assumable for this gateway alone.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        targets: Sequence[Target] = (),
        gateway_name: str | None = None,
        description: str | None = None,
        instructions: str | None = None,
        semantic_search: bool = False,
        authorizer: agentcore.IGatewayAuthorizerConfig | None = None,
        policy_engine: agentcore.IPolicyEngine | None = None,
        policy_engine_mode: agentcore.PolicyEngineMode | None = None,
        request_interceptor: lambda_.IFunction | None = None,
        response_interceptor: lambda_.IFunction | None = None,
        pass_request_headers: bool = False,
        encryption_key: kms.IKey | None = None,
        exception_level: agentcore.GatewayExceptionLevel | None = None,
        role: iam.IRole | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Makes the gateway.

        Args:
            scope: Parent.
            construct_id: Id within the parent.
            targets: What it offers, made by `Target`.
            gateway_name: 1–48 letters and digits with single hyphens between them; derived from the path unless given.
            description: 1–200 characters.
            instructions: What clients are told about the tools, at most 2048 characters.
            semantic_search: Adds the tool `x_amz_bedrock_agentcore_search`, which finds tools by meaning. The service
                charges for it, and it can be chosen only when the gateway is made.
            authorizer: Who may call, made by `aws_bedrockagentcore.GatewayAuthorizer`; IAM unless given.
            policy_engine: Decides over calls by Cedar policies; the role may ask it.
            policy_engine_mode: Whether decisions bind (the default) or are only logged.
            request_interceptor: A function that sees, changes or answers each request.
            response_interceptor: A function that sees or changes each answer.
            pass_request_headers: Whether the interceptors are told the request's headers, tokens among them.
            encryption_key: A KMS key for what the service stores.
            exception_level: `DEBUG` tells callers why a target failed; otherwise a general sentence is all they get.
            role: The service role; one is made unless given.
            tags: Of the gateway.

        Raises:
            HarnessConfigError: With every fault of the gateway and its targets.
        """
        super().__init__(scope, construct_id)
        self._targets: dict[str, agentcore.GatewayTarget | agentcore.CfnGatewayTarget] = {}
        self._acknowledged = False
        faults = [*_own_faults(gateway_name, description, instructions), *self._faults(targets, 0)]
        if faults:
            raise HarnessConfigError(faults, f"The gateway {self.node.path}")
        # In lower case, as ids of gateways are: the CDK and the service then mean the same in policies.
        name = gateway_name or cdk.Names.unique_resource_name(self, max_length=48, separator="-").lower()
        self._role = role or self._make_role(name)
        interceptors = [
            make(function, pass_request_headers=pass_request_headers)
            for make, function in (
                (agentcore.LambdaInterceptor.for_request, request_interceptor),
                (agentcore.LambdaInterceptor.for_response, response_interceptor),
            )
            if function is not None
        ]
        engine = None
        if policy_engine is not None:
            mode = policy_engine_mode or agentcore.PolicyEngineMode.ENFORCE
            engine = agentcore.GatewayPolicyEngineConfig(policy_engine=policy_engine, mode=mode)
        self._gateway = agentcore.Gateway(
            self,
            "Gateway",
            gateway_name=name,
            description=description,
            authorizer_configuration=authorizer or agentcore.GatewayAuthorizer.using_aws_iam(),
            protocol_configuration=agentcore.GatewayProtocol.mcp(
                instructions=instructions,
                search_type=agentcore.McpGatewaySearchType.SEMANTIC if semantic_search else None,
            ),
            policy_engine_configuration=engine,
            interceptor_configurations=interceptors or None,
            kms_key=encryption_key,
            exception_level=exception_level,
            role=self._role,
            tags=tags,
        )
        if role is None:
            own_secrets.answer_warning(self._gateway)
        self.node.default_child = self._gateway.node.default_child
        offers.note(self.gateway_arn)
        self._add(targets)

    # ---- attributes --------------------------------------------------------------------------------------------------

    @property
    def gateway(self) -> agentcore.Gateway:
        """The CDK's gateway."""
        return self._gateway

    @property
    def gateway_arn(self) -> str:
        """Its ARN."""
        return self._gateway.gateway_arn

    @property
    def gateway_id(self) -> str:
        """Its id."""
        return self._gateway.gateway_id

    @property
    def gateway_name(self) -> str:
        """Its name."""
        return self._gateway.gateway_name

    @property
    def gateway_url(self) -> str:
        """Where MCP clients reach it."""
        return self._gateway.gateway_url or ""

    @property
    def authorizer_configuration(self) -> agentcore.IGatewayAuthorizerConfig:
        """What it asks of its callers."""
        return self._gateway.authorizer_configuration

    @property
    def role(self) -> iam.IRole:
        """The service role."""
        return self._role

    @property
    def targets(self) -> Mapping[str, agentcore.GatewayTarget | agentcore.CfnGatewayTarget]:
        """Names to targets; web search, which the CDK has no L2 for, is a `CfnGatewayTarget`."""
        return dict(self._targets)

    # ---- verbs -------------------------------------------------------------------------------------------------------

    def add_target(self, target: Target) -> agentcore.GatewayTarget | agentcore.CfnGatewayTarget:
        """Adds what the gateway offers.

        Args:
            target: Made by `Target`.

        Raises:
            HarnessConfigError: With every fault of the target.
        """
        faults = list(self._faults([target], len(self._targets)))
        if faults:
            raise HarnessConfigError(faults, f"The gateway {self.node.path}")
        self._add([target])
        return self._targets[target.name]

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets somebody call the gateway's tools: `InvokeGateway` on this gateway."""
        return self._gateway.grant_invoke(grantee)

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets somebody see the gateway and its targets."""
        return self._gateway.grant_read(grantee)

    def grant_manage(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets somebody change the gateway and its targets."""
        return self._gateway.grant_manage(grantee)

    def metric(self, metric_name: str, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """A metric of the gateway; options as `aws_cloudwatch.MetricOptions`."""
        return self._gateway.metric(metric_name, **options)

    def apply_removal_policy(self, policy: cdk.RemovalPolicy) -> None:
        """Decides what becomes of the gateway when it leaves the stack."""
        self._gateway.apply_removal_policy(policy)

    def acknowledge_wildcards(self) -> None:
        """Gives cdk-nag the reason for every wildcard in the service role's policy, when the app is synthesized."""
        if not self._acknowledged and isinstance(self._role, iam.Role):
            self._acknowledged = True
            role = self._role
            answer(self, lambda: wildcards.acknowledge(role))

    def warn_of_region(self, region: str) -> None:
        """Warns that web search is not offered in a Region."""
        messages.web_search_region(self, region)

    # ---- making it ---------------------------------------------------------------------------------------------------

    def _make_role(self, name: str) -> iam.Role:
        """The trust policy is that of the service's own sample (devguide gateway-prerequisites-permissions)."""
        stack = cdk.Stack.of(self)
        # The id of a gateway is its name in lower case, and ten characters more.
        known = name if is_token(name) else name.lower()
        source = f"arn:{stack.partition}:bedrock-agentcore:{stack.region}:{stack.account}:gateway/{known}-*"
        conditions = {"StringEquals": {"aws:SourceAccount": stack.account}, "ArnLike": {"aws:SourceArn": source}}
        principal = iam.ServicePrincipal(_SERVICE, conditions=conditions)
        return own_secrets.ServiceRole(self, "ServiceRole", assumed_by=principal)

    def _faults(self, targets: Sequence[Target], first: int) -> list[Fault]:
        if not isinstance(targets, (list, tuple)):
            return [Fault("targets", "must be a list of targets", received(targets), "put the targets into a list")]
        faults: list[Fault] = []
        seen = set(self._targets)
        for index, target in enumerate(targets, first):
            path = f"targets[{index}]"
            if not isinstance(target, Target):
                fix = "make it with Target.lambda_, Target.open_api, Target.mcp_server, Target.web_search, …"
                faults.append(Fault(path, "must be a target", received(target), fix))
                continue
            faults += target.faults(path)
            if not isinstance(target.name, str):
                continue
            if target.name in seen:
                must = "must be unique within the gateway"
                faults.append(Fault(f"{path}.name", must, received(target.name), "choose another name"))
            seen.add(target.name)
        return faults

    def _add(self, targets: Sequence[Target]) -> None:
        for target in targets:
            self._targets[target.name] = made = target.add_to(self)
            own_secrets.grant(self._role, made)
            # The service tries a target's function as the role while the target is made, and refuses the target when
            # the role may not call it yet (aws/aws-cdk#36826); a policy that a target needs must also outlive it.
            made.node.add_dependency(self._role)
            offers.note(self.gateway_arn, target.name, target.tool_names)
            for tool in target.tool_names:
                name = f"{target.name}{SEPARATOR}{tool}"
                if not is_token(name) and len(name) > _MODEL_TOOL_NAME:
                    messages.long_tool_name(self, name)


def _own_faults(name: str | None, description: str | None, instructions: str | None) -> list[Fault]:
    faults = []
    if name is not None and not (isinstance(name, str) and (is_token(name) or _NAME.fullmatch(name))):
        must = "must be 1–48 letters and digits with single hyphens between them"
        faults.append(Fault("gateway_name", must, received(name), "choose a name that fits, without '_'"))
    for field, text, limit in (("description", description, 200), ("instructions", instructions, 2048)):
        faults += text_faults(text, field, limit)
    return faults
