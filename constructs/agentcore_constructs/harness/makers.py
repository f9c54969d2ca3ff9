"""What a configuration only describes, and what makes it: the one place where the two meet.

The configuration knows nothing of constructs, and a construct nothing of who wants it. Makers are loaded when the first
of their kind is wanted: most harnesses build no image and mount no file system, and the CDK takes its time to load.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentcore_constructs.config import HarnessEnvironmentArtifact, HarnessSkill, RetainedMemory
from agentcore_constructs.config.environment import VpcEnvironment
from agentcore_constructs.config.hooks import PythonHook
from agentcore_constructs.config.image import AssetImage, CodeBuildSource
from agentcore_constructs.config.inline import InlineTool, PythonTool
from agentcore_constructs.config.mounts import AttachedMount, NewMount
from agentcore_constructs.config.skills import DirectorySource, PinnedGitSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentcore_constructs.config import Host
    from agentcore_constructs.config.deferred import Wanted


def make(host: Host, wanted: Wanted) -> Any:  # noqa: C901, PLR0912  (a table)
    """Makes what is wanted, and returns what the configuration says about it.

    Raises:
        HarnessConfigError: It cannot be made.
        TypeError: Nothing here makes that; a value that makes its own constructs is a `Deferred`.
    """
    maker: Callable[[Host, Any], Any]
    match wanted:
        case AttachedMount():
            from agentcore_constructs.filesystems.attach import attached as maker
        case NewMount():
            from agentcore_constructs.filesystems.making import made as maker
        case HarnessEnvironmentArtifact():
            from agentcore_constructs.image.taken import taken as maker
        case AssetImage():
            from agentcore_constructs.image.asset import made as maker
        case CodeBuildSource():
            from agentcore_constructs.image.codebuild import made as maker
        case VpcEnvironment():
            from agentcore_constructs.network.placing import placed as maker
        case RetainedMemory():
            from agentcore_constructs.memory.retention import retained as maker
        case HarnessSkill():
            from agentcore_constructs.skills.bound import plain as maker
        case DirectorySource():
            from agentcore_constructs.skills.bound import directory as maker
        case PinnedGitSource():
            from agentcore_constructs.skills.bound import pinned as maker
        case PythonTool():
            from agentcore_constructs.tools.bound import made as maker
        case InlineTool():
            from agentcore_constructs.tools.bound import taken as maker
        case PythonHook():
            from agentcore_constructs.hooks.function import made as maker
        case _:
            raise TypeError(f"{type(wanted).__name__} is made by nobody here; let it be a Deferred that makes its own")
    return maker(host, wanted)
