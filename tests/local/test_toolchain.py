"""The CDK CLI that is found, and the environment subprocesses get."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from agentcore_local import toolchain

if TYPE_CHECKING:
    from pathlib import Path


def install(folder: Path, version: str) -> Path:
    """A CDK CLI of a version, installed in a folder as npm does it."""
    package = folder / "node_modules" / "aws-cdk"
    (package / "bin").mkdir(parents=True)
    (package / "package.json").write_text(json.dumps({"name": "aws-cdk", "version": version}))
    (package / "bin" / "cdk").write_text("")
    command = folder / "node_modules" / ".bin" / "cdk"
    command.parent.mkdir()
    command.symlink_to(package / "bin" / "cdk")
    return command


class TestCommand:
    def test_of_the_project(self, tmp_path: Path) -> None:
        command = install(tmp_path, "2.1148.1")
        assert toolchain.cdk_command(tmp_path) == [str(command)]

    def test_of_a_folder_above(self, tmp_path: Path) -> None:
        command = install(tmp_path, "2.1148.1")
        below = tmp_path / "a" / "b"
        below.mkdir(parents=True)
        assert toolchain.cdk_command(below) == [str(command)]

    def test_of_the_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        command = tmp_path / "bin" / "cdk"
        command.parent.mkdir()
        command.write_text("#!/bin/sh\n")
        command.chmod(0o755)
        monkeypatch.setenv("PATH", str(command.parent))
        assert toolchain.cdk_command(tmp_path) == [str(command)]

    def test_a_broken_release_is_refused(self, tmp_path: Path) -> None:
        install(tmp_path, "3.0.0")
        with pytest.raises(
            toolchain.ToolchainError, match=r"is version 3\.0\.0: it cannot synthesize; install aws-cdk@"
        ):
            toolchain.cdk_command(tmp_path)

    def test_none_says_how_to_get_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")
        with pytest.raises(toolchain.ToolchainError, match=r"run `npm install aws-cdk@2\.1148\.1`"):
            toolchain.cdk_command(tmp_path)


class TestEnvironment:
    def environment(self, tmp_path: Path) -> dict[str, str]:
        return toolchain.environment("http://127.0.0.1:1", "111122223333", "eu-west-1", home=tmp_path / "home")

    def test_points_everything_at_the_local_cloud(self, tmp_path: Path) -> None:
        found = self.environment(tmp_path)
        assert found["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
        assert found["AWS_ACCESS_KEY_ID"] == found["CDK_DEFAULT_ACCOUNT"] == "111122223333"
        assert found["AWS_REGION"] == found["AWS_DEFAULT_REGION"] == found["CDK_DEFAULT_REGION"] == "eu-west-1"
        assert found["AWS_DISABLE_HOST_PREFIX_INJECTION"] == "true"

    def test_has_a_home_of_its_own(self, tmp_path: Path) -> None:
        found = self.environment(tmp_path)
        home = tmp_path / "home"
        assert (found["HOME"], found["CDK_HOME"]) == (str(home), str(home / ".cdk"))
        assert home.is_dir()
        assert found["AWS_CONFIG_FILE"] == found["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"

    def test_carries_nothing_of_the_callers_credentials(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_PROFILE", "production")
        monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://elsewhere")
        monkeypatch.setenv("GITHUB_TOKEN", "real")
        names = set(self.environment(tmp_path))
        assert not names & {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "GITHUB_TOKEN"}
        assert "PATH" in names
