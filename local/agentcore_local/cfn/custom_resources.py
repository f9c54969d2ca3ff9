"""Custom resources: failing fast, and those whose functions cannot run here.

A custom resource runs its own Lambda function, as on AWS. Three things differ:

- A function that ends with an error before it answers fails the resource at once, one that returns without an answer
  after five minutes. AWS waits for the answer until the service timeout, an hour by default. CDK's provider framework,
  which answers from a state machine when it has an `isComplete` handler, is given all that time here too.
- A topic as the service token fails the resource at once when nobody has subscribed to it, and so does the one function
  that has when it ends with an error (`topics`); AWS waits in vain.
- CDK's own providers that need the JavaScript SDK, `/opt/awscli` or a tag the local S3 does not keep are served by
  Python here (`builtin`, `cross_region`), with the same properties and the same data.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from typing import Any

from agentcore_local import seams

from . import builtin, cross_region, topics

logger = logging.getLogger(__name__)

Served = Callable[[builtin.Call], builtin.Answer]
GRACE_SECONDS = 300.0
# Set by CDK's provider framework on functions whose answer comes from a state machine.
_WAITER = "WAITER_STATE_MACHINE_ARN"
_SERVED: dict[str, Served] = {**builtin.SERVED, **cross_region.SERVED}


def register_custom_resource(resource_type: str, serve: Served) -> None:
    """Serve a custom resource type with a Python function instead of its Lambda function.

    Args:
        resource_type: Such as `Custom::MyThing`.
        serve: Gets the call, returns physical id and data; an exception fails the resource.
    """
    _SERVED[resource_type] = serve


def install() -> None:
    """Put both into ministack; doing it again changes nothing."""
    seams.wrap_custom_resources(_around)
    seams.on_function_end(_ended)


def _around(original: seams.CustomResource) -> seams.CustomResource:
    def invoke_custom_resource(  # noqa: PLR0917 - ministack's signature
        request_type: str,
        logical_id: str,
        props: dict[str, Any],
        stack_name: str,
        stack_id: str,
        resource_type: str,
        physical_id: str | None = None,
        old_props: dict[str, Any] | None = None,
    ) -> tuple[str, dict[str, Any]]:
        serve = _SERVED.get(resource_type) or (builtin.sdk_call if "InstallLatestAwsSdk" in props else None)
        try:
            by_topic = serve is None and topics.is_topic(props.get("ServiceToken"))
            if serve is None and not by_topic:
                return original(
                    request_type, logical_id, props, stack_name, stack_id, resource_type, physical_id, old_props
                )
            account, region = seams.current_scope()
            call = builtin.Call(request_type, logical_id, props, physical_id, old_props, account, region)
            answer = topics.serve(call, resource_type, stack_id) if serve is None else serve(call)
        except Exception as error:
            # CloudFormation's wording; the reason is the function's own.
            raise RuntimeError(
                f"Received response status [FAILED] from custom resource. Message returned: {error} "
                f"(RequestId: {uuid.uuid4()})"
            ) from error
        return answer.physical_id, answer.data

    return invoke_custom_resource


def _ended(variables: dict[str, str], event: Any, error: str | None) -> None:
    """A function has ended; if it was to answer for a custom resource and failed, or never will, answer for it."""
    by_topic = topics.request_in(event)
    event = event if by_topic is None else by_topic
    url = event.get("ResponseURL") if isinstance(event, dict) else None
    if not isinstance(url, str) or "/_ministack/cfn-response/" not in url:
        return
    token = url.rsplit("/", 1)[-1]
    if by_topic is not None and not topics.depends_on_one_function(token):
        return
    if error is not None:
        logger.warning("the function of custom resource %s failed: %s", event.get("LogicalResourceId"), error)
        _fail(token, event, f"The function failed before it answered: {error}")
    elif seams.awaits_answer(token) and _WAITER not in variables:
        reason = (
            f"The function returned {GRACE_SECONDS:.0f} s ago and has not answered; the local cloud waits no longer"
        )
        timer = threading.Timer(GRACE_SECONDS, _fail, (token, event, reason))
        timer.daemon = True
        timer.start()


def _fail(token: str, event: dict[str, Any], reason: str) -> None:
    physical_id = event.get("PhysicalResourceId") or str(uuid.uuid4())
    seams.answer_custom_resource(token, {"Status": "FAILED", "Reason": reason, "PhysicalResourceId": physical_id})
