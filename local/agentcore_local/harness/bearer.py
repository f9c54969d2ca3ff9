"""InvokeHarness with a token of an identity provider, for harnesses with a JWT authorizer.

The SDKs sign with SigV4 alone, so callers send such a request themselves
(https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/inbound-jwt-authorizer.html). Which of the two methods a
harness takes, its authorizer decides; the other one is refused.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from typing import TYPE_CHECKING, Any

from agentcore_local import seams

from . import api, routes
from .errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

SCHEME = "bearer "
_STATUS = {401: "UnauthorizedException", 403: "AccessDeniedException"}


async def answer(request: routes.Request) -> seams.HttpResponse:
    """The answer to an invocation that comes with a token.

    Args:
        request: Of InvokeHarness, with an Authorization header of the scheme Bearer.
    """
    route = routes.route_of(routes.service_model(routes.DATA).operation_model("InvokeHarness"))
    try:
        values = routes.parse(route, {}, request)
        _, _, _, region, account, _ = values["harnessArn"].split(":", 5)  # a token says nothing of an account
        with seams.acting_for((account, region)):
            harness = api.invokable(values["harnessArn"], values.get("qualifier"), token=True)
            settings = harness["authorizerConfiguration"]["customJWTAuthorizer"]
            token = request.headers["authorization"][len(SCHEME) :].strip()
            await asyncio.to_thread(
                _admit, token, settings, (account, region)
            )  # keys of the provider may have to be fetched
            if settings.get("allowedWorkloadConfiguration"):
                logger.warning("harness=<%s> | allowedWorkloadConfiguration is not checked here", values["harnessArn"])
            return await api.invoke(values, harness, token)
    except ServiceError as error:
        return error.response()


def _admit(token: str, settings: Mapping[str, Any], scope: seams.Scope) -> None:
    # As for gateways; it knows cryptography, which most requests do without.
    inbound = importlib.import_module("agentcore_local.gateway.inbound")
    try:
        inbound.admit(inbound.check_token(token, settings, scope=scope), settings)
    except inbound.NotAuthorized as refusal:
        raise ServiceError(_STATUS[refusal.status], str(refusal)) from refusal
