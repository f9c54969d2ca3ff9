"""The HTTP routes of the harness (control plane, tags, InvokeHarness), in front of ministack's AgentCore services."""

from __future__ import annotations

import asyncio
import base64
import gc
import http
import importlib
import json
import logging
import re
from typing import TYPE_CHECKING, Any

from agentcore_local import seams, state
from agentcore_local.faults import RequestRefused, StreamFailed
from agentcore_local.process import PROCESS

from . import authorization, events, memory, operations, routes, rules, tags
from .caller import Caller
from .errors import ServiceError, conflict, invalid, not_emulated, not_found, refused
from .store import STORE, Harness, Scope, resolve

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from agentcore_local.agents.events import Event

logger = logging.getLogger(__name__)

_AGENTS = "agentcore_local.agents"
_LOADED: dict[str, Any] = {}
_DEFAULT_PAGE = 10
_MEMORY_PATH = re.compile(r"/memories/(?P<id>[^/]+)/(?:delete|update)/?")
_RUNTIME_INVOCATION = re.compile(r"/runtimes/(?P<arn>.+)/invocations/?")


def in_front_of(original: seams.HttpHandler) -> seams.HttpHandler:
    """A handler for everything that signs as `bedrock-agentcore`: ours what is ours, the rest to the original."""

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> seams.HttpResponse:
        request = routes.Request(method, path, headers, body, query_params)
        answered = await _answered(request)
        if answered is None:
            answered = await original(method, path, headers, body, query_params)
        keeper = state.KEPT.keeper
        if keeper is not None and answered[0] < http.HTTPStatus.BAD_REQUEST and routes.changes(method, path):
            try:
                await asyncio.to_thread(keeper.flush)  # what was answered outlives the process
            except OSError as error:
                answered = _not_kept(error).response()
        return _unknown(request, answered) or answered

    return handle_request


def _not_kept(error: OSError) -> ServiceError:
    where, why = PROCESS.state_dir, error.strerror or error
    return ServiceError(
        "InternalServerException",
        f"this was done, but cannot be written to the state folder {where} ({why}), so a restart would forget it; "
        "make room there",
    )


async def answer(request: routes.Request) -> seams.HttpResponse:
    """The answer to a request for one of our own operations, in the account and Region that act now."""
    answered = await _answered(request)
    if answered is None:
        raise LookupError(f"{request.method} {request.path} is not an operation of the harness API")
    return answered


async def _answered(request: routes.Request) -> seams.HttpResponse | None:
    try:
        return await _handle(request)
    except ServiceError as error:
        return error.response()


def _unknown(request: routes.Request, answered: seams.HttpResponse) -> seams.HttpResponse | None:
    """An operation that nobody here serves says so by name, instead of calling its path unsupported."""
    status, _, body = answered
    if status != http.HTTPStatus.BAD_REQUEST or not isinstance(body, bytes) or b"InvalidAction" not in body:
        return None
    name = routes.name_of(request.method, request.path) or f"{request.method} {request.path}"
    return not_emulated(
        f"{name} is not emulated by the local cloud yet; docs/local-cloud.md lists what is. Use an AWS account for it"
    ).response()


async def _handle(request: routes.Request) -> seams.HttpResponse | None:
    scope = seams.current_scope()
    found = routes.find(request.method, request.path)
    if found is None:
        authorization.check_memory(request, scope)
        _guard_managed(scope, request)
        return None
    route, labels = found
    values = routes.parse(route, labels, request)
    authorization.check(request, route.name, values, scope)
    if route.name == "InvokeHarness":
        return await invoke(values)
    if route.name == "InvokeAgentRuntimeCommand":
        return await _run_command(values)
    operation = _OPERATIONS.get(route.name)
    if operation is None:
        raise not_emulated(f"{route.name} is not emulated by the local cloud yet; use an AWS account for it")
    # Operations are short and take a lock that worker threads hold briefly: off the loop they cannot stall it.
    output = await asyncio.to_thread(operation, scope, values)
    return routes.answer(route, output)


# --- InvokeHarness ------------------------------------------------------------------------------------------------


async def _agents() -> Any:
    """The agents' package; Strands takes most of a second to import: on first use, not on everybody's event loop."""
    if _AGENTS not in _LOADED:
        _LOADED[_AGENTS] = await asyncio.to_thread(importlib.import_module, _AGENTS)
        gc.freeze()  # as when the server has started
    return _LOADED[_AGENTS]


async def invoke(
    values: dict[str, Any], harness: dict[str, Any] | None = None, token: str | None = None
) -> seams.HttpResponse:
    """The answer to an invocation whose caller may make it.

    Args:
        values: The request.
        harness: What `invokable` gave; looked up, for a request signed with SigV4, unless given.
        token: What the caller came with, where that is a token.

    Raises:
        ServiceError: The harness, or the request, cannot be used.
    """
    faults = rules.check({member: values[member] for member in ("model", "tools") if member in values})
    if faults:
        raise invalid(faults)
    harness = harness or invokable(values["harnessArn"], values.get("qualifier"))
    _, _, _, region, account, _ = values["harnessArn"].split(":", 5)
    agents = await _agents()
    invocation = agents.Invocation(
        harness=harness,
        request=values,
        account=account,
        region=region,
        endpoint=PROCESS.endpoint_url,
        caller_token=token,
    )
    return await _answer_with(agents.invoke_in_batches(invocation))


async def _answer_with(batches: AsyncGenerator[list[Event], None]) -> seams.HttpResponse:
    """The answer that streams what comes, once there is something; before that a refusal is an answer of its own."""
    first: list[Event] = []
    try:
        # Before the first event nothing is written that would tell of a caller who is gone.
        async with Caller():
            first = await anext(batches, [])
    except RequestRefused as error:
        raise ServiceError(error.error_code, error.message, error.reason) from error
    except StreamFailed as error:
        return 200, {"Content-Type": events.CONTENT_TYPE}, events.exception_frame(error.kind, error.payload())

    async def runner(send: Callable[[Any], Awaitable[None]], _receive: Callable[[], Awaitable[Any]]) -> None:
        await _stream(first, batches, send)

    return 200, {"Content-Type": events.CONTENT_TYPE}, seams.streaming(runner)


def invokable(arn: str, qualifier: str | None, *, token: bool = False) -> dict[str, Any]:
    """The `harness` shape that serves an invocation; ServiceError when there is none.

    Args:
        arn: Of the harness or one of its endpoints.
        qualifier: The endpoint.
        token: Whether the caller comes with a token; otherwise the request is signed with SigV4.
    """
    harness = STORE.find_arn(arn)
    if harness is None:
        raise not_found("Harness", arn)
    status = harness.transition.current()
    if status != "READY":
        raise refused(f"Harness '{harness.harness_id}' is {status}, not READY", reason="ResourceConflict")
    shape = resolve(arn, qualifier)
    takes_tokens = bool(shape.get("authorizerConfiguration"))
    if takes_tokens != token:
        methods = {True: ("JWT inbound authorization", "tokens"), False: ("IAM", "requests signed with SigV4")}
        raise ServiceError(
            "AccessDeniedException",
            f"Authorization method mismatch: harness '{harness.harness_id}' is configured for "
            f"{methods[takes_tokens][0]} and does not accept {methods[token][1]}",
        )
    return shape


async def _stream(
    first: list[Event], batches: AsyncGenerator[list[Event], None], send: Callable[[Any], Awaitable[None]]
) -> None:
    """Write events as soon as they exist, those that are there at once in one piece; a caller who goes ends the work.

    Args:
        first: The events there are; none when the work has ended, or the caller has gone.
        batches: Those to come.
        send: Of ASGI.
    """
    caller = Caller()
    try:
        async with caller:
            if first:
                await send(_chunk(first))
            async for batch in batches:
                await send(_chunk(batch))
    except StreamFailed as error:
        await send(_body(events.exception_frame(error.kind, error.payload())))
    except Exception:
        logger.exception("the agent loop failed")
        message = "The agent loop of the local cloud failed; its log has the traceback"
        await send(_body(events.exception_frame("internalServerException", {"message": message})))
    finally:
        await batches.aclose()
    if not caller.gone:
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _chunk(batch: list[Event]) -> dict[str, Any]:
    return _body(b"".join([events.event_frame(name, payload) for name, payload in batch]))


def _body(content: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": True}


async def _run_command(values: dict[str, Any]) -> seams.HttpResponse:
    agents = await _agents()
    limit, given = agents.commands.MAX_TIMEOUT, values["body"].get("timeout", 1)
    if not 1 <= given <= limit:
        raise refused(f"body.timeout must be 1-{limit} seconds; received {given}", name="body.timeout")
    harness = invokable(values["agentRuntimeArn"], values.get("qualifier"))
    _, _, _, region, account, _ = harness["arn"].split(":", 5)
    invocation = agents.Invocation(
        harness=harness, request=values, account=account, region=region, endpoint=PROCESS.endpoint_url
    )
    return await _answer_with(agents.commands.run(invocation, agents.sessions))


# --- control plane ------------------------------------------------------------------------------------------------


def _create_harness(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    # Only here: a stack's own tags begin with aws:, and CloudFormation may set them.
    if reserved := list(rules.reserved_tags(values.get("tags") or {})):
        raise invalid(reserved)
    return {"harness": operations.create_harness(scope, values)}


def _get_harness(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    harness = STORE.get(scope, values["harnessId"])
    version = values.get("harnessVersion")
    return {"harness": harness.snapshot(int(version) if version else None)}


def _update_harness(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    return {"harness": operations.update_harness(scope, values["harnessId"], values)}


def _delete_harness(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    keep = values.get("deleteManagedMemory") is False
    return {"harness": operations.delete_harness(scope, values["harnessId"], delete_managed_memory=not keep)}


_SUMMARY = ("harnessId", "harnessName", "arn", "status", "createdAt", "updatedAt", "harnessVersion")


def _summary(harness: Harness, version: int | None = None) -> dict[str, Any]:
    shape = harness.snapshot(version)
    return {member: shape[member] for member in _SUMMARY}


def _list_harnesses(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    return _page("harnesses", [_summary(harness) for harness in STORE.of(scope)], values)


def _list_versions(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    harness = STORE.get(scope, values["harnessId"])
    numbers = sorted(harness.versions, reverse=True)
    return _page("harnessVersions", [_summary(harness, number) for number in numbers], values)


def _create_endpoint(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    return {"endpoint": operations.create_endpoint(scope, values["harnessId"], values)}


def _get_endpoint(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    harness = STORE.get(scope, values["harnessId"])
    return {"endpoint": operations.endpoint_shape(harness, operations.find_endpoint(harness, values["endpointName"]))}


def _update_endpoint(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    endpoint = operations.update_endpoint(scope, values["harnessId"], values["endpointName"], values)
    return {"endpoint": endpoint}


def _delete_endpoint(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    return {"endpoint": operations.delete_endpoint(scope, values["harnessId"], values["endpointName"])}


def _list_endpoints(scope: Scope, values: dict[str, Any]) -> dict[str, Any]:
    harness = STORE.get(scope, values["harnessId"])
    endpoints = operations.live_endpoints(harness).values()
    return _page("endpoints", [operations.endpoint_shape(harness, endpoint) for endpoint in endpoints], values)


def _page(member: str, items: list[dict[str, Any]], values: dict[str, Any]) -> dict[str, Any]:
    """One page of a list; tokens are opaque and belong to the list they came from."""
    start, size = 0, values.get("maxResults", _DEFAULT_PAGE)
    token = values.get("nextToken")
    if token is not None:
        try:
            of, _, position = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
            start = int(position)
        except ValueError:
            of = ""
        if of != member or start < 0:
            raise refused("nextToken is not one that this operation returned", name="nextToken")
    page: dict[str, Any] = {member: items[start : start + size]}
    if start + size < len(items):
        page["nextToken"] = base64.urlsafe_b64encode(f"{member}:{start + size}".encode()).decode()
    return page


_OPERATIONS: dict[str, Callable[[Scope, dict[str, Any]], dict[str, Any]]] = {
    "CreateHarness": _create_harness,
    "GetHarness": _get_harness,
    "UpdateHarness": _update_harness,
    "DeleteHarness": _delete_harness,
    "ListHarnesses": _list_harnesses,
    "ListHarnessVersions": _list_versions,
    "CreateHarnessEndpoint": _create_endpoint,
    "GetHarnessEndpoint": _get_endpoint,
    "UpdateHarnessEndpoint": _update_endpoint,
    "DeleteHarnessEndpoint": _delete_endpoint,
    "ListHarnessEndpoints": _list_endpoints,
    "ListTagsForResource": tags.list_tags,
    "TagResource": tags.tag,
    "UntagResource": tags.untag,
}


# --- what a harness owns ------------------------------------------------------------------------------------------


def _guard_managed(scope: Scope, request: routes.Request) -> None:
    """Refuse what the service refuses on the memory and the runtime that belong to a harness."""
    if match := _MEMORY_PATH.fullmatch(request.path):
        body = json.loads(request.body) if request.body.strip() else {}
        if error := memory.guard(scope, request.method, match["id"], body):
            raise error
    if match := _RUNTIME_INVOCATION.fullmatch(request.path):
        runtime_id = match["arn"].rsplit("/", 1)[-1]
        owner = next((harness for harness in STORE.of(scope) if harness.runtime_id == runtime_id), None)
        if owner:
            raise conflict(f"Runtime '{runtime_id}' is managed by a harness; use InvokeHarness with {owner.arn}")
