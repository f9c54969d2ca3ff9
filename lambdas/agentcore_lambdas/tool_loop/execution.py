"""Runs the Lambda function of an inline tool once per call, whatever is delivered or tried again.

Powertools notes a call in DynamoDB before the function is invoked, and its result after. A call that was noted and has
no result was cut off while the function ran: it may have taken effect, so it is not run again, and the agent is told.
"""

from __future__ import annotations

import base64
import json
import warnings
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyPersistenceLayerError,
)
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NotConnectedError

from agentcore_lambdas.patience import patient_client
from agentcore_lambdas.tool_loop.errors import ToolRecordUnavailable
from agentcore_lambdas.tool_loop.models import Call, Output, Result
from agentcore_lambdas.tools.context import TOOL_NAME
from agentcore_lambdas.tools.results import ToolResult, read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

logger = Logger(child=True)

RESULT_LIMIT = 300_000
"""Bytes of a result: an item of DynamoDB holds 400 KB, and a model reads far less."""
KEPT_SECONDS = 24 * 3600
"""How long it is known that a call was run; longer than a session lives without use."""

_READ_SECONDS = 910  # the function's own limit is 15 minutes
# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html: what is refused before the function is begun.
_NOT_RUN = frozenset(
    {
        "TooManyRequestsException",
        "ThrottlingException",
        "ResourceNotReadyException",
        "EC2ThrottledException",
        "ENILimitReachedException",
    }
)
_FAULTS = 500  # status from which a service, not the request, is at fault

_UNKNOWN = (
    "This call was begun, and then the connection to the tool was lost. It may have taken effect. It is not run again: "
    "find out whether it did before you call the tool anew."
)


class NotRun(Exception):  # noqa: N818  (control flow: nothing has happened)
    """The function was not invoked, so that the call may be tried again."""


class Execution:
    """Runs calls, once each."""

    def __init__(self, table: str, client: Any = None, dynamodb: Any = None) -> None:
        """Prepares the record of calls.

        Args:
            table: Name of the DynamoDB table, with the key `id` and the time to live `expiration`.
            client: Of Lambda.
            dynamodb: Client of DynamoDB.
        """
        self._client = client or patient_client("lambda", read_seconds=_READ_SECONDS)
        store = DynamoDBPersistenceLayer(table_name=table, boto3_client=dynamodb)
        # Without Lambda's context: with it, Powertools would run a call again whose run was cut off. It warns of that.
        warnings.filterwarnings("ignore", message="Couldn't determine the remaining time left", category=UserWarning)
        config = IdempotencyConfig(event_key_jmespath="[session, id]", expires_after_seconds=KEPT_SECONDS)
        once: Callable[..., Any] = idempotent_function(
            self._run, data_keyword_argument="call", persistence_store=store, config=config, key_prefix="tool-call"
        )
        self._once = once

    def run(self, session_id: str, call: Call, function: str) -> Result:
        """Runs a call, or returns what it gave before.

        Args:
            session_id: The conversation it belongs to.
            call: What the agent asks for.
            function: ARN of the Lambda function.

        Raises:
            NotRun: The function could not be invoked, and nothing has happened.
            ToolRecordUnavailable: The record could not be read or written; if the tool has run, it will not run again.
        """
        asked = {"session": session_id, "id": call.tool_use_id, "name": call.name, "input": call.input}
        try:
            told = self._once(call={**asked, "function": function})
        except IdempotencyPersistenceLayerError as error:
            raise ToolRecordUnavailable(f"the record of the tool calls is out of reach: {_cause(error)}") from None
        except IdempotencyAlreadyInProgressError:
            logger.warning("a call was cut off before", tool=call.name, tool_use_id=call.tool_use_id)
            return Result(tool_use_id=call.tool_use_id, text=_UNKNOWN, is_error=True)
        return Result(tool_use_id=call.tool_use_id, text=told["text"], is_error=told["isError"])

    def _run(self, *, call: Mapping[str, Any]) -> dict[str, Any]:
        told = {TOOL_NAME: call["name"], "toolUseId": call["id"], "runtimeSessionId": call["session"]}
        context = base64.b64encode(json.dumps({"custom": told}).encode()).decode()
        try:
            response = self._client.invoke(
                FunctionName=call["function"],
                InvocationType="RequestResponse",
                ClientContext=context,
                Payload=json.dumps(call["input"]).encode(),
            )
            result = read(response["Payload"].read(), response.get("FunctionError"))
        except NotConnectedError as error:
            raise NotRun(f"Lambda cannot be reached ({type(error).__name__})") from None
        except ClientError as error:
            if error.response["Error"].get("Code") in _NOT_RUN:
                raise NotRun(_code(error)) from None
            result = _refused(error)
        except (HTTPClientError, BotoCoreError, OSError):
            # Sent, and then the answer was lost.
            result = ToolResult(is_error=True, value=_UNKNOWN)
        return _as_text(call["name"], result)


def read_output(name: str, output: Output) -> Result:
    """Returns as a result what a tool's function answered to somebody who invoked it by themselves.

    Args:
        name: Of the tool.
        output: What it answered.
    """
    told = _as_text(name, read(json.dumps(output.payload), "Unhandled" if output.failed else None))
    return Result(tool_use_id=output.tool_use_id, text=told["text"], is_error=told["isError"])


def _refused(error: ClientError) -> ToolResult:
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= _FAULTS:
        return ToolResult(is_error=True, value=_UNKNOWN)
    return ToolResult(is_error=True, value=f"The tool cannot be run: {_code(error)}.")


def _cause(error: Exception) -> str:
    cause = error.__cause__ or error.__context__
    return _code(cause) if isinstance(cause, ClientError) else type(cause or error).__name__


def _code(error: ClientError) -> str:
    return str(error.response["Error"].get("Code", "unknown error"))


def _as_text(name: str, result: ToolResult) -> dict[str, Any]:
    text = result.value if isinstance(result.value, str) else json.dumps(result.value, ensure_ascii=False)
    size = len(text.encode())
    if size > RESULT_LIMIT:
        limit = f"{RESULT_LIMIT // 1000} KB"
        return {"text": f"The tool {name} gave {size // 1000} KB, and at most {limit} can be read.", "isError": True}
    return {"text": text, "isError": result.is_error}
