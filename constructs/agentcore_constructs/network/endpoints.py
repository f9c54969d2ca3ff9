"""VPC endpoints for harnesses without a NAT: those their features need, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from agentcore_constructs.config import Fault, FilesystemConfiguration, HarnessConfigError
from agentcore_constructs.config.cdk import offers
from agentcore_constructs.config.errors import received
from agentcore_constructs.config.node import members
from agentcore_constructs.harness.given import path_of
from agentcore_constructs.harness.messages import AtSynthesis
from agentcore_constructs.harness.needs import runtime_environment

from .opening import open_to
from .routes import present_services
from .table import NAMES, S3, Service, services, uses_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentcore_constructs.harness import Harness

HTTPS = 443
# Where the layers of every image in ECR lie, AWS's own among them
# (https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html#ecr-minimum-s3-perms).
_LAYERS = "arn:{partition}:s3:::prod-{region}-starport-layer-bucket/*"
# Where the service keeps session storage; the names hold an account of AWS's.
_SESSION_STORAGE = "arn:{partition}:s3:::acr-storage-*-{region}-an"


@jsii.implements(ec2.IConnectable)
class AgentCoreVpcEndpoints(Construct):
    """The VPC endpoints that let harnesses work in subnets without a way to the internet.

    Which these are follows from what the harnesses use, also from what is added to them later in the app: the table is
    in docs/network.md. Private DNS is on, so the endpoints serve everything in the VPC. Their policies let identities
    of this account through, and callers that sign nothing, but no identity of another account.

    What endpoints do not lead to is warned of: models and MCP servers of others, and Git.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        for_harness: Harness | Sequence[Harness],
        subnets: ec2.SubnetSelection | None = None,
        security_group: ec2.ISecurityGroup | None = None,
        existing: Sequence[str] = (),
    ) -> None:
        """Makes the endpoints.

        Args:
            scope: Where they belong; the stack of the VPC is a good place.
            construct_id: Its id there.
            vpc: The VPC.
            for_harness: The harness, or several: in this VPC, by `Environment.vpc(vpc)`.
            subnets: For interface endpoints, one in each zone is taken; those of the harnesses unless given.
            security_group: Of the interface endpoints; one that lets the harnesses in is made unless given, and a given
                one lets them in as well.
            existing: Names of services the VPC has endpoints for that this app does not know, such as
                `["s3", "ecr.api"]`. Those made in this app are found, and not made again.

        Raises:
            HarnessConfigError: A harness is in another VPC or in none, a name is unknown, or the VPC has endpoints of
                this kind already.
        """
        _refuse_strange(path_of(scope, construct_id), vpc, existing)
        super().__init__(scope, construct_id)
        given: Any = for_harness
        harnesses: list[Any] = list(given) if isinstance(given, (list, tuple)) else [given]
        self._vpc = vpc
        self._selection = subnets
        self._endpoints: dict[str, ec2.InterfaceVpcEndpoint | ec2.GatewayVpcEndpoint] = {}
        self._harnesses: list[Any] = []
        self._is_storage_open = False
        self._check(harnesses, existing)
        self._present = {*existing, *present_services(vpc)}
        self._group = security_group or ec2.SecurityGroup(
            self, "SecurityGroup", vpc=vpc, description="VPC endpoints of agent sessions", allow_all_outbound=False
        )
        self._connections = ec2.Connections(security_groups=[self._group], default_port=ec2.Port.tcp(HTTPS))
        for harness in harnesses:
            self._admit(harness)
        self._complete()

    @property
    def connections(self) -> ec2.Connections:
        """The security group of the interface endpoints; the default port is 443."""
        return self._connections

    @property
    def vpc(self) -> ec2.IVpc:
        """The VPC."""
        return self._vpc

    @property
    def endpoints(self) -> dict[str, ec2.InterfaceVpcEndpoint | ec2.GatewayVpcEndpoint]:
        """The endpoints made so far, by the name of their service: `endpoints["bedrock-runtime"].add_to_policy(…)`."""
        return dict(self._endpoints)

    @property
    def services(self) -> list[str]:
        """The names of the services that endpoints were made for so far, in the order of the table."""
        return [name for name in NAMES if name in self._endpoints]

    def add_harness(self, harness: Harness) -> None:
        """Adds the endpoints that a further harness needs, and lets it in.

        Raises:
            HarnessConfigError: It is in another VPC or in none.
        """
        self._check_harnesses([harness])
        self._admit(harness)
        self._complete()

    # ---- within ------------------------------------------------------------------------------------------------------

    def _check(self, harnesses: Sequence[Any], existing: Sequence[str]) -> None:
        faults = [
            Fault(
                f"existing[{index}]",
                "must be the name of a service that harnesses use",
                received(name),
                f"choose from {', '.join(NAMES)}",
            )
            for index, name in enumerate(existing)
            if name not in NAMES
        ]
        if not harnesses:
            faults.append(Fault("for_harness", "must name at least one harness", "none", "pass for_harness=[harness]"))
        others = [
            one
            for one in self.node.root.node.find_all()
            if isinstance(one, AgentCoreVpcEndpoints) and one is not self and one.vpc.vpc_id == self._vpc.vpc_id
        ]
        if others:
            must = "must be a VPC without endpoints for harnesses: private DNS names belong to one endpoint each"
            fix = "call add_harness(…) of those"
            faults.append(Fault("vpc", must, f"one with {others[0].node.path}", fix))
        self._check_harnesses(harnesses, faults)

    def _check_harnesses(self, harnesses: Sequence[Any], faults: list[Fault] | None = None) -> None:
        faults = [] if faults is None else faults
        for index, harness in enumerate(harnesses):
            network = getattr(harness, "network", None)
            vpc = None if network is None else network.vpc
            # By id: each stack may have looked the VPC up for itself.
            if vpc is None or vpc.vpc_id != self._vpc.vpc_id:
                must = f"must be a harness in the VPC {self._vpc.node.path}"
                given = "one in no VPC that is known" if vpc is None else f"one in {vpc.node.path}"
                given = given if isinstance(harness, Construct) else received(harness)
                fix = "make it with environment=Environment.vpc(vpc)"
                faults.append(Fault(f"for_harness[{index}]", must, given, fix))
        if faults:
            raise HarnessConfigError(faults, f"The VPC endpoints {self.node.path}")

    def _admit(self, harness: Any) -> None:
        self._harnesses.append(harness)
        open_to(harness.network, self._connections, ec2.Port.tcp(HTTPS), "Agent sessions")
        # Tools and skills may still be added to it.
        cdk.Aspects.of(harness.node.default_child).add(AtSynthesis(self._complete))

    def _complete(self) -> None:
        """Makes the endpoints that are missing."""
        uses = {use for harness in self._harnesses for use in uses_of(harness.config, harness.needs)}
        for service in services(uses):
            if service.name in self._present or service.name in self._endpoints:
                continue
            self._endpoints[service.name] = self._gateway(service) if service.gateway else self._interface(service)
        self._open_session_storage()

    def _interface(self, service: Service) -> ec2.InterfaceVpcEndpoint:
        endpoint = ec2.InterfaceVpcEndpoint(
            self,
            _construct_id(service),
            vpc=self._vpc,
            service=ec2.InterfaceVpcEndpointAwsService(service.name),
            subnets=self._selection or ec2.SubnetSelection(subnets=_one_in_each_zone(self._subnets())),
            security_groups=[self._group],
            private_dns_enabled=True,
            open=False,
        )
        endpoint.add_to_policy(_own_account(self))
        return endpoint

    def _gateway(self, service: Service) -> ec2.GatewayVpcEndpoint:
        try:
            endpoint = ec2.GatewayVpcEndpoint(
                self,
                _construct_id(service),
                vpc=self._vpc,
                service=ec2.GatewayVpcEndpointAwsService(service.name),
                subnets=[ec2.SubnetSelection(subnets=self._subnets())],
            )
        except RuntimeError:  # what jsii makes of JavaScript's errors; there is one way to fail
            must = f"must know the route tables of its subnets, for the gateway endpoint of {service.name}"
            fix = f"import it with its route tables, or say existing=['{service.name}'] and make the endpoint elsewhere"
            fault = Fault("vpc", must, "an imported one without them", fix)
            raise HarnessConfigError([fault], f"The VPC endpoints {self.node.path}") from None
        endpoint.add_to_policy(_own_account(self))
        endpoint.add_to_policy(_of_aws("ImageLayers", ["s3:GetObject"], [self._arn(_LAYERS)]))
        return endpoint

    def _open_session_storage(self) -> None:
        endpoint = self._endpoints.get(S3)
        if endpoint is None or self._is_storage_open or not any(map(_has_session_storage, self._harnesses)):
            return
        self._is_storage_open = True
        bucket = self._arn(_SESSION_STORAGE)
        # Only the service knows which operations it uses on buckets of its own.
        endpoint.add_to_policy(_of_aws("SessionStorage", ["s3:*"], [bucket, f"{bucket}/*"]))

    def _subnets(self) -> list[ec2.ISubnet]:
        found = {subnet.node.path: subnet for harness in self._harnesses for subnet in harness.network.subnets}
        return list(found.values())

    def _arn(self, template: str) -> str:
        stack = cdk.Stack.of(self)
        return template.format(partition=stack.partition, region=stack.region)


def _refuse_strange(path: str, vpc: Any, existing: Any) -> None:
    faults = []
    if not offers(vpc, "select_subnets"):
        fix = "pass an ec2.Vpc, or one from ec2.Vpc.from_lookup(…)"
        faults.append(Fault("vpc", "must be a VPC (ec2.IVpc)", received(vpc), fix))
    if isinstance(existing, str):
        faults.append(Fault("existing", "must be a list of names", received(existing), "put it into a list"))
    if faults:
        raise HarnessConfigError(faults, f"The VPC endpoints {path}")


def _own_account(scope: Construct) -> iam.PolicyStatement:
    """Lets through identities of this account, and requests without an identity of AWS, such as those with a JWT."""
    return iam.PolicyStatement(
        sid="OwnAccount",
        principals=[iam.AnyPrincipal()],
        actions=["*"],  # of the one service behind the endpoint
        resources=["*"],  # what of it is allowed is in the policies of the identities
        conditions={"StringEqualsIfExists": {"aws:PrincipalAccount": cdk.Stack.of(scope).account}},
    )


def _of_aws(sid: str, actions: list[str], resources: list[str]) -> iam.PolicyStatement:
    """Opens buckets of AWS, which are read with identities of AWS."""
    return iam.PolicyStatement(sid=sid, principals=[iam.AnyPrincipal()], actions=actions, resources=resources)


def _has_session_storage(harness: Any) -> bool:
    runtime = runtime_environment(harness.config)
    mounts = members(None if runtime is None else runtime.filesystem_configurations, FilesystemConfiguration)
    return any(mount.session_storage is not None for _, mount in mounts)


def _one_in_each_zone(subnets: Sequence[ec2.ISubnet]) -> list[ec2.ISubnet]:
    zones: dict[str, ec2.ISubnet] = {}
    for subnet in subnets:
        zones.setdefault(subnet.availability_zone, subnet)
    return list(zones.values())


def _construct_id(service: Service) -> str:
    return "".join(part.capitalize() for part in service.name.replace(".", "-").split("-"))
