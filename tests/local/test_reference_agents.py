"""The three reference agents on the local cloud: deployed, invoked through their endpoint, gone without a trace."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support import reference_agents
from support.reference_agents import ROOT, STACKS, WORKFLOW

if TYPE_CHECKING:
    from agentcore_local import Account


def test_they_deploy_answer_and_leave_nothing(account: Account, tmp_path: Path) -> None:
    reference_agents.synthesize(tmp_path)
    deployed = account.deploy(tmp_path)
    assert set(deployed) == {*STACKS, WORKFLOW}
    for stack in STACKS:
        (arn,) = {value for value in deployed[stack].outputs.values() if ":harness/" in value}
        response = account.client("bedrock-agentcore").invoke_harness(
            harnessArn=arn,
            qualifier="PROD",
            runtimeSessionId=str(uuid.uuid4()),
            messages=[{"role": "user", "content": [{"text": "Show me what you can do."}]}],
        )
        events = list(response["stream"])
        assert [e["messageStop"]["stopReason"] for e in events if "messageStop" in e][-1] == "end_turn"
        assert any("toolUse" in e.get("contentBlockStart", {}).get("start", {}) for e in events), f"{stack} did no work"
    for stack in (WORKFLOW, *STACKS):
        account.destroy(stack)
    control = account.client("bedrock-agentcore-control")
    assert control.list_harnesses()["harnesses"] == []
    assert control.list_memories()["memories"] == []
    roles = [role["RoleName"] for role in account.client("iam").list_roles()["Roles"]]
    assert not [name for name in roles if name.startswith((*STACKS, WORKFLOW))]


@pytest.mark.cli
@pytest.mark.timeout(300)
def test_the_demo_runs_to_its_last_line(tmp_path: Path) -> None:
    """`make demo` without the installation: bootstrap, deploy and conversations, and nothing left in HOME."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "demo.py")],
        # Packages are looked for where they are kept already; nothing else of HOME is.
        env={**os.environ, "AGENTCORE_HARNESS_CDK_HOME": str(Path.home()), "HOME": str(tmp_path), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for told in (
        "web-search___WebSearch",
        "browser {",
        "run publish_brief in Lambda",
        "The brief is in brief.md and published",
        'Knowledge___fiscal_quarter {"day": "2026-11-21"}',
        "Customers with at least one paid order in the last 90 days.",
        "code_interpreter {",
        "234 days had passed",
        "count_stops on after_invocation: allow\n",
        "keep_data on before_tool_call: allow\n",
        "keep_data on before_tool_call: deny\n",
        "The data below /mnt/data is read-only",
        "slug.py is written and prints: creme-brulee-twice",
        "announce on before_tool_call",
        "done on after_invocation",
    ):
        assert told in done.stdout
    assert '"published": true' in done.stdout  # by the workflow
    assert "deployed, invoked, remembered, cleaned up" in done.stdout.splitlines()[-1]
    assert not (tmp_path / ".aws").exists()
    assert not (tmp_path / ".cdk").exists()
