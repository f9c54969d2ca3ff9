"""Agents on Amazon Bedrock AgentCore harness: configuration, constructs, grants.

The configuration needs no CDK: `agentcore_constructs.config` can be imported without it, and so can this package until
one of the constructs is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import config
from .config import *  # noqa: F403  (everything the configuration exports is public here too)
from .lazy import loading

if TYPE_CHECKING:
    from .credentials import ApiKey as ApiKey
    from .credentials import ModelKey as ModelKey
    from .credentials import OAuthClient as OAuthClient
    from .credentials import OAuthVendor as OAuthVendor
    from .filesystems import S3FilesAccessPoint as S3FilesAccessPoint
    from .filesystems import S3FilesFileSystem as S3FilesFileSystem
    from .gateway import Target as Target
    from .gateway import ToolGateway as ToolGateway
    from .harness import Harness as Harness
    from .harness import HarnessBase as HarnessBase
    from .harness import HarnessEndpoint as HarnessEndpoint
    from .harness import HarnessExecutionRole as HarnessExecutionRole
    from .harness import IEndpoint as IEndpoint
    from .harness import IHarness as IHarness
    from .harness import MetricOptions as MetricOptions
    from .harness import Network as Network
    from .harness import Version as Version
    from .hooks import HookFunction as HookFunction
    from .image import CodeBuildImage as CodeBuildImage
    from .memory import AgentMemory as AgentMemory
    from .memory import MemoryRetention as MemoryRetention
    from .network import AgentCoreVpcEndpoints as AgentCoreVpcEndpoints
    from .skills import DirectorySkill as DirectorySkill
    from .skills import PinnedGitSkill as PinnedGitSkill
    from .tools import InlineTool as InlineTool
    from .tools import PythonFunction as PythonFunction
    from .tools import ToolFunction as ToolFunction

# Construct → the module it is loaded from, below this package.
_CONSTRUCTS = {
    "AgentCoreVpcEndpoints": "network",
    "AgentMemory": "memory",
    "ApiKey": "credentials",
    "DirectorySkill": "skills",
    "CodeBuildImage": "image",
    "Harness": "harness",
    "HarnessBase": "harness",
    "HarnessEndpoint": "harness",
    "HarnessExecutionRole": "harness",
    "HookFunction": "hooks",
    "IEndpoint": "harness",
    "IHarness": "harness",
    "InlineTool": "tools",
    "MemoryRetention": "memory",
    "MetricOptions": "harness",
    "ModelKey": "credentials",
    "Network": "harness",
    "OAuthClient": "credentials",
    "OAuthVendor": "credentials",
    "PinnedGitSkill": "skills",
    "PythonFunction": "tools",
    "S3FilesAccessPoint": "filesystems",
    "S3FilesFileSystem": "filesystems",
    "Target": "gateway",
    "ToolFunction": "tools",
    "ToolGateway": "gateway",
    "Version": "harness",
}

__all__ = [*config.__all__, *_CONSTRUCTS]  # noqa: PLE0604  (lists of strings)

__getattr__ = loading(__name__, _CONSTRUCTS)


def __dir__() -> list[str]:
    return sorted({*globals(), *_CONSTRUCTS})
