"""Function URLs of Lambda: who may call them, and what their functions are told."""

# ruff: noqa: SLF001 - private names are what this package is for
from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from .base import Seam, internals
from .iam import caller_key
from .scope import acting_for

_LAMBDA = "ministack.services.lambda_svc"
_EVALUATOR = "ministack.core.iam_evaluator"

SEAMS: tuple[Seam, ...] = (
    Seam(
        _LAMBDA,
        "handle_function_url_request",
        "check who calls a function URL",
        ("url_id", "method", "path", "headers", "body", "query_params", "resolved", "source_ip"),
    ),
    Seam(_LAMBDA, "resolve_function_url", "know whose a function URL is", ("url_id",)),
    Seam(_LAMBDA, "_function_url_is_signed", "tell callers who sign from others", ("headers", "query_params")),
    Seam(
        _LAMBDA,
        "_build_function_url_event",
        "tell functions who calls their URL",
        (
            "url_id",
            "account_id",
            "region",
            "method",
            "path",
            "headers",
            "body",
            "query_params",
            "source_ip",
            "anonymous",
            "trace_root",
        ),
    ),
    Seam(_LAMBDA, "function_policy_for_arn", "know whom a function's own policy lets in", ("resource_arn",)),
    Seam(_EVALUATOR, "resolve_caller_identity", "tell functions who calls their URL", ("access_key_id",)),
    Seam(
        _EVALUATOR,
        "evaluate_resource_policy",
        "know whom a function's own policy lets in",
        ("doc", "ctx", "service", "named_only", "direct_only"),
    ),
)


@dataclass(frozen=True)
class FunctionUrl:
    """The URL that a request came in by.

    Attributes:
        function_arn: Its function, with the qualifier it is of.
        auth_type: `AWS_IAM` or `NONE`.
        account: The function's account.
        region: The function's Region.
    """

    function_arn: str
    auth_type: str
    account: str
    region: str


Headers = Mapping[str, str]
Query = Mapping[str, Any]


def on_function_url(
    refusal: Callable[[FunctionUrl, Headers, Query], str | None],
    caller: Callable[[Mapping[str, Any]], dict[str, Any]],
) -> None:
    """Ask who may call a function URL, and tell functions who does.

    Args:
        refusal: Why a request must not reach the function; None when it may.
        caller: Makes the event's `requestContext.authorizer` of what IAM knows of the caller of a URL with `AWS_IAM`.
    """
    module = internals(_LAMBDA)
    serve, build = module.handle_function_url_request, module._build_function_url_event
    if hasattr(serve, "__wrapped__"):
        return

    @wraps(serve)
    async def checked(url_id: str, method: str, *request: Any, resolved: Any = None, **options: Any) -> Any:
        _path, headers, _body, query = request
        resolved = resolved or module.resolve_function_url(url_id)
        # A preflight request and one without a signature are ministack's to answer; neither reaches the function.
        signed = module._function_url_is_signed(headers, query)
        if resolved is not None and method != "OPTIONS" and (signed or resolved[-1].get("AuthType") == "NONE"):
            said = refusal(_function_url(resolved), headers, query)
            if said is not None:
                kind = {"Content-Type": "application/json", "x-amzn-ErrorType": "AccessDeniedException"}
                return 403, kind, json.dumps({"Message": said}).encode()
        return await serve(url_id, method, *request, resolved=resolved, **options)

    @wraps(build)
    def told(*request: Any, anonymous: bool = False, **options: Any) -> Any:
        event = build(*request, anonymous=anonymous, **options)
        headers, _body, query = request[5:]
        known = None if anonymous else internals(_EVALUATOR).resolve_caller_identity(caller_key(headers, query))
        if known is not None:
            event["requestContext"]["authorizer"] = caller(known)
        return event

    module.handle_function_url_request, module._build_function_url_event = checked, told


def _function_url(resolved: tuple[str, str, str, str | None, dict[str, Any]]) -> FunctionUrl:
    account, region, function, qualifier, settings = resolved
    arn = f"arn:aws:lambda:{region}:{account}:function:{function}" + (f":{qualifier}" if qualifier else "")
    return FunctionUrl(arn, settings.get("AuthType", "AWS_IAM"), account, region)


def function_lets_everybody(url: FunctionUrl, action: str, keys: Mapping[str, str]) -> bool:
    """Whether the function's own policy allows an action to callers that nobody knows, under these condition keys."""
    evaluator = internals(_EVALUATOR)
    with acting_for((url.account, url.region)):
        found = internals(_LAMBDA).function_policy_for_arn(url.function_arn)
    context = evaluator.EvalContext(
        principal_arn="",
        principal_type="Anonymous",
        principal_account="",
        action=action,
        resource_arn=url.function_arn,
        region=url.region,
        service_context={key.lower(): value for key, value in keys.items()},
    )
    return found is not None and bool(evaluator.evaluate_resource_policy(found[0], context).decision == "Allow")
