"""Ways to an identity provider that only a VPC reaches.

Limits are those of botocore's `PrivateEndpoint`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, get_args

from .cdk import HasSecurityGroupId, HasSubnetId, HasVpcId, attribute, attributes
from .environment import SubnetId
from .node import Node, OneOf
from .primitives import Choice, Items, Text
from .tags import TagMap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

IpAddressType = Literal["IPV4", "IPV6"]


class SelfManagedLatticeResource(OneOf):
    """A resource configuration of VPC Lattice that you manage.

    Attributes:
        resource_configuration_identifier: Its id or ARN, 20–2048 characters.
    """

    resource_configuration_identifier: (
        Annotated[
            str,
            Text(
                "the id (rcfg-…) or ARN of a VPC Lattice resource configuration",
                "write its id or ARN",
                min=20,
                max=2048,
                pattern=(
                    r"((rcfg-[0-9a-z]{17})|"
                    r"(arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:resourceconfiguration/rcfg-[0-9a-z]{17}))"
                ),
            ),
        ]
        | None
    ) = None


class ManagedVpcResource(Node):
    """A VPC Lattice resource the service manages.

    Attributes:
        vpc_identifier: The VPC.
        subnet_ids: Where in it.
        endpoint_ip_address_type: IPV4 or IPV6.
        security_group_ids: At most 5; the VPC's default one unless given.
        tags: At most 50, on the resource.
        routing_domain: A domain between, 3–255 characters.
    """

    vpc_identifier: Annotated[
        str, Text("the id of a VPC (vpc-…)", "pass the VPC or its id", pattern=r"vpc-(([0-9a-z]{8})|([0-9a-z]{17}))")
    ]
    subnet_ids: Annotated[tuple[SubnetId, ...], Items("subnets")]
    endpoint_ip_address_type: Annotated[IpAddressType, Choice(get_args(IpAddressType))]
    security_group_ids: (
        Annotated[
            tuple[
                Annotated[
                    str,
                    Text(
                        "the id of a security group (sg-…)",
                        "pass the security group or its id",
                        pattern=r"sg-(([0-9a-z]{8})|([0-9a-z]{17}))",
                    ),
                ],
                ...,
            ],
            Items("security groups", min=0, max=5),
        ]
        | None
    ) = None
    tags: TagMap | None = None
    routing_domain: Annotated[str, Text("a domain", "write a domain name", min=3, max=255)] | None = None


class PrivateEndpoint(OneOf):
    """A way to an identity provider that only a VPC reaches."""

    expects: ClassVar[str] = "a private endpoint, made by PrivateEndpoint.lattice or PrivateEndpoint.managed_vpc"

    self_managed_lattice_resource: SelfManagedLatticeResource | None = None
    managed_vpc_resource: ManagedVpcResource | None = None

    @staticmethod
    def lattice(resource_configuration: str) -> PrivateEndpoint:
        """A resource configuration of VPC Lattice that you manage.

        Args:
            resource_configuration: Its id or ARN.
        """
        return PrivateEndpoint.draft(
            self_managed_lattice_resource=SelfManagedLatticeResource.draft(
                resource_configuration_identifier=attribute(resource_configuration, "attr_arn")
            )
        )

    @staticmethod
    def managed_vpc(
        vpc: str | HasVpcId,
        *,
        subnets: Sequence[str | HasSubnetId],
        security_groups: Sequence[str | HasSecurityGroupId] | None = None,
        ip_address_type: IpAddressType = "IPV4",
        routing_domain: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> PrivateEndpoint:
        """A VPC Lattice resource the service manages.

        Args:
            vpc: The VPC or its id.
            subnets: Where in it.
            security_groups: At most 5; the VPC's default one unless given.
            ip_address_type: IPV4 or IPV6.
            routing_domain: A domain between, 3–255 characters.
            tags: At most 50, on the resource.
        """
        return PrivateEndpoint.draft(
            managed_vpc_resource=ManagedVpcResource.draft(
                vpc_identifier=attribute(vpc, "vpc_id"),
                subnet_ids=attributes(attribute(subnets, "subnet_ids"), "subnet_id"),
                endpoint_ip_address_type=ip_address_type,
                security_group_ids=None
                if security_groups is None
                else attributes(security_groups, "security_group_id"),
                tags=tags,
                routing_domain=routing_domain,
            )
        )


class PrivateEndpointOverride(Node):
    """A private endpoint for one domain.

    Attributes:
        domain: 1–253 characters.
        private_endpoint: The way to it.
    """

    domain: Annotated[str, Text("a domain", "write a domain name", min=1, max=253)]
    private_endpoint: PrivateEndpoint
