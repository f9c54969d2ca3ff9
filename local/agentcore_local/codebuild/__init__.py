"""AWS CodeBuild without containers: builds of images are read and checked, never run.

Nothing a buildspec or a Dockerfile says is executed. `docker build` is followed as far as that can be done by reading:
source, Dockerfile, stage, copied files, arguments, secrets; `docker push` registers an image in the local ECR whose
digest is that of its source. `RUN exit 1` and `RUN false` fail, so that failing builds can be tried. Each log begins by
saying so.
"""

from __future__ import annotations

from agentcore_local import seams

from .assets import supply
from .builds import BuildRefused, start

__all__ = ["install"]


def install() -> None:
    """Puts our builds in the place of ministack's, which succeed at once and make nothing."""
    seams.on_start_build(start, BuildRefused)
    seams.on_missing_image(supply)
    seams.name_resources()
