"""One protocol for all custom resources: typed properties in, an outcome or one sentence out.

CloudFormation may deliver a request twice, and rolls back by sending an Update or a Delete for what it made: every
handler answers a repeated request as it answered the first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  (botocore's name)
    HTTPClientError,
)
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_pascal

if TYPE_CHECKING:
    from collections.abc import Mapping

# Somebody else's change, and too many requests, as services name them.
_PASSING = frozenset({"ConflictException", "ThrottlingException", "Throttling", "TooManyRequestsException", "SlowDown"})
_TOO_MANY, _OF_THE_SERVER = 429, 500
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})


class Failed(Exception):  # noqa: N818  (reads as what it says: the request failed)
    """The request cannot be fulfilled; the one sentence is what CloudFormation shows."""


class Properties(BaseModel):
    """Properties of a custom resource, in PascalCase in the template. CloudFormation sends every scalar as a string."""

    model_config = ConfigDict(alias_generator=to_pascal, populate_by_name=True, frozen=True, extra="forbid")


P = TypeVar("P", bound=Properties)


@dataclass(frozen=True)
class Request(Generic[P]):
    """One request of CloudFormation.

    Attributes:
        properties: As the template has them now.
        physical_id: What the handler called the resource; None at creation.
        request_id: Of this request; the same when it is delivered twice. Good for idempotency tokens.
        stack_id: ARN of the stack.
        logical_id: Of the resource in the template.
    """

    properties: P
    physical_id: str | None
    request_id: str
    stack_id: str
    logical_id: str


@dataclass(frozen=True)
class Outcome:
    """What became of a request.

    Attributes:
        physical_id: Of the resource. Another one than before makes CloudFormation delete the earlier one afterwards.
        data: Attributes for the template; never a secret.
        done: False when the handler is to be asked again with `poll`, every few seconds.
        state: What `poll` gets; it is the same in every call.
    """

    physical_id: str
    data: Mapping[str, Any] = field(default_factory=dict)
    done: bool = True
    state: Mapping[str, Any] = field(default_factory=dict)


class Handler(ABC, Generic[P]):
    """Handles one kind of custom resource.

    Attributes:
        Properties: Model of its properties.
    """

    Properties: ClassVar[type[Any]]

    @abstractmethod
    def create(self, request: Request[P]) -> Outcome:
        """Makes the resource.

        Raises:
            Failed: It cannot be made. What was made so far must be taken back before: no Delete follows.
        """

    @abstractmethod
    def update(self, request: Request[P], old: P) -> Outcome:
        """Changes the resource; `old` are the properties it has had. A rollback comes as an update too.

        Raises:
            Failed: It cannot be changed.
        """

    @abstractmethod
    def delete(self, request: Request[P]) -> Outcome:
        """Removes the resource; what is gone already is no error.

        Raises:
            Failed: It cannot be removed.
        """

    def poll(self, request: Request[P], state: Mapping[str, Any]) -> Outcome:
        """Tells how far a request is whose outcome was not done.

        Raises:
            Failed: It came to nothing.
        """
        raise NotImplementedError


@cache
def client(service: str) -> Any:
    """Returns a client that is patient with throttling; one per service, since making one takes a while."""
    return boto3.client(service, config=Config(retries={"mode": "standard", "max_attempts": 8}))  # type: ignore[call-overload]


def passes(error: Exception) -> bool:
    """Tells whether an error of a service passes by itself, so that asking again may help.

    The client has been patient with it already: what is left is a fault that lasts longer than half a minute.
    """
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return error.response["Error"].get("Code") in _PASSING or status == _TOO_MANY or status >= _OF_THE_SERVER
    return isinstance(error, (ConnectionError, HTTPClientError))


def is_denied(error: Exception) -> bool:
    """Tells whether a policy stands in the way, or one that has just been made is not known everywhere yet."""
    return isinstance(error, ClientError) and error.response["Error"].get("Code") in _DENIED


def sentence(error: Exception) -> str:
    """Says in one sentence what went wrong; an error nobody foresaw by its class alone, since it may quote a secret."""
    if isinstance(error, Failed):
        return str(error)
    if isinstance(error, ClientError):
        said = error.response["Error"]
        return f"{error.operation_name} failed with {said.get('Code')}: {said.get('Message')}"
    if isinstance(error, BotoCoreError):
        return f"an AWS call failed: {error}"
    return f"the handler failed with {type(error).__name__}; its log has the details"
