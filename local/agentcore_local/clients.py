"""boto3 sessions of the local cloud: credentials and Region given, nothing read from files or the environment."""

from __future__ import annotations

import os
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Protocol, Self

from .process import PROCESS
from .toolchain import SECRET_ACCESS_KEY

if TYPE_CHECKING:
    import boto3
    from botocore.loaders import Loader

# The agent may be silent for long between two events; nothing else takes that long.
_READ_TIMEOUT_SECONDS = 900
_CONNECT_TIMEOUT_SECONDS = 5


class Account(Protocol):
    """An account of the local cloud in one Region, as what works in it needs it; `LocalCloud.account` gives one."""

    account_id: str
    region: str

    def in_region(self, region: str) -> Self:
        """The same account in another Region."""

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of a service in this account."""


@cache
def service_models() -> Loader:
    """One loader of botocore's service models for this process: each session would read them anew otherwise."""
    from botocore.loaders import create_loader  # noqa: PLC0415 - the package imports without the [local] extra

    return create_loader()


def session(account: str, region: str) -> boto3.Session:
    """A session with an account's credentials.

    Args:
        account: 12-digit account id, which is the access key as well.
        region: AWS Region.
    """
    import boto3  # noqa: PLC0415 - a tenth of a second, not always needed
    import botocore.session  # noqa: PLC0415

    # A variable's name in files, its name in the environment, its default, its type: only the default is looked at.
    fixed = {
        "profile": None,
        "config_file": os.devnull,
        "credentials_file": os.devnull,
        "ignore_configured_endpoint_urls": True,
    }
    core = botocore.session.Session({name: (None, None, value, None) for name, value in fixed.items()})
    core.register_component("data_loader", service_models())
    return boto3.Session(
        aws_access_key_id=account,
        aws_secret_access_key=SECRET_ACCESS_KEY,
        region_name=region,
        botocore_session=core,
    )


def client(service: str, *, endpoint: str, account: str, region: str, **options: Any) -> Any:
    """A client of a local service.

    Args:
        service: Service name as boto3 knows it.
        endpoint: URL of the local cloud.
        account: 12-digit account id.
        region: AWS Region.
        options: Further arguments of `boto3.Session.client`; a `config` is merged into ours.
    """
    from botocore.config import Config  # noqa: PLC0415

    config = Config(inject_host_prefix=False, read_timeout=_READ_TIMEOUT_SECONDS, retries={"total_max_attempts": 1})
    given = options.pop("config", None)
    merged = config.merge(given) if given else config
    untyped: Any = session(account, region)
    return untyped.client(service, **{"endpoint_url": endpoint, "config": merged, **options})


def shared(
    service: str, account: str, region: str, *, endpoint: str | None = None, seconds: int = _READ_TIMEOUT_SECONDS
) -> Any:
    """A client of a local service that all of this process share: boto3's are thread-safe, and slow to make.

    Args:
        service: Service name as boto3 knows it.
        account: 12-digit account id.
        region: AWS Region.
        endpoint: URL of the local cloud; the one of this process unless given.
        seconds: How long an answer may take.
    """
    return _shared(service, account, region, endpoint or PROCESS.endpoint_url, seconds)


@lru_cache(maxsize=256)
def _shared(service: str, account: str, region: str, endpoint: str, seconds: int) -> Any:
    from botocore.config import Config  # noqa: PLC0415

    config = Config(connect_timeout=_CONNECT_TIMEOUT_SECONDS, read_timeout=seconds)
    return client(service, endpoint=endpoint, account=account, region=region, config=config)
