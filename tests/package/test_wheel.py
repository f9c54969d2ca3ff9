"""What a user gets from `pip install agentcore-harness-cdk`: the built wheel, in environments of its own."""

from __future__ import annotations

import email.parser
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest
import uv

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "agentcore_constructs",
    "agentcore_lambdas",
    "agentcore_stepfunctions",
    "agentcore_local",
    "agentcore_cli",
)

pytestmark = pytest.mark.timeout(600)


def _tracked(folder: str) -> set[str]:
    """The files git knows below a source folder, as the wheel names them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.split("/", 1)[1] for line in listed.stdout.splitlines() if (ROOT / line).exists()}


def test_wheel_holds_every_file_of_the_five_packages_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = set().union(*(_tracked(f) for f in ("constructs", "lambdas", "stepfunctions", "local", "cli")))
    assert names == expected
    assert {name.split("/", 1)[0] for name in names} == set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_marked_as_typed(wheel: Path, package: str) -> None:
    assert f"{package}/py.typed" in zipfile.ZipFile(wheel).namelist()


def test_metadata_names_the_license_the_command_and_the_extras(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (info,) = {name.split("/", 1)[0] for name in archive.namelist() if ".dist-info/" in name}
    metadata = email.parser.Parser().parsestr(archive.read(f"{info}/METADATA").decode())
    assert metadata["License-Expression"] == "Apache-2.0"
    assert f"{info}/licenses/LICENSE" in archive.namelist()
    assert {"local", "cli", "yaml"} <= set(metadata.get_all("Provides-Extra"))
    core = {re.split(r"[<>=;\[ ]", need)[0] for need in metadata.get_all("Requires-Dist") if "extra ==" not in need}
    assert core == {"aws-cdk-lib", "constructs", "pydantic"}
    entry_points = archive.read(f"{info}/entry_points.txt").decode()
    assert "agentcore-harness = agentcore_cli.main:main" in entry_points
    assert "agentcore_local = agentcore_local.pytest_plugin" in entry_points


FOREIGN_APP = """
    import sys

    import aws_cdk as cdk
    from agentcore_constructs import Harness, Model

    assert "boto3" not in sys.modules, "the constructs must not need boto3"

    app = cdk.App(outdir="synthesized")
    stack = cdk.Stack(app, "Foreign")
    Harness(stack, "Helper", model=Model.bedrock("anthropic.claude-sonnet-4-6"), system_prompt="You help.")
    app.synth()
"""


EVERY_MODULE = """
    import importlib
    import pkgutil

    import agentcore_constructs
    import agentcore_stepfunctions

    for package in (agentcore_constructs, agentcore_stepfunctions):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
        for name in package.__all__:
            getattr(package, name)
"""


@pytest.fixture(params=["locked", "lowest-direct"])
def environment(request: pytest.FixtureRequest, wheel: Path, tmp_path: Path) -> Path:
    """An empty virtual environment with only the wheel and its core needs: the locked ones, then the oldest allowed."""
    python = tmp_path / "env" / "bin" / "python"
    constraints = tmp_path / "constraints.txt"
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = [line.rstrip(" \\") for line in lock.splitlines() if re.match(r"[a-z0-9-]+==", line)]
    constraints.write_text("\n".join(pins), encoding="utf-8")
    choice = ["--constraint", str(constraints)] if request.param == "locked" else ["--resolution", "lowest-direct"]
    _run([uv.find_uv_bin(), "venv", "--quiet", str(tmp_path / "env")], tmp_path)
    _run([uv.find_uv_bin(), "pip", "install", "--quiet", "--python", str(python), *choice, str(wheel)], tmp_path)
    return python


def _run(command: list[str], cwd: Path) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_a_foreign_app_synthesizes_one_construct(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(textwrap.dedent(FOREIGN_APP), encoding="utf-8")
    _run([str(environment), "app.py"], tmp_path)
    template = json.loads((tmp_path / "synthesized" / "Foreign.template.json").read_text(encoding="utf-8"))
    types = [resource["Type"] for resource in template["Resources"].values()]
    assert types.count("AWS::BedrockAgentCore::Harness") == 1
    assert types.count("AWS::IAM::Role") == 1


def test_every_construct_and_workflow_imports_without_extras(environment: Path, tmp_path: Path) -> None:
    """What runs inside Lambda has packages of its own there; a CDK app has none of them."""
    (tmp_path / "imports.py").write_text(textwrap.dedent(EVERY_MODULE), encoding="utf-8")
    _run([str(environment), "imports.py"], tmp_path)


def test_a_foreign_project_is_tested_and_served_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """The pytest plugin, and the command: with what a resolver chooses by itself, ministack's own botocore among it."""
    project = shutil.copytree(ROOT / "examples" / "testing_your_agent", tmp_path / "project")
    shutil.rmtree(project / ".pytest_cache", ignore_errors=True)
    programs = tmp_path / "env" / "bin"
    _run([uv.find_uv_bin(), "venv", "--quiet", str(tmp_path / "env")], tmp_path)
    install = [uv.find_uv_bin(), "pip", "install", "--quiet", "--python", str(programs / "python")]
    _run([*install, f"{wheel}[cli]", "pytest"], tmp_path)

    assert re.search(r"\d+ passed", _run([str(programs / "python"), "-m", "pytest", "-q"], project))

    command = str(programs / "agentcore-harness")
    started = json.loads(_run([command, "local", "up", "--detach", "--port", "0", "--json"], project))
    try:
        assert json.loads(_run([command, "list", "--json"], project))["harnesses"] == []
    finally:
        stopped = json.loads(_run([command, "local", "down", "--json"], project))
    assert stopped["pid"] == started["pid"]


def test_lambda_code_imports_without_the_cdk(wheel: Path, tmp_path: Path) -> None:
    """What runs inside Lambda must not drag 200 MB of CDK along."""
    probe = "import sys; import agentcore_lambdas; sys.exit('aws_cdk' in sys.modules or 'jsii' in sys.modules)"
    target = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target, [name for name in archive.namelist() if name.startswith("agentcore_lambdas/")])
    done = subprocess.run(
        [sys.executable, "-c", probe], env={**os.environ, "PYTHONPATH": str(target)}, cwd=tmp_path, check=False
    )
    assert done.returncode == 0
