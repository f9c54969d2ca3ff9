"""The role a harness runs as, and the policies that hold its permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from agentcore_constructs.config import Fault, HarnessConfig, HarnessConfigError

from . import messages
from .defaults import completed
from .needs import Reader
from .policy import ATTACHED_POLICIES, Needs, Place, Statement, packed, statements
from .wildcards import findings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from constructs import Construct

SERVICE_PRINCIPAL = "bedrock-agentcore.amazonaws.com"

_NO_NAME = Fault(
    "harnessName",
    "must be given",
    "nothing",
    "pass harness_name: logs, tokens and secrets of the harness are scoped by it",
)

_PLACES: WeakKeyDictionary[cdk.Stack, Place] = WeakKeyDictionary()


def place_of(scope: Construct) -> Place:
    """Returns where a construct is deployed."""
    stack = cdk.Stack.of(scope)
    place = _PLACES.get(stack)
    if place is None:
        # Remembered per stack: each of these is a call into Node, for every harness of the stack.
        place = _PLACES[stack] = Place(partition=stack.partition, region=stack.region, account=stack.account)
    return place


def split_token(text: str, separator: str, index: int) -> str:
    """Splits a text that is known at deployment alone."""
    return cdk.Fn.select(index, cdk.Fn.split(separator, text))


class ExecutionPolicies:
    """The managed policies that hold what a harness needs of its role.

    Managed, since a role's inline policies share one limit of 10,240 characters, and grants such as
    `table.grant_read_data(harness)` fill it too: aws-cdk-lib spreads over managed policies what exceeds it, but of its
    own default policy alone, and without counting other inline policies. Each managed policy has 6,144 characters to
    itself.
    """

    def __init__(self, scope: Construct, construct_id: str, role: iam.IRole) -> None:
        self._scope = scope
        self._id = construct_id
        self._role = role
        self.policies: list[iam.ManagedPolicy] = []
        self._documents: list[list[Statement]] = []
        self._answers_nag = False

    def write(self, of: Sequence[Statement]) -> list[iam.ManagedPolicy]:
        """Writes statements into the policies, in place of what they held.

        Returns:
            The policies made for it, beyond those there were.
        """
        documents = self._documents = packed(of)
        made = []
        for index, part in enumerate(documents):
            # One call into the CDK, whatever the number of statements.
            document = iam.PolicyDocument.from_json({"Version": "2012-10-17", "Statement": part})
            if index < len(self.policies):
                resource = self.policies[index].node.default_child
                assert isinstance(resource, iam.CfnManagedPolicy)  # noqa: S101  (what every ManagedPolicy has)
                resource.policy_document = document
            else:
                suffix = str(index + 1) if index else ""
                made.append(
                    iam.ManagedPolicy(
                        self._scope,
                        f"{self._id}{suffix}",
                        document=document,
                        roles=[self._role],
                        # Never changed: another description would replace the policy.
                        description="What an AgentCore harness needs of its execution role",
                    )
                )
        self.policies += made
        if self._answers_nag:
            self.acknowledge_wildcards()
        if len(documents) > ATTACHED_POLICIES:
            messages.too_many_policies(self._scope, len(documents))
        return made

    def acknowledge_wildcards(self) -> None:
        """Gives cdk-nag the reason for every wildcard in these policies, now and after later changes."""
        self._answers_nag = True
        stack = cdk.Stack.of(self._scope)
        for policy, part in zip(self.policies, self._documents, strict=True):
            answers = [cdk.Acknowledgment(id=rule, reason=why) for rule, why in findings(part, stack.resolve)]
            cdk.Validations.of(policy).acknowledge(*answers)


class HarnessExecutionRole(iam.Role):
    """A role with exactly the permissions a harness's configuration calls for.

    A `Harness` makes one by itself. Make it alone where roles are managed apart from harnesses, and pass it as
    `execution_role`, or hand its ARN to whoever creates the harness.

    Its trust policy lets the AgentCore service of this account assume it, and nobody else. The condition on the source
    is as narrow as the service allows: it refuses a role whose `aws:SourceArn` names harnesses alone, because another
    of its ARNs is presented at creation.

    Managed memory is the one thing it does not cover: its ARN does not exist before the harness. The `Harness` adds
    that; for a harness made elsewhere call `grant_managed_memory`.

    Attributes:
        needs: What the role was made for.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: HarnessConfig | Mapping[str, Any] | str | Path | None = None,
        harness_name: str | None = None,
        description: str | None = None,
        path: str | None = None,
        permissions_boundary: iam.IManagedPolicy | None = None,
    ) -> None:
        """Makes the role.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            config: What the harness is configured with: a `HarnessConfig`, a dict in the API's shape, or the path of a
                JSON or YAML file. None when a `Harness` that is given the role says it.
            harness_name: Physical name of the harness, if the configuration has none; logs, tokens and secrets are
                scoped by it.
            description: Of the role, at most 1000 characters.
            path: Of the role, such as `/agents/`.
            permissions_boundary: Limits what the role can do at most.

        Raises:
            HarnessConfigError: The configuration is at fault, or no name is given.
        """
        place = place_of(scope)
        source = place.fill("arn:{partition}:bedrock-agentcore:{region}:{account}:*", {})
        trust = iam.ServicePrincipal(
            SERVICE_PRINCIPAL,
            conditions={
                "StringEquals": {"aws:SourceAccount": place.account},
                "ArnLike": {"aws:SourceArn": source},
            },
        )
        super().__init__(
            scope,
            construct_id,
            assumed_by=trust,
            description=description,
            path=path,
            permissions_boundary=permissions_boundary,
        )
        self._place = place
        self.needs: Needs = {}
        self._execution_policies = ExecutionPolicies(self, "Policy", self)
        if config is not None:
            self._write(config, harness_name)

    def _write(self, config: HarnessConfig | Mapping[str, Any] | str | Path, harness_name: str | None) -> None:
        subject = f"The execution role {self.node.path}"
        parsed = config if isinstance(config, HarnessConfig) else HarnessConfig.parse(config, subject=subject)
        if harness_name is not None:
            parsed = parsed.updated(harness_name=harness_name, subject=subject)
        if parsed.harness_name is None:
            raise HarnessConfigError([_NO_NAME], subject)
        whole = completed(parsed)
        reader = Reader(parsed.harness_name, self._place, split_token)
        self.needs = reader.of(whole)
        self._execution_policies.write(statements(self.needs, self._place))
        if reader.is_unknown_model(whole.model):
            messages.unknown_model(self)

    def grant_managed_memory(self, memory_arn: str) -> None:
        """Lets the role use the managed memory of a harness that was made elsewhere.

        Args:
            memory_arn: `memory.managedMemoryConfiguration.arn` of GetHarness.
        """
        for statement in statements({"managed_memory": [{"memory": memory_arn}]}, self._place):
            self.add_to_policy(iam.PolicyStatement.from_json(statement))

    def acknowledge_wildcards(self) -> None:
        """Gives cdk-nag the reason for every wildcard in the role's policies; see `Harness.acknowledge_wildcards`."""
        self._execution_policies.acknowledge_wildcards()
