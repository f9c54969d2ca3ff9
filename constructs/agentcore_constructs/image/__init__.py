"""Images for harnesses: built by the CDK CLI with Docker, or by AWS CodeBuild without."""

from agentcore_constructs.config.image import BuildSecret

from .codebuild import CodeBuildImage

__all__ = ["BuildSecret", "CodeBuildImage"]
