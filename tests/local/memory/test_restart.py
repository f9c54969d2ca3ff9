"""The local cloud ends and starts again with the same state: sessions go on from what is in their memory."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from support import stacks

if TYPE_CHECKING:
    from pathlib import Path

RUN = """
import json, sys
from agentcore_local import LocalCloud

folder, trust, anything = sys.argv[1:]
with LocalCloud(state_dir=folder) as cloud:
    account = cloud.account("111122223333")
    cloud.script("helper", lambda call: str(len(call.messages)))
    control, iam = account.client("bedrock-agentcore-control"), account.client("iam")
    found = control.list_harnesses()["harnesses"]
    if not found:
        role = iam.create_role(RoleName="agent", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        iam.put_role_policy(RoleName="agent", PolicyName="Anything", PolicyDocument=anything)
        found = [control.create_harness(harnessName="helper", executionRoleArn=role)["harness"]]
    stream = account.client("bedrock-agentcore").invoke_harness(
        harnessArn=found[0]["arn"],
        runtimeSessionId="s" * 33,
        messages=[{"role": "user", "content": [{"text": "Hello."}]}],
    )["stream"]
    print("".join(event.get("contentBlockDelta", {}).get("delta", {}).get("text", "") for event in stream))
"""


def test_a_session_goes_on_after_a_restart(tmp_path: Path) -> None:
    def run() -> str:
        policies = [json.dumps(stacks.trust()), json.dumps(stacks.ANYTHING)]
        command = [sys.executable, "-c", RUN, str(tmp_path), *policies]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    assert [run(), run()] == ["1", "3"]
