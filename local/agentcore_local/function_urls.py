"""Function URLs: who may call them, and what their functions are told about who does.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html (two permissions, public access by the function's
own policy) and https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html (the event).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import iam, seams

if TYPE_CHECKING:
    from collections.abc import Mapping

_PUBLIC = "NONE"


def refusal(url: seams.FunctionUrl, headers: Mapping[str, str], query: Mapping[str, Any]) -> str | None:
    """Why a request must not reach the function; None when it may.

    A URL takes `lambda:InvokeFunctionUrl` and `lambda:InvokeFunction`: of callers who sign, or, when nobody needs to,
    of everybody by the function's own policy. The former of callers who sign is checked before (by ministack).
    """
    if not iam.Switch.enabled:
        return None
    through_url = {"lambda:InvokedViaFunctionUrl": "true"}
    if url.auth_type != _PUBLIC:
        call = ("lambda:InvokeFunction", url.function_arn)
        return seams.caller_denial(headers, query, call, url.region, through_url)
    needed = {"lambda:InvokeFunctionUrl": {"lambda:FunctionUrlAuthType": _PUBLIC}, "lambda:InvokeFunction": through_url}
    for action, keys in needed.items():
        if not seams.function_lets_everybody(url, action, keys):
            return (
                f"The policy of {url.function_arn} does not allow {action} to everybody, which a function URL with "
                "AuthType NONE needs; see https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
            )
    return None


def authorizer(caller: Mapping[str, Any]) -> dict[str, Any]:
    """`requestContext.authorizer` of an event, of what IAM knows of a caller who signs."""
    known = {name: caller[name] for name in ("accessKey", "accountId", "userArn", "userId", "principalOrgId")}
    return {"iam": {**known, "callerId": caller["userId"], "cognitoIdentity": None}}
