"""The role a harness runs as, and the policies that hold its permissions."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from agentcore_constructs.config import Fault, HarnessConfig, HarnessConfigError

from . import messages
from .arns import is_unknown
from .defaults import completed
from .needs import Reader
from .policy import ATTACHED_POLICIES, Needs, Place, Statement, packed, statements
from .updating import SERVICE_PRINCIPAL
from .wildcards import answer, findings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from constructs import Construct

_NO_NAME = Fault(
    "harnessName",
    "must be given",
    "nothing",
    "pass harness_name: logs, tokens and secrets of the harness are scoped by it",
)

# Each part of a place, and the principal of the trust, is a call into Node for every harness, and all harnesses of a
# stack have the same: they are remembered.
_PLACES: WeakKeyDictionary[cdk.Stack, Place] = WeakKeyDictionary()
_SCOPES: WeakKeyDictionary[Construct, Place] = WeakKeyDictionary()
_TRUSTED: dict[Place, iam.ServicePrincipal] = {}


def place_of(scope: Construct) -> Place:
    """Returns where a construct is deployed."""
    place = _SCOPES.get(scope)
    if place is None:
        stack = cdk.Stack.of(scope)
        place = _PLACES.get(stack) or Place(partition=stack.partition, region=stack.region, account=stack.account)
        _PLACES[stack] = _SCOPES[scope] = place
    return place


def _trusted(place: Place) -> iam.ServicePrincipal:
    """Returns who may assume an execution role: the AgentCore service, for this account and Region."""
    principal = _TRUSTED.get(place)
    if principal is None:
        source = place.fill("arn:{partition}:bedrock-agentcore:{region}:{account}:*", {})
        conditions = {
            "StringEquals": {"aws:SourceAccount": place.account},
            "ArnLike": {"aws:SourceArn": source},
        }
        principal = _TRUSTED[place] = iam.ServicePrincipal(SERVICE_PRINCIPAL, conditions=conditions)
    return principal


def split_token(text: str, separator: str, index: int) -> str:
    """Splits a text that is known at deployment alone."""
    return cdk.Fn.select(index, cdk.Fn.split(separator, text))


class Attached:
    """A role that policies are attached to; what is asked of it is asked once."""

    def __init__(self, role: iam.IRole) -> None:
        self.role = role

    @cached_property
    def arn(self) -> str:
        """Its ARN."""
        return self.role.role_arn

    @cached_property
    def name(self) -> str:
        """Its name."""
        return self.role.role_name

    @property
    def is_prepared_elsewhere(self) -> bool:
        """Whether the app lets somebody else create its roles (`iam.Role.customize_roles`), so that it makes none.

        The ARN of a role that is made is an attribute, a token as a whole; that of a prepared one is built from a name.
        """
        return not is_unknown(self.arn)


class ExecutionPolicies:
    """The managed policies that hold what a harness needs of its role.

    Managed, since a role's inline policies share one limit of 10,240 characters, and grants such as
    `table.grant_read_data(harness)` fill it too: aws-cdk-lib spreads over managed policies what exceeds it, but of its
    own default policy alone, and without counting other inline policies. Each managed policy has 6,144 characters to
    itself.
    """

    def __init__(self, scope: Construct, construct_id: str, attached: Attached) -> None:
        self._scope = scope
        self._id = construct_id
        self._attached = attached
        self._policies: list[iam.CfnManagedPolicy] = []
        self._documents: list[list[Statement]] = []
        self._answers_nag = False

    def write(self, of: Sequence[Statement]) -> list[iam.CfnManagedPolicy]:
        """Writes statements into the policies, in place of what they held.

        Returns:
            The policies made for it, beyond those there were.
        """
        earlier, self._documents = self._documents, packed(of)
        if self._attached.is_prepared_elsewhere:
            self._report(earlier)
            return []
        made = []
        for index, part in enumerate(self._documents):
            # The L1 takes the document as it is: one call into the CDK, whatever the number of statements.
            document = {"Version": "2012-10-17", "Statement": part}
            if index < len(self._policies):
                self._policies[index].policy_document = document
            else:
                policy_id = f"{self._id}{index + 1}" if index else self._id
                roles = [self._attached.name]
                made.append(iam.CfnManagedPolicy(self._scope, policy_id, policy_document=document, roles=roles))
        self._policies += made
        if self._answers_nag:
            self._answer()
        if len(self._documents) > ATTACHED_POLICIES:
            messages.too_many_policies(self._scope, len(self._documents))
        return made

    def _report(self, earlier: list[list[Statement]]) -> None:
        """Has the CDK list the statements for whoever prepares the role."""
        known = [statement for document in earlier for statement in document]
        for statement in (one for document in self._documents for one in document if one not in known):
            self._attached.role.add_to_principal_policy(iam.PolicyStatement.from_json(statement))

    def acknowledge_wildcards(self) -> None:
        """Gives cdk-nag the reason for every wildcard in these policies, now and after later changes."""
        if not self._answers_nag:
            self._answers_nag = True
            answer(self._scope, self._answer)

    def _answer(self) -> None:
        stack = cdk.Stack.of(self._scope)
        for policy, part in zip(self._policies, self._documents, strict=False):
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
        super().__init__(
            scope,
            construct_id,
            assumed_by=_trusted(place),
            description=description,
            path=path,
            permissions_boundary=permissions_boundary,
        )
        self._place = place
        self.needs: Needs = {}
        self._execution_policies = ExecutionPolicies(self, "Policy", Attached(self))
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
