"""What harnesses made here and harnesses made elsewhere have in common."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol, Unpack, cast

import aws_cdk as cdk
import jsii
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam

from agentcore_constructs.config import Fault, HarnessConfigError, is_token
from agentcore_constructs.config.errors import received

from .given import path_of
from .metrics import DEFAULT_ENDPOINT, HarnessMetrics, MetricOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct, Node

INVOKE_ACTIONS = ("bedrock-agentcore:InvokeHarness", "bedrock-agentcore:InvokeAgentRuntime")
RUN_COMMAND_ACTIONS = ("bedrock-agentcore:InvokeAgentRuntimeCommand", "bedrock-agentcore:InvokeAgentRuntime")
ENDPOINT_SEGMENT = "harness-endpoint"
_HARNESS_ARN = re.compile(r"arn:[^:]+:bedrock-agentcore:[^:]+:[^:]+:harness/[^/]+")


class IEndpoint(Protocol):
    """A named endpoint of a harness."""

    @property
    def endpoint_name(self) -> str:
        """Its name: the qualifier of a call."""


class IHarness(Protocol):
    """A harness, made here or elsewhere."""

    @property
    def node(self) -> Node:
        """Its place in the construct tree."""

    @property
    def stack(self) -> cdk.Stack:
        """The stack it is in, or is imported into."""

    @property
    def harness_arn(self) -> str:
        """Its ARN."""

    @property
    def harness_id(self) -> str:
        """Its id: the name and ten characters."""

    @property
    def harness_name(self) -> str:
        """Its name."""

    @property
    def harness_version(self) -> str:
        """The version the last deployment made."""

    @property
    def runtime_arn(self) -> str:
        """ARN of the AgentCore Runtime behind it."""

    @property
    def runtime_name(self) -> str:
        """Name of the AgentCore Runtime behind it."""

    @property
    def is_jwt_authorized(self) -> bool:
        """Whether callers come with a token of an identity provider, and not with IAM."""

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """The execution role: what is granted to the harness is granted to it."""

    def endpoint_arn(self, endpoint_name: str) -> str:
        """Returns the ARN of one of its endpoints."""

    def grant_invoke(self, grantee: iam.IGrantable, *, endpoint: str | IEndpoint | None = None) -> iam.Grant:
        """Lets a principal invoke it."""

    def grant_run_command(self, grantee: iam.IGrantable, *, endpoint: str | IEndpoint | None = None) -> iam.Grant:
        """Lets a principal run commands in its sessions."""

    def metric(self, metric_name: str, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Returns a metric of its DEFAULT endpoint."""

    def metric_invocations(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Returns how often it was invoked."""

    def metric_throttles(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Returns how many requests were throttled."""

    def metric_system_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Returns how many requests the service failed."""

    def metric_user_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Returns how many requests were at fault themselves."""

    def metric_total_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Returns system and user errors together."""

    def metric_latency(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Returns the time from the request to the last token."""

    def metric_session_count(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Returns how many sessions there were."""

    def metric_cpu_used(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Returns the processor time used."""

    def metric_memory_used(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Returns the memory used."""


@jsii.implements(iam.IGrantable)
class HarnessBase(HarnessMetrics, cdk.Resource):
    """Grants and metrics of a harness; see `Harness`."""

    @property
    @abstractmethod
    def harness_arn(self) -> str:
        """ARN of the harness."""

    @property
    @abstractmethod
    def harness_id(self) -> str:
        """Id of the harness: its name, a hyphen and ten characters."""

    @property
    @abstractmethod
    def harness_name(self) -> str:
        """Name of the harness."""

    @property
    @abstractmethod
    def harness_version(self) -> str:
        """The version the last deployment made."""

    @property
    @abstractmethod
    def runtime_arn(self) -> str:
        """ARN of the AgentCore Runtime behind the harness, which metrics and log delivery refer to."""

    @property
    @abstractmethod
    def grant_principal(self) -> iam.IPrincipal:
        """The execution role: what is granted to the harness is granted to it."""

    @property
    @abstractmethod
    def is_jwt_authorized(self) -> bool:
        """Whether callers come with a token of an identity provider, and not with IAM."""

    @property
    def runtime_name(self) -> str:
        """Name of the AgentCore Runtime behind the harness."""
        return f"harness_{self.harness_name}"

    @staticmethod
    def from_harness_arn(scope: Construct, construct_id: str, harness_arn: str) -> IHarness:
        """Refers to a harness made elsewhere by its ARN.

        Args:
            scope: Where the reference belongs.
            construct_id: Its id there.
            harness_arn: `arn:aws:bedrock-agentcore:<region>:<account>:harness/<id>`; may be a token.
        """
        return HarnessBase.from_harness_attributes(scope, construct_id, harness_arn=harness_arn)

    @staticmethod
    def from_harness_attributes(
        scope: Construct,
        construct_id: str,
        *,
        harness_arn: str,
        execution_role: iam.IRole | None = None,
        harness_version: str | None = None,
        runtime_arn: str | None = None,
        is_jwt_authorized: bool = False,
    ) -> IHarness:
        """Refers to a harness made elsewhere.

        Args:
            scope: Where the reference belongs.
            construct_id: Its id there.
            harness_arn: Its ARN; may be a token.
            execution_role: Its role; needed to grant something to the harness.
            harness_version: Its newest version; needed for an endpoint at `Version.latest()`.
            runtime_arn: ARN of the runtime behind it (`environment.agentCoreRuntimeEnvironment.agentRuntimeArn` of
                GetHarness); needed for metrics.
            is_jwt_authorized: Whether callers come with a token of an identity provider: then grants are refused.
        """
        return ImportedHarness(
            scope,
            construct_id,
            harness_arn=harness_arn,
            execution_role=execution_role,
            harness_version=harness_version,
            runtime_arn=runtime_arn,
            is_jwt_authorized=is_jwt_authorized,
        )

    def endpoint_arn(self, endpoint_name: str) -> str:
        """Returns the ARN of an endpoint of this harness."""
        return f"{self.harness_arn}/{ENDPOINT_SEGMENT}/{endpoint_name}"

    def grant_invoke(self, grantee: iam.IGrantable, *, endpoint: str | IEndpoint | None = None) -> iam.Grant:
        """Lets a principal invoke the harness.

        Whoever may invoke may also override model, prompt, tools and skills per call: no IAM condition restricts that.

        Args:
            grantee: Who may.
            endpoint: An endpoint or its name, to grant that one alone; every endpoint of this harness otherwise.

        Raises:
            HarnessConfigError: The harness takes tokens of an identity provider instead.
        """
        return self._grant(grantee, INVOKE_ACTIONS, endpoint)

    def grant_run_command(self, grantee: iam.IGrantable, *, endpoint: str | IEndpoint | None = None) -> iam.Grant:
        """Lets a principal run commands in the harness's sessions: as root, past the agent and its allowed tools.

        Args:
            grantee: Who may.
            endpoint: An endpoint or its name, to grant that one alone; every endpoint of this harness otherwise.

        Raises:
            HarnessConfigError: The harness takes tokens of an identity provider instead.
        """
        return self._grant(grantee, RUN_COMMAND_ACTIONS, endpoint)

    def _grant(self, grantee: iam.IGrantable, actions: Sequence[str], endpoint: str | IEndpoint | None) -> iam.Grant:
        if self.is_jwt_authorized:
            fault = Fault(
                "authorizerConfiguration",
                "must be left out for grants to mean anything",
                "customJWTAuthorizer, with which a harness refuses IAM",
                "give callers a token of the identity provider, or remove the authorizer",
            )
            raise HarnessConfigError([fault], f"The grant on {self.node.path}")
        name = endpoint if isinstance(endpoint, str) else endpoint and endpoint.endpoint_name
        # Named endpoints and DEFAULT alike: a call is authorized on the harness and on the endpoint it goes to.
        arns = [self.harness_arn, self.endpoint_arn(name or "*")]
        return iam.Grant.add_to_principal(grantee=grantee, actions=list(actions), resource_arns=arns)

    def _metric_source(self) -> tuple[str, str, str]:
        return self.runtime_name, self.runtime_arn, DEFAULT_ENDPOINT


class ImportedHarness(HarnessBase):
    """A harness made elsewhere; comes from `Harness.from_harness_arn` and `Harness.from_harness_attributes`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        harness_arn: str,
        execution_role: iam.IRole | None,
        harness_version: str | None,
        runtime_arn: str | None,
        is_jwt_authorized: bool,
    ) -> None:
        if not isinstance(harness_arn, str) or not (is_token(harness_arn) or _HARNESS_ARN.fullmatch(harness_arn)):
            must = "must be the ARN of a harness (arn:aws:bedrock-agentcore:<region>:<account>:harness/<id>)"
            fault = Fault("harness_arn", must, received(harness_arn), "pass its ARN: GetHarness and the stack tell it")
            raise HarnessConfigError([fault], f"The harness {path_of(scope, construct_id)}")
        super().__init__(scope, construct_id, environment_from_arn=harness_arn)
        self._arn = harness_arn
        self._role = execution_role
        self._version = harness_version
        self._runtime_arn = runtime_arn
        self._is_jwt_authorized = is_jwt_authorized
        self._unknown: iam.IPrincipal | None = None

    @property
    def harness_arn(self) -> str:
        """ARN of the harness."""
        return self._arn

    @property
    def harness_id(self) -> str:
        """Id of the harness, from its ARN."""
        marker = ":harness/"
        if marker in self._arn:
            return self._arn.partition(marker)[2]
        return cdk.Fn.select(1, cdk.Fn.split(marker, self._arn))

    @property
    def harness_name(self) -> str:
        """Name of the harness, from its id; names have no hyphen."""
        harness_id = self.harness_id
        if cdk.Token.is_unresolved(harness_id):
            return cdk.Fn.select(0, cdk.Fn.split("-", harness_id))
        return harness_id.partition("-")[0]

    @property
    def harness_version(self) -> str:
        """The version given at import."""
        return self._known(self._version, "harness_version")

    @property
    def runtime_arn(self) -> str:
        """The runtime's ARN given at import."""
        return self._known(self._runtime_arn, "runtime_arn")

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """The role given at import; grants to a harness without one are refused by the CDK."""
        if self._role is not None:
            return self._role.grant_principal
        if self._unknown is None:
            # aws-cdk-lib's stubs leave out the optional member principal_account.
            self._unknown = cast("iam.IPrincipal", iam.UnknownPrincipal(resource=self))
        return self._unknown

    @property
    def is_jwt_authorized(self) -> bool:
        """As given at import."""
        return self._is_jwt_authorized

    def _known(self, value: str | None, name: str) -> str:
        if value is None:
            fault = Fault(
                name,
                "must be known here",
                "an imported harness without it",
                f"import the harness with Harness.from_harness_attributes(…, {name}=…)",
            )
            raise HarnessConfigError([fault], f"The imported harness {self.node.path}")
        return value
