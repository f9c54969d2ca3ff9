"""The CDK CLI to run, and the environment in which a subprocess talks to the local cloud and to nothing else."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

BROKEN_CDK = {"3.0.0": "it cannot synthesize; install aws-cdk@2.1148.1"}
SECRET_ACCESS_KEY = "local-cloud-secret"  # noqa: S105 - public by design: the local cloud has no secrets
# Passed on to subprocesses; everything else of the caller's environment stays out.
_KEPT = (
    "PATH", "LANG", "LC_ALL", "TZ", "TERM", "TMPDIR", "SHELL", "USER", "VIRTUAL_ENV", "SYSTEMROOT", "XDG_RUNTIME_DIR",
    "NODE_OPTIONS", "NODE_EXTRA_CA_CERTS", "JSII_NODE", "JSII_RUNTIME", "NO_COLOR", "FORCE_COLOR", "CI",
    "JSII_RUNTIME_PACKAGE_CACHE_ROOT", "AGENTCORE_HARNESS_CDK_CACHE", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
)  # fmt: skip
# What leads pip and uv to their index, which packaging Lambda code needs: settings and proxies.
_KEPT_PREFIXES = ("PIP_", "UV_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
# Settings of pip and uv, and what was packaged before, are below the home of the user (see
# agentcore_constructs.functions), although HOME is another.
_HOME_OF_THE_USER = "AGENTCORE_HARNESS_CDK_HOME"


class ToolchainError(RuntimeError):
    """Something the local cloud needs on this machine is missing or known not to work."""


def cdk_command(start: Path | None = None) -> list[str]:
    """The CDK CLI: `node_modules/.bin/cdk` of a project folder or of one above it, else the one on PATH.

    Args:
        start: The project folder; the working directory when None.

    Raises:
        ToolchainError: There is none, or it is a release that is known to be broken.
    """
    folder = (start or Path.cwd()).resolve()
    local = [parent / "node_modules" / ".bin" / "cdk" for parent in (folder, *folder.parents)]
    command = next((str(path) for path in local if path.exists()), None) or shutil.which("cdk")
    if command is None:
        raise ToolchainError(
            f"no CDK CLI: there is no node_modules/.bin/cdk in {folder} or above it and no cdk on PATH; "
            "run `npm install aws-cdk@2.1148.1`"
        )
    version = _version_of(Path(command))
    if version in BROKEN_CDK:
        raise ToolchainError(f"the CDK CLI {command} is version {version}: {BROKEN_CDK[version]}")
    return [command]


def environment(endpoint: str, account: str, region: str, *, home: Path | None = None) -> dict[str, str]:
    """The whole environment for a subprocess (CDK CLI, AWS CLI, a script) that is to use the local cloud.

    Nothing of the user's `~/.aws` and `~/.cdk` is read or written: HOME and CDK_HOME are a folder of the account's own.

    Args:
        endpoint: URL of the local cloud.
        account: 12-digit account id; it is the access key as well, which is how the local cloud knows the account.
        region: AWS Region.
        home: Folder to use as HOME; by default one per account below the system's temporary folder.
    """
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    folder = home or Path(tempfile.gettempdir()) / f"agentcore-local-home-{owner}" / account
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)}
    return {
        _HOME_OF_THE_USER: os.environ.get(_HOME_OF_THE_USER) or str(Path.home()),
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(_jsii_cache()),
        **kept,
        "HOME": str(folder),
        "CDK_HOME": str(folder / ".cdk"),
        **variables(endpoint, account, region),
    }


def variables(endpoint: str, account: str, region: str) -> dict[str, str]:
    """Only the variables that point SDKs, the AWS CLI and the CDK CLI at the local cloud (`local env` prints them)."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        # SDKs would put `sync-` (Step Functions) before the host name, which does not resolve locally.
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "CDK_DEFAULT_ACCOUNT": account,
        "CDK_DEFAULT_REGION": region,
        "CDK_DISABLE_VERSION_CHECK": "1",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        # jsii takes the releases to be silent about; its banner is thirteen lines long.
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "18,19,20,21,22,23",
        "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "true",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "true",
        "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def _jsii_cache() -> Path:
    """Where jsii keeps unpacked packages by default; with a HOME of its own it would unpack them again (20 s)."""
    home = Path.home()
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "com.amazonaws.jsii" / "package-cache"
    if sys.platform == "win32":
        return home / "AppData" / "Local" / "AWS" / "jsii" / "package-cache"
    return home / ".cache" / "aws" / "jsii" / "package-cache"


def _version_of(command: Path) -> str | None:
    for folder in command.resolve().parents:
        manifest = folder / "package.json"
        if manifest.exists():
            content = json.loads(manifest.read_text())
            if content.get("name") == "aws-cdk":
                return str(content.get("version"))
    return None
