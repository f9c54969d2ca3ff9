"""The error answers of the two AgentCore services, as botocore's models declare them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

# HTTP status per error shape (botocore 1.44.5, `httpStatusCode` of each exception).
STATUS = {
    "AccessDeniedException": 403,
    "ConflictException": 409,
    "InternalServerException": 500,
    "ResourceNotFoundException": 404,
    "RuntimeClientError": 424,
    "ServiceQuotaExceededException": 402,
    "ThrottlingException": 429,
    "UnauthorizedException": 401,
    "ValidationException": 400,
    # Not an AWS error: the local cloud says that it does not do this yet. 501 is not retried by the SDKs.
    "NotEmulatedException": 501,
}


@dataclass(frozen=True)
class FieldFault:
    """One rejected field of a request: `name` is its path (`tools.1.config`), `message` says what it must be."""

    name: str
    message: str


@dataclass
class ServiceError(Exception):
    """An error answer of the service: error name, message, and for validation errors the reason and the fields."""

    code: str
    message: str
    reason: str | None = None
    fields: tuple[FieldFault, ...] = field(default=())

    def __str__(self) -> str:
        return self.message

    @property
    def status(self) -> int:
        """HTTP status of the answer."""
        return STATUS.get(self.code, 500)

    def body(self) -> dict[str, Any]:
        """The JSON body, shaped as botocore's exception shapes are."""
        body: dict[str, Any] = {"message": self.message}
        if self.code == "ValidationException":
            body["reason"] = self.reason or "FieldValidationFailed"
            if self.fields:
                body["fieldList"] = [{"name": fault.name, "message": fault.message} for fault in self.fields]
        return body

    def response(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the HTTP answer."""
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": self.code}
        return self.status, headers, json.dumps(self.body()).encode()


def invalid(faults: list[FieldFault] | tuple[FieldFault, ...]) -> ServiceError:
    """A ValidationException that names every rejected field, worded as the service words it."""
    plural = "s" if len(faults) > 1 else ""
    message = f"{len(faults)} validation error{plural} detected: " + "; ".join(fault.message for fault in faults)
    return ServiceError("ValidationException", message, "FieldValidationFailed", tuple(faults))


def refused(message: str, *, name: str | None = None, reason: str = "FieldValidationFailed") -> ServiceError:
    """A ValidationException with a message of its own, naming one field when there is one."""
    return ServiceError("ValidationException", message, reason, (FieldFault(name, message),) if name else ())


def not_found(what: str, identifier: str) -> ServiceError:
    """A ResourceNotFoundException."""
    return ServiceError("ResourceNotFoundException", f"{what} '{identifier}' was not found")


def conflict(message: str) -> ServiceError:
    """A ConflictException."""
    return ServiceError("ConflictException", message)


def not_emulated(message: str) -> ServiceError:
    """The local cloud does not do this; the sentence says so and what to do instead."""
    return ServiceError("NotEmulatedException", message)
