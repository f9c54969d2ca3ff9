"""An identity provider on this machine, which issues tokens and says with which keys."""

from __future__ import annotations

import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from agentcore_local.gateway import inbound

if TYPE_CHECKING:
    from pathlib import Path

ISSUER = "https://id.example.com"


class IdentityProvider:
    """Serves a discovery document, keys and a token endpoint; fixtures say that it is reached here.

    Args:
        certificate: Certificate and key in one file, for HTTPS.
    """

    def __init__(self, certificate: Path | None = None) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        documents = {
            "/.well-known/openid-configuration": {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"},
            "/keys": {"keys": [{**public, "kid": "one", "alg": "RS256"}]},
        }

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(documents[self.path]).encode())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                asked.append((self.headers["authorization"], body))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps({"access_token": "t0ken", "expires_in": 3600}).encode())

            def log_message(self, *_: Any) -> None:
                pass

        self.asked: list[tuple[str, str]] = []
        asked = self.asked
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self._scheme = "https"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.server.server_port}"

    def token(self, *, key: Any = None, **claims: Any) -> str:
        whole = {"iss": ISSUER, "aud": "shop", "exp": time.time() + 60, **claims}
        return jwt.encode(whole, key or self.key, algorithm="RS256", headers={"kid": "one"})

    def close(self) -> None:
        """Stop, and let nobody remember its keys."""
        inbound.reset()
        self.server.shutdown()
        self.server.server_close()
