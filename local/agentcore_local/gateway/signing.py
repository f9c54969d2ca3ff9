"""Requests signed with SigV4, as callers of an account of the local cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from agentcore_local.toolchain import SECRET_ACCESS_KEY

if TYPE_CHECKING:
    from collections.abc import Generator


class Signed(httpx.Auth):
    """Signs each request.

    Args:
        account: 12-digit account id; the local cloud takes it for the account's own credentials.
        service: The service name to sign for.
        region: The Region to sign for.
    """

    requires_request_body = True

    def __init__(self, account: str, service: str, region: str) -> None:
        self._signer = SigV4Auth(Credentials(account, SECRET_ACCESS_KEY), service, region)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Called by httpx."""
        self.sign(request)
        yield request

    def sign(self, request: Any) -> Any:
        """Signs a request of httpx, or of the successor that MCP clients use, and returns it."""
        # Only what no proxy and no client changes on the way is signed.
        headers = {name: request.headers[name] for name in ("host", "content-type") if name in request.headers}
        copy = AWSRequest(request.method, str(request.url), headers=headers, data=request.content or b"")
        self._signer.add_auth(copy)
        for name in ("Authorization", "X-Amz-Date", "X-Amz-Content-SHA256"):
            if name in copy.headers:
                request.headers[name] = copy.headers[name]
        return request
