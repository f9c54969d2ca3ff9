"""What a harness is allowed: its role, the policies that follow its configuration, and the warnings about both."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_iam as iam

from agentcore_constructs.config import is_token

from . import messages
from .needs import Reader, runtime_environment
from .policy import merged, statements, without
from .role import Attached, ExecutionPolicies, HarnessExecutionRole, place_of, split_token

if TYPE_CHECKING:
    from collections.abc import Iterable

    from constructs import Construct

    from agentcore_constructs.config import HarnessConfig, HarnessHook, HarnessTool

    from .policy import Needs


class Execution:
    """The execution role of one harness.

    Attributes:
        role: The role: given, imported, or made here.
        is_ours: Whether it gets statements; an imported role gets none.
    """

    def __init__(self, scope: Construct, name: str, role: iam.IRole | str | None) -> None:
        """Takes or makes the role.

        Args:
            scope: The harness, under which role and policies are made.
            name: Physical name of the harness; may be a token.
            role: A role, the ARN of one, or None to have one made.
        """
        self._scope = scope
        self._place = place_of(scope)
        self._reader = Reader(name, self._place, split_token)
        self._overrides: Needs = {}
        self.role = _role(scope, role)
        self.is_ours = isinstance(self.role, iam.Role)
        self._attached = Attached(self.role)
        self._policies = ExecutionPolicies(scope, "Policy", self._attached)

    @property
    def role_arn(self) -> str:
        """ARN of the role."""
        return self._attached.arn

    def allow(self, config: HarnessConfig) -> list[iam.CfnManagedPolicy]:
        """Lets the role do what a configuration needs; what an earlier one needed is taken back.

        Returns:
            The policies made for it, which the harness has to wait for.
        """
        if not self.is_ours:
            return []
        needs = self.needs(config)
        if isinstance(self.role, HarnessExecutionRole):
            needs = without(needs, self.role.needs)
        return self._policies.write(statements(needs, self._place))

    def allow_override(self, extra: HarnessConfig) -> None:
        """Lets the role do what calls may bring, from the next `allow` on."""
        self._overrides = merged(self._overrides, self._reader.overrides(extra))
        self._warn_of_model(extra)
        self.warn_of_tools(extra.tools or ())

    def allow_managed_memory(self, memory_arn: str) -> None:
        """Lets the role use the memory that the service makes with the harness.

        Its ARN is an attribute of the harness, so this policy follows the harness, and no cycle arises.
        """
        if self.is_ours:
            needs: Needs = {"managed_memory": [{"memory": memory_arn}]}
            ExecutionPolicies(self._scope, "ManagedMemoryPolicy", self._attached).write(statements(needs, self._place))

    def warn(self, config: HarnessConfig) -> None:
        """Warns of what a new harness has to be warned of."""
        if self.is_ours:
            self._warn_of_model(config)
        else:
            needs: dict[Any, Any] = {**self.needs(config)}
            if has_managed_memory(config):
                needs["managed_memory"] = [{"memory": "*"}]
            messages.imported_role(self._scope, statements(needs, self._place))
        self.warn_of_hooks(config.hooks or ())
        self.warn_of_tools(config.tools or ())
        self._warn_of_session_storage(config)

    def warn_of_hooks(self, hooks: Iterable[HarnessHook]) -> None:
        """Warns of hooks whose function has to allow the call itself."""
        for hook in hooks:
            function = None if hook.event is None else hook.event.target.lambda_
            if function is not None and self._reader.is_elsewhere(function.arn):
                messages.cross_account_hook(self._scope, function.arn)

    def warn_of_tools(self, tools: Iterable[HarnessTool]) -> None:
        """Warns of keys in code, and of tokens that are got in a way that the service documents as unsupported."""
        for tool in tools:
            server = None if tool.config is None else tool.config.remote_mcp
            for header, value in ((server and server.headers) or {}).items():
                if _SECRET_HEADER.search(header) and "${" not in value and not is_token(value):
                    messages.literal_header(self._scope, tool.name, header)
            gateway = None if tool.config is None else tool.config.agent_core_gateway
            auth = None if gateway is None else gateway.outbound_auth
            if auth is not None and auth.oauth is not None and auth.oauth.grant_type == "AUTHORIZATION_CODE":
                messages.authorization_code(self._scope, tool.name)

    def acknowledge_wildcards(self) -> None:
        """Gives cdk-nag the reason for every wildcard in the policies made here."""
        self._policies.acknowledge_wildcards()

    def needs(self, config: HarnessConfig) -> Needs:
        """Returns what a configuration needs, and what calls may override."""
        return merged(self._reader.of(config), self._overrides)

    def _warn_of_session_storage(self, config: HarnessConfig) -> None:
        runtime = runtime_environment(config)
        mounts = () if runtime is None else runtime.filesystem_configurations or ()
        if len(mounts) == 1 and mounts[0].session_storage is not None:
            messages.session_storage_only(self._scope, mounts[0].session_storage.mount_path)

    def _warn_of_model(self, config: HarnessConfig) -> None:
        if self.is_ours and self._reader.is_unknown_model(config.model):
            messages.unknown_model(self._scope)


# Headers that carry keys by their name; a value with a placeholder is no key.
_SECRET_HEADER = re.compile(r"authorization$|^cookie$|(^|[-_])(api-?key|key|token|secret|password)$", re.IGNORECASE)


def has_managed_memory(config: HarnessConfig) -> bool:
    """Tells whether the service makes a memory for this configuration."""
    return config.memory is not None and config.memory.managed_memory_configuration is not None


def _role(scope: Construct, role: iam.IRole | str | None) -> iam.IRole:
    if role is None:
        return HarnessExecutionRole(scope, "ExecutionRole")
    return iam.Role.from_role_arn(scope, "ExecutionRole", role) if isinstance(role, str) else role
