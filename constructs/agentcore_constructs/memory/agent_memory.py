"""A memory of its own: for data that must outlive the agent, or that several agents share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast, get_args

import aws_cdk as cdk
import jsii
from aws_cdk import aws_bedrockagentcore as agentcore

from agentcore_constructs.config import Deferred, Fault, HarnessConfigError, Host, Memory
from agentcore_constructs.config.cdk import days, found, key_arn, offers
from agentcore_constructs.config.errors import Refused, received
from agentcore_constructs.config.memory import HarnessMemoryConfiguration, MemoryStrategy
from agentcore_constructs.config.tokens import is_token
from agentcore_constructs.harness import messages
from agentcore_constructs.harness.imported import key_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from constructs import Construct

STRATEGIES: tuple[MemoryStrategy, ...] = get_args(MemoryStrategy)
DEFAULT_STRATEGIES: tuple[MemoryStrategy, ...] = ("SEMANTIC", "SUMMARIZATION")
DEFAULT_EXPIRY_DAYS = 30
# Each actor's records apart; a summary and an episode are of one session.
NAMESPACES: Mapping[MemoryStrategy, str] = {
    "SEMANTIC": "/facts/{actorId}/",
    "SUMMARIZATION": "/summary/{actorId}/{sessionId}/",
    "USER_PREFERENCE": "/preferences/{actorId}/",
    "EPISODIC": "/episodes/{actorId}/{sessionId}/",
}
_MAKE = {
    "SEMANTIC": agentcore.MemoryStrategy.using_semantic,
    "SUMMARIZATION": agentcore.MemoryStrategy.using_summarization,
    "USER_PREFERENCE": agentcore.MemoryStrategy.using_user_preference,
    "EPISODIC": agentcore.MemoryStrategy.using_episodic,
}
# https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/bedrock-agentcore-limits.html
_MAX_STRATEGIES = 6
_SHORTEST, _LONGEST = 3, 365
# aws-cdk-lib's L2 still has the limit the service had first.
_SHORTEST_OF_L2 = 7
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,47}")
# botocore's `Namespace` of a strategy: variables in braces between what a namespace may hold.
_NAMESPACE = re.compile(r"[a-zA-Z0-9\-_/]*(\{[a-zA-Z][a-zA-Z0-9]*\}[a-zA-Z0-9\-_/]*)*")
_MAX_NAMESPACE = 512
# botocore's `Description` of a memory.
_MAX_DESCRIPTION = 4096
_ACTOR = "{actorId}"


class AgentMemory(agentcore.Memory, Deferred, metaclass=jsii.JSIIAbstractClass):
    """A memory that stays when the stack goes: aws-cdk-lib's `Memory` with defaults for agents.

    It is an `IMemory`, with all its grants and metrics. Give it to as many harnesses as shall share it:
    `Harness(memory=memory)` for the service's own retrieval, `Memory.existing(memory, retrieval=…)` for another one.

    What replaces it: another name, and another `encryption_key`. The new one starts empty, the old one is kept, and the
    name must be another one too.

    Attributes:
        namespaces: Strategy to the template of its namespace, for `Memory.existing(memory, retrieval={…})`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        strategies: Sequence[MemoryStrategy | agentcore.IMemoryStrategy] = DEFAULT_STRATEGIES,
        namespaces: Mapping[MemoryStrategy, str] | None = None,
        expiry: cdk.Duration | int = DEFAULT_EXPIRY_DAYS,
        encryption_key: kms.IKey | str | None = None,
        memory_name: str | None = None,
        description: str | None = None,
        execution_role: iam.IRole | None = None,
        stream_delivery_resources: Sequence[agentcore.StreamDeliveryResource] | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Makes the memory.

        Args:
            scope: Where it belongs.
            construct_id: Its id there.
            strategies: At most 6: of the four built-in ones by name, or made by aws-cdk-lib's `MemoryStrategy`. None
                at all keeps events only.
            namespaces: Built-in strategy to the template its records are filed under; by default one that has
                `{actorId}` in it, so that what is known of one actor is not told to another.
            expiry: How long events are kept: a `Duration` or days, 3–365. Long-term records do not expire with them.
            encryption_key: Customer key, or its ARN. It can be set only when the memory is made: another key
                **replaces the memory**, which needs another `memory_name` as well. Harnesses that are given this object
                may use the key.
            memory_name: A letter, then letters, digits and '_'; at most 48 characters. Derived from the construct's
                path unless given.
            description: 1–4096 characters.
            execution_role: For strategies with models of your own and for stream delivery; aws-cdk-lib makes one
                unless given.
            stream_delivery_resources: At most one Kinesis stream that gets the life of records.
            removal_policy: What becomes of it when it is removed from the stack. It is kept by default, with its role;
                only a creation that is rolled back leaves nothing, since a memory that was never used would block its
                name.
            tags: At most 50.

        Raises:
            HarnessConfigError: The service would refuse it; with every fault there is.
        """
        wanted: dict[str, str] = {str(name): namespace for name, namespace in (namespaces or {}).items()}
        length = days(expiry)
        key = key_arn(encryption_key, to_use=True)
        faults = [
            *_strategy_faults(strategies),
            *_namespace_faults(strategies, wanted),
            *_other(length, memory_name, description),
        ]
        # An alias has the ARN of an alias, which the service takes for no key.
        kms_key: Any = found(encryption_key, "alias_target_key") or encryption_key
        if isinstance(key, Refused):
            faults.append(Fault("encryption_key", key.must, key.received, key.fix))
        else:
            kms_key = key_of(scope, kms_key, "encryption_key", faults, f"{construct_id}Key")
        if faults:
            raise HarnessConfigError(faults, f"The memory {'/'.join(filter(None, (scope.node.path, construct_id)))}")
        names = cast("list[MemoryStrategy]", [strategy for strategy in strategies if isinstance(strategy, str)])
        self._namespaces = {name: wanted.get(name) or NAMESPACES[name] for name in names}
        is_short = not is_token(length) and length < _SHORTEST_OF_L2
        super().__init__(
            scope,
            construct_id,
            description=description,
            execution_role=execution_role,
            expiration_duration=cdk.Duration.days(_SHORTEST_OF_L2 if is_short else length),
            kms_key=kms_key,
            memory_name=memory_name,
            memory_strategies=[self._strategy(strategy) for strategy in strategies],
            stream_delivery_resources=stream_delivery_resources,
            tags=tags,
        )
        resource = cast("agentcore.CfnMemory", self.node.find_child("Memory"))
        if is_short:
            resource.event_expiry_duration = length
        # aws-cdk-lib leaves it out, and then removal policies cannot be applied (aws-cdk issues 38262, 38329).
        self.node.default_child = resource
        self.apply_removal_policy(removal_policy)
        if encryption_key is not None:
            self._answer_nag()
        for name, namespace in self._namespaces.items():
            if _ACTOR not in namespace and not is_token(namespace):
                messages.shared_namespace(self, name, namespace)

    @property
    def namespaces(self) -> Mapping[MemoryStrategy, str]:
        """Built-in strategy to the template of its namespace."""
        return dict(self._namespaces)

    def apply_removal_policy(self, policy: cdk.RemovalPolicy) -> None:
        """Says what becomes of the memory, and of the role made for it, when it is removed from the stack.

        The role goes the memory's way: a memory whose role is gone can neither extract with models of yours nor deliver
        to a stream.
        """
        resource = self.node.default_child
        role = self.node.try_find_child("ServiceRole")
        for construct in [resource, *(role.node.find_all() if role is not None else ())]:
            if isinstance(construct, cdk.CfnResource):
                construct.apply_removal_policy(policy)

    def bind(self, host: Host) -> HarnessMemoryConfiguration:  # noqa: ARG002  (it needs nothing of the harness)
        """Is the memory of a harness: `Harness(memory=memory)`."""
        return Memory.existing(self)

    def _answer_nag(self) -> None:
        """Gives cdk-nag the reason for what aws-cdk-lib grants on the key."""
        reason = (
            "aws-cdk-lib's Memory grants the two KMS actions that re-encrypt, from and to this key, by one wildcard."
        )
        acknowledged = cdk.Acknowledgment(id="AwsSolutions::AwsSolutions-IAM5[Action::kms:ReEncrypt*]", reason=reason)
        cdk.Validations.of(self).acknowledge(acknowledged)

    def _strategy(self, strategy: MemoryStrategy | agentcore.IMemoryStrategy) -> agentcore.IMemoryStrategy:
        if not isinstance(strategy, str):
            return strategy
        more: dict[str, Any] = {}
        if strategy == "EPISODIC":
            # What is learned across episodes is of the actor, not of a session. Reflections must be filed under the
            # same path as the episodes or a shorter one.
            reflections = self._namespaces[strategy].partition("{sessionId}")[0]
            more["reflection_configuration"] = agentcore.EpisodicReflectionConfiguration(namespaces=[reflections])
        name = f"{strategy.lower()}_builtin"
        return _MAKE[strategy](strategy_name=name, namespaces=[self._namespaces[strategy]], **more)


def _strategy_faults(strategies: Any) -> list[Fault]:
    if not isinstance(strategies, (list, tuple)):
        return [Fault("strategies", "must be a list of strategies", received(strategies), "put them into a list")]
    names = [strategy for strategy in strategies if isinstance(strategy, str)]
    known = ", ".join(STRATEGIES)
    fix = f"name {known}, or pass a strategy made by aws-cdk-lib's MemoryStrategy"
    faults = [
        Fault(f"strategies[{index}]", f"must be one of {known}", received(name), fix)
        for index, name in enumerate(strategies)
        if name not in STRATEGIES and not offers(name, "strategy_type")
    ]
    faults += [
        Fault("strategies", "must name each strategy once", f"{name} twice", "remove one")
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    if len(strategies) > _MAX_STRATEGIES:
        must = f"must be at most {_MAX_STRATEGIES} strategies"
        faults.append(Fault("strategies", must, str(len(strategies)), "spread them over several memories"))
    return faults


def _namespace_faults(strategies: Any, namespaces: Mapping[str, Any]) -> list[Fault]:
    if not isinstance(strategies, (list, tuple)):
        return []
    faults = []
    for name, namespace in namespaces.items():
        path = f"namespaces.{name}"
        if name not in strategies:
            fix = f"add {name} to strategies, or remove the namespace"
            faults.append(Fault(path, "must belong to one of the strategies", received(namespace), fix))
        elif not is_token(namespace) and not _is_namespace(namespace):
            must = f"must be a path of 1–{_MAX_NAMESPACE} letters, digits, '-', '_', '/' and variables in braces"
            fix = f"write a template such as '{NAMESPACES.get(cast('MemoryStrategy', name), '/facts/{actorId}/')}'"
            faults.append(Fault(path, must, received(namespace), fix))
    return faults


def _is_namespace(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_NAMESPACE and _NAMESPACE.fullmatch(value) is not None


def _other(expiry: Any, name: Any, description: Any) -> list[Fault]:
    faults = []
    if description is not None and not is_token(description) and not 0 < len(str(description)) <= _MAX_DESCRIPTION:
        must = f"must be 1–{_MAX_DESCRIPTION} characters"
        faults.append(Fault("description", must, received(description), "shorten it, or leave it out"))
    if isinstance(expiry, Refused):
        faults.append(Fault("expiry", expiry.must, expiry.received, expiry.fix))
    elif not is_token(expiry) and not (
        isinstance(expiry, (int, float)) and expiry == int(expiry) and _SHORTEST <= expiry <= _LONGEST
    ):
        must = f"must be {_SHORTEST}–{_LONGEST} days"
        faults.append(Fault("expiry", must, received(expiry), "give a Duration of days, or their number"))
    if name is not None and not is_token(name) and not (isinstance(name, str) and _NAME.fullmatch(name)):
        must = "must be a letter, then letters, digits and '_', at most 48 characters"
        faults.append(Fault("memory_name", must, received(name), "write another name, or leave it out"))
    return faults
