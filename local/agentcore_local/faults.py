"""How the emulated AgentCore data plane says no.

Everything that answers a request raises one of these; the server turns them into the wire format the SDKs parse.
"""

from __future__ import annotations

from typing import Literal

StreamFault = Literal["validationException", "internalServerException", "runtimeClientError"]
"""The exception members of botocore's ``InvokeHarnessStreamOutput``."""

ValidationReason = Literal[
    "CannotParse",
    "FieldValidationFailed",
    "IdempotentParameterMismatchException",
    "EventInOtherSession",
    "ResourceConflict",
]
"""``ValidationExceptionReason`` of the ``bedrock-agentcore`` data plane."""


class RequestRefused(Exception):  # noqa: N818 - the name says what happened, as the service's own errors do
    """A request that is answered with an HTTP error, before any stream starts.

    Attributes:
        error_code: The exception's name in the service model, for example ``ValidationException``.
        message: One sentence: what is wrong, what was received, what to do.
        status: HTTP status code that belongs to the error code.
        reason: ``ValidationExceptionReason``; required by the shape of ``ValidationException``, None for all others.
    """

    def __init__(self, error_code: str, message: str, status: int, *, reason: ValidationReason | None = None) -> None:
        super().__init__(message)
        self.error_code = error_code
        self.message = message
        self.status = status
        self.reason = reason

    @classmethod
    def invalid(cls, message: str, reason: ValidationReason = "FieldValidationFailed") -> RequestRefused:
        """A ``ValidationException`` (HTTP 400)."""
        return cls("ValidationException", message, 400, reason=reason)


class StreamFailed(Exception):  # noqa: N818 - see RequestRefused
    """An error after the stream has started: it becomes an exception frame and ends the stream.

    Attributes:
        kind: Member of ``InvokeHarnessStreamOutput`` that carries the error.
        message: One sentence; never blank, because the shapes forbid it.
        reason: ``ValidationExceptionReason``; only for ``validationException``.
    """

    def __init__(self, kind: StreamFault, message: str, *, reason: ValidationReason | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message or kind
        self.reason: ValidationReason | None = reason or (
            "FieldValidationFailed" if kind == "validationException" else None
        )

    def payload(self) -> dict[str, str]:
        """The frame's JSON body, in the shape botocore requires for this kind."""
        body = {"message": self.message}
        if self.reason:
            body["reason"] = self.reason
        return body


class TaskFailed(Exception):  # noqa: N818 - see RequestRefused
    """A Step Functions task that ends with an error name and a cause.

    Attributes:
        error: For example ``BedrockAgentCore.ValidationException``; what ``Retry`` and ``Catch`` match.
        cause: The sentence shown as the execution's cause.
    """

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause
