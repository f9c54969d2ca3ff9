"""Lets values that need constructs of their own make them: below the harness, in an order they can rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentcore_constructs.config import Deferred, Fault, HarnessConfigError
from agentcore_constructs.config.errors import Refused
from agentcore_constructs.config.node import joined

from . import makers

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import aws_iam as iam
    from constructs import Construct, IDependable

    from agentcore_constructs.config.deferred import Wanted

    from .network import Network

DEFAULT_USER = (1000, 1000)
_BOUND_IN_VAIN = "must be bound"
_IN_VAIN = Refused(_BOUND_IN_VAIN, "a value whose faults are reported already", "see there")


class HarnessHost:
    """The host of one harness; see `agentcore_constructs.config.Host`."""

    def __init__(self, scope: Construct, harness_name: str, role: Callable[[], iam.IRole]) -> None:
        """Remembers the harness.

        Args:
            scope: The harness.
            harness_name: Its physical name.
            role: Gives the execution role, and makes it first if need be.
        """
        self.path = ""
        self.network: Network | None = None
        self.user = DEFAULT_USER
        self._scope = scope
        self._name = harness_name
        self._role = role
        self._faults: list[Fault] = []
        self._before: list[IDependable] = []
        self._after: list[Callable[[Any], None]] = []
        self._harness: Any = None
        self._resource: Construct | None = None

    @property
    def scope(self) -> Construct:
        """The harness."""
        return self._scope

    @property
    def harness_name(self) -> str:
        """Its physical name."""
        return self._name

    @property
    def role(self) -> iam.IRole:
        """Its execution role."""
        return self._role()

    # ---- what values call --------------------------------------------------------------------------------------------

    def fault(self, path: str, must: str, received: str, fix: str) -> None:
        """Reports a fault of the value being bound."""
        self._faults.append(Fault(joined(self.path, path) if path else self.path, must, received, fix))

    def before(self, *constructs: IDependable) -> None:
        """Has the harness wait for constructs."""
        if self._resource is not None:
            self._resource.node.add_dependency(*constructs)
        else:
            self._before += constructs

    def after(self, act: Callable[[Any], None]) -> None:
        """Calls back with the harness when it exists."""
        if self._harness is not None:
            act(self._harness)
        else:
            self._after.append(act)

    def bound(self, value: Any, path: str) -> Any:
        """Binds a value, or each of several; what is not deferred comes back as it is."""
        if isinstance(value, (list, tuple)):
            return [self.bound(item, f"{path}[{index}]") for index, item in enumerate(value)]
        if not isinstance(value, Deferred):
            return value
        around, self.path = self.path, path
        try:
            return value.bind(self)
        except HarnessConfigError as error:
            self._faults += [_within(path, fault) for fault in error.faults]
            return _IN_VAIN
        finally:
            self.path = around

    def make(self, wanted: Wanted) -> Any:
        """Makes what is only described."""
        return makers.make(self, wanted)

    # ---- what the harness calls --------------------------------------------------------------------------------------

    def checked(self, make: Callable[[], Any]) -> Any:
        """Makes a configuration, and raises its faults together with those reported while values were bound.

        Raises:
            HarnessConfigError: With every fault there is.
        """
        faults, self._faults = self._faults, []
        made = None
        try:
            made = make()
        except HarnessConfigError as error:
            # A value bound in vain is refused again by validation, which knows less about it.
            faults += [fault for fault in error.faults if fault.must != _BOUND_IN_VAIN]
        if faults:
            raise HarnessConfigError(faults)
        return made

    def made(self, harness: Any, resource: Construct) -> None:
        """Notes that the harness exists now, and does what waited for it."""
        self._harness, self._resource = harness, resource
        if self._before:
            resource.node.add_dependency(*self._before)
        for act in self._after:
            act(harness)


def _within(path: str, fault: Fault) -> Fault:
    where = (
        path if not fault.path else f"{path}{fault.path}" if fault.path.startswith("[") else joined(path, fault.path)
    )
    return Fault(where, fault.must, fault.received, fault.fix)
