"""Values of a configuration that need constructs of their own: a bucket to put a skill in, a security group.

Factories only note what is wanted. A `Harness` makes the constructs when it takes the value, below itself, and gets the
ordinary configuration back. What makes them is known there and not here: nothing in the configuration imports the CDK.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Host(Protocol):
    """What a harness offers to the values it takes.

    Attributes:
        path: Where in the configuration the value stands that is being bound, in the API's names: `skills[1]`.
        network: The VPC the sessions are in (`agentcore_constructs.harness.Network`); None on the public network, and
            as long as the environment is not bound, which comes before file systems, tools, skills and hooks.
        user: Numeric user and group of processes in the image; an image that knows better sets it.
    """

    path: str
    network: Any
    user: tuple[int, int]

    @property
    def scope(self) -> Any:
        """The harness, below which constructs are made; with stable ids, since ids decide logical ids."""

    @property
    def harness_name(self) -> str:
        """Physical name of the harness; may be a token."""

    @property
    def role(self) -> Any:
        """The execution role (`aws_iam.IRole`)."""

    def fault(self, path: str, must: str, received: str, fix: str) -> None:
        """Reports a fault, to be raised together with all others of the harness.

        Args:
            path: Within the value, in the API's names; empty for the value itself.
            must: What it must be, beginning with "must".
            received: What was given instead; never a secret.
            fix: What to do about it.
        """

    def before(self, *constructs: Any) -> None:
        """Has the harness wait for constructs, such as mount targets, when it is deployed."""

    def after(self, act: Callable[[Any], None]) -> None:
        """Calls back with the harness when it exists; at once when it does already."""

    def bound(self, value: Any, path: str) -> Any:
        """Binds what stands within the value being bound, such as the mounts of an environment.

        Args:
            value: Anything; what is not deferred comes back as it is.
            path: Where it stands, from the root of the configuration.
        """

    def make(self, wanted: Wanted) -> Any:
        """Makes the constructs of what is only described, and returns what the configuration says about them.

        Raises:
            HarnessConfigError: They cannot be made.
        """


class Deferred(ABC):
    """A value that becomes configuration when a harness takes it."""

    @abstractmethod
    def bind(self, host: Host) -> Any:
        """Makes the constructs it needs and returns what the configuration says about them.

        Raises:
            HarnessConfigError: It cannot be made; paths of its faults are within the value. They are raised together
                with all other faults of the harness.
        """


class Wanted(Deferred):
    """A value that only says what is wanted: data, of which the host knows what to make."""

    def bind(self, host: Host) -> Any:
        """Has the host make it."""
        return host.make(self)
