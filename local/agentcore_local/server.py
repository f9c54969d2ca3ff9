"""The local cloud: ministack's services and ours in one process on the loopback interface.

`LocalCloud().start()` serves in a daemon thread with an event loop of its own, so tests and scripts use it from the
same process; `python -m agentcore_local` runs it in the foreground.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import importlib.metadata
import json
import logging
import os
import secrets
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from . import admin, clients, event_loops, state, toolchain
from .harness import caller
from .process import PROCESS, LocalCloudError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from types import TracebackType

    import boto3

    from .deploy import Deployment

_START_SECONDS = 60.0
# Each Lambda worker has a folder with its unpacked code, and removing some dozens of them on a busy disk takes a while.
_STOP_SECONDS = 60.0
# httptools parses in a fraction of the time that h11 takes. Headers are the application's own: ministack names server
# and time as AWS does, and decides itself whom to believe about proxies.
_SERVER: dict[str, Any] = {
    "http": "httptools",
    "ws": "wsproto",
    "lifespan": "on",
    "proxy_headers": False,
    "server_header": False,
    "date_header": False,
    "access_log": False,
    "log_config": None,
    "log_level": logging.WARNING,
    "timeout_keep_alive": 75,  # seconds; longer than SDKs keep a connection for reuse
    "timeout_graceful_shutdown": 1,  # seconds
}
_OBJECTS_PER_COLLECTION = 10_000
_READING = ("GET", "HEAD", "OPTIONS")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Where gateways answer; they are MCP servers, whose package takes a while to import.
_GATEWAYS = "/_gateway/"


class Account:
    """An account of the local cloud. Any 12-digit id is one: it exists by being used."""

    def __init__(self, cloud: LocalCloud, account_id: str, region: str) -> None:
        self.cloud = cloud
        self.account_id = account_id
        self.region = region

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment for subprocesses (CDK CLI, AWS CLI, scripts) that are to act in this account."""
        home = (PROCESS.folder or Path.cwd()) / "home" / self.account_id
        return toolchain.environment(self.cloud.endpoint_url, self.account_id, self.region, home=home)

    def in_region(self, region: str) -> Self:
        """The same account in another Region."""
        return type(self)(self.cloud, self.account_id, region)

    def session(self) -> boto3.Session:
        """A boto3 session with this account's credentials; it reads no configuration files."""
        return clients.session(self.account_id, self.region)

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of a service in this account.

        Args:
            service: Service name as boto3 knows it, such as `bedrock-agentcore`.
            options: Further arguments of `boto3.Session.client`.
        """
        endpoint = self.cloud.endpoint_url
        return clients.client(service, endpoint=endpoint, account=self.account_id, region=self.region, **options)

    def deploy(self, assembly: Path | str, stack_names: Sequence[str] | None = None) -> dict[str, Deployment]:
        """Deploy the stacks of a cloud assembly (`cdk.out`) without the CDK CLI; see `deploy.deploy`."""
        from . import deploy  # noqa: PLC0415

        return deploy.deploy(self, Path(assembly), stack_names)

    def destroy(self, stack_name: str) -> None:
        """Delete a stack and wait until it is gone; see `deploy.destroy`."""
        from . import deploy  # noqa: PLC0415

        deploy.destroy(self, stack_name)


class LocalCloud:
    """An AWS of your own on 127.0.0.1; see docs/local-cloud.md for what it emulates.

    Args:
        port: Port to listen on; 0 takes a free one.
        state_dir: Folder to keep state in between runs; None forgets everything at the end.
        iam: Check roles and permissions.
        host: Address to listen on. Only loopback addresses are accepted: nothing here is protected.

    Raises:
        LocalCloudError: The address is not a loopback one.
    """

    def __init__(
        self, port: int = 0, state_dir: Path | str | None = None, *, iam: bool = True, host: str = "127.0.0.1"
    ) -> None:
        if host not in _LOOPBACK:
            raise LocalCloudError(f"the local cloud listens on {', '.join(_LOOPBACK)} only; received host {host!r}")
        self._wanted_port = port
        self._state_dir = Path(state_dir).resolve() if state_dir is not None else None
        self._iam = iam
        self._host = host
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._shutdown: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._collections = gc.get_threshold()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def endpoint_url(self) -> str:
        """The URL SDKs use as their endpoint."""
        return PROCESS.endpoint_url

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.endpoint_url.rsplit(":", 1)[1])

    def start(self) -> Self:
        """Start serving; returns once requests are answered.

        Raises:
            LocalCloudError: One runs in this process already, the port is taken, the folder for state cannot be used or
                is another one's, or the server did not come up.
            SeamBrokenError: ministack is not the version this package composes with.
        """
        if PROCESS.running:
            raise LocalCloudError(f"a local cloud runs in this process already, on {PROCESS.endpoint_url}")
        if PROCESS.port is not None and self._state_dir != PROCESS.state_dir:
            raise LocalCloudError(
                f"this process served its first local cloud with state_dir {PROCESS.state_dir} and can only use that "
                f"one again; received {self._state_dir}; use another process"
            )
        listener = _bind(self._host, self._port_to_bind())
        try:
            PROCESS.prepare(host=self._host, port=listener.getsockname()[1], state_dir=self._state_dir)
            self._compose()
            self._serve(listener)
        except BaseException:
            # Closes nothing once the server has taken the descriptor over.
            listener.close()
            PROCESS.restore()
            raise
        return self

    def stop(self) -> None:
        """Stop serving, end Lambda workers, remove temporary files; does nothing when it is not running.

        Raises:
            LocalCloudError: It does not stop, or its last state could not be written. All else is done then, too.
        """
        if not PROCESS.running or self._thread is None:
            return
        if self._loop is not None and self._shutdown is not None:
            self._loop.call_soon_threadsafe(self._shutdown.set)
        self._thread.join(_STOP_SECONDS)
        stuck = self._thread.is_alive()
        self._thread = None
        from . import compose  # noqa: PLC0415

        try:
            compose.shut_down()
        except OSError as error:
            raise LocalCloudError(
                f"the last state could not be written to {self._state_dir} ({error.strerror or error}); what changed "
                "since the last time it could is lost"
            ) from error
        finally:
            gc.unfreeze()
            gc.set_threshold(*self._collections)
            PROCESS.running = False
            PROCESS.restore()
        if stuck:
            raise LocalCloudError(f"the local cloud did not stop within {_STOP_SECONDS:.0f} s; end the process")

    def reset(self) -> None:
        """Forget everything, in every account; milliseconds. A fresh account per test is the better isolation."""
        from . import compose  # noqa: PLC0415

        compose.reset()

    def account(self, account_id: str | None = None, region: str = "us-east-1") -> Account:
        """An account; a fresh one with a random id when none is given."""
        # Not from `random`: hypothesis and pytest-randomly seed that before every test, and the ids would repeat.
        chosen = account_id or str(10**11 + secrets.randbelow(9 * 10**11))
        if not (chosen.isdigit() and len(chosen) == 12):  # noqa: PLR2004
            raise LocalCloudError(f"an account id has 12 digits; received {chosen!r}")
        return Account(self, chosen, region)

    def script(self, harness: str | None, script: Any) -> None:
        """Decide what the scripted model of a harness says; see `agents.scripts.register`.

        Args:
            harness: Name or ARN of a harness; None for every harness without a script of its own.
            script: The script.
        """
        from .agents import scripts  # noqa: PLC0415 - loads Strands

        scripts.register(harness, script)

    def fixtures(self, source: Mapping[str, Any] | str | Path | None) -> None:
        """Say what stands in for the world outside: pages, search results, servers; see docs/local-tools.md.

        Args:
            source: A dict, or the path of a JSON or YAML file; None goes back to what the environment says.
        """
        from . import fixtures  # noqa: PLC0415

        fixtures.use(source)

    def health(self) -> dict[str, Any]:
        """What `GET /health` answers."""
        return health()

    def _port_to_bind(self) -> int:
        first = PROCESS.port
        if first is None:
            return self._wanted_port
        if self._wanted_port not in (0, first):
            raise LocalCloudError(
                f"this process served its first local cloud on port {first} and can only use that one again; "
                f"received {self._wanted_port}; use port=0 or another process"
            )
        return first

    def _compose(self) -> None:
        from . import compose  # noqa: PLC0415 - imports ministack, after its settings are in place

        compose.compose(iam_enabled=self._iam)

    def _serve(self, listener: socket.socket) -> None:
        self._ready.clear()
        self._failure = None
        self._thread = threading.Thread(target=self._run, args=(listener,), name="agentcore-local", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_SECONDS) or self._failure is not None:
            raise LocalCloudError(f"the local cloud did not come up: {self._failure or 'no answer'}")
        PROCESS.running = True
        # Services, models and schemas are some hundred thousand objects that stay: looking through them again and again
        # for garbage took a tenth of an invocation's time, and looking dozens of times during each another tenth.
        gc.freeze()
        self._collections = gc.get_threshold()
        gc.set_threshold(_OBJECTS_PER_COLLECTION, *self._collections[1:])
        from . import compose  # noqa: PLC0415

        try:
            compose.started()
        except OSError as error:
            state.KEPT.keeper = None  # it would fail again at the stop
            self.stop()
            raise LocalCloudError(
                f"state cannot be kept in {self._state_dir} ({error.strerror}); make room or choose another one"
            ) from error

    def _run(self, listener: socket.socket) -> None:
        try:
            with asyncio.Runner(loop_factory=event_loops.new_event_loop) as runner:
                runner.run(self._main(listener))
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for the start
            self._failure = error
        finally:
            self._ready.set()

    async def _main(self, listener: socket.socket) -> None:
        import uvicorn  # noqa: PLC0415

        from . import compose, seams  # noqa: PLC0415

        self._loop = asyncio.get_running_loop()
        self._shutdown = asyncio.Event()
        answering = application(_with_gateways(seams.asgi_app()), compose.reset)
        kept = answering if self._state_dir is None else _kept(answering)
        started = _announcing(kept, self._ready.set)
        server = uvicorn.Server(uvicorn.Config(started, **_SERVER))
        stopping = asyncio.create_task(_stop_when(self._shutdown, server))
        try:
            await server.serve(sockets=[listener])
        except SystemExit:  # uvicorn's way to say that the application failed while it started; it has logged why
            raise LocalCloudError("its services failed while they started; the log says why") from None
        finally:
            stopping.cancel()
        # Threads that wait for a Lambda worker end with it; otherwise closing the loop would wait for them.
        await asyncio.to_thread(seams.end_lambda_workers)


async def _stop_when(told: asyncio.Event, server: Any) -> None:
    await told.wait()
    server.should_exit = True


def health() -> dict[str, Any]:
    """Whether it runs, which version, where."""
    return {
        "status": "ok",
        "version": importlib.metadata.version("agentcore-harness-cdk"),
        "ministack": importlib.metadata.version("ministack"),
        "endpoint": PROCESS.endpoint_url,
        "pid": os.getpid(),
    }


def application(inner: Any, reset: Callable[[], None]) -> Any:
    """The ASGI application: `/health`, `/reset` and `/_agentcore/` of our own, everything else to ministack.

    A signed request for `/health` is one for an S3 bucket of that name and goes on to S3.
    """
    from .harness import front  # noqa: PLC0415 - imports botocore's models

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] in ("http", "websocket") and (stranger := _stranger(dict(scope["headers"]))):
            if scope["type"] == "http":
                message = (
                    f"The local cloud answers no web page but this machine's own; the request came from {stranger}"
                )
                await _json(send, 403, {"message": message}, error="AccessDeniedException")
            else:
                await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http":
            caller.arrived(receive)
            authorization = dict(scope["headers"]).get(b"authorization", b"")
            if not authorization and scope["path"] == "/health" and scope["method"] == "GET":
                await _json(send, 200, health())
                return
            if not authorization and scope["path"] == "/reset" and scope["method"] == "POST":
                await asyncio.to_thread(reset)
                await _json(send, 200, {"status": "reset"})
                return
            if not authorization and scope["path"].startswith(admin.PREFIX) and scope["method"] == "GET":
                query = scope["query_string"].decode("latin-1")
                await _json(send, *await asyncio.to_thread(admin.answer, scope["path"], query))
                return
            if await front.serve(scope, receive, send):
                return
        await inner(scope, receive, send)

    return app


def _with_gateways(inner: Any) -> Any:
    """The application with the gateways of this cloud in front."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_GATEWAYS):
            gateways = await asyncio.to_thread(importlib.import_module, "agentcore_local.gateway.server")
            await gateways.answer(scope, receive, send)
            return
        await inner(scope, receive, send)

    return app


def _kept(inner: Any) -> Any:
    """The application, with word given of each request that may have changed something."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await inner(scope, receive, send)
        finally:
            if scope["type"] == "http" and scope["method"] not in _READING:
                state.KEPT.touch()

    return app


def _stranger(headers: dict[bytes, bytes]) -> str | None:
    """The web page a browser acts for, unless it is one of this machine: it must not run agents and functions."""
    origin = headers.get(b"origin", b"").decode("latin-1")
    host = urlsplit(origin).hostname or ""
    if origin and not (host in _LOOPBACK or host.endswith(".localhost")):
        return origin
    return "another site" if headers.get(b"sec-fetch-site") == b"cross-site" else None


def _announcing(inner: Any, ready: Callable[[], None]) -> Any:
    """Call `ready` when the application has started and the listener takes requests."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await inner(scope, receive, send)
            return

        async def announce(message: Any) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                ready()

        await inner(scope, receive, announce)

    return app


async def _json(send: Callable[[Any], Awaitable[None]], status: int, body: Any, *, error: str | None = None) -> None:
    headers = [(b"content-type", b"application/json")]
    if error:
        headers.append((b"x-amzn-errortype", error.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode(), "more_body": False})


def _bind(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise LocalCloudError(
            f"port {port} on {host} cannot be used ({error.strerror}); stop what listens there or choose another port"
        ) from error
    listener.listen(1024)
    return listener
