"""State machines made and run over boto3, in an account per module."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from support import stacks

if TYPE_CHECKING:
    from agentcore_local import Account, LocalCloud

ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
States = dict[str, dict[str, Any]]


@dataclass
class Execution:
    """An execution, read anew each time."""

    machines: Machines
    arn: str

    def read(self) -> dict[str, Any]:
        found: dict[str, Any] = self.machines.client.describe_execution(executionArn=self.arn)
        return found

    def wait(self, seconds: float = 60) -> dict[str, Any]:
        """What DescribeExecution says of it when it has ended; `output` is read."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.read()
            if found["status"] in ENDED:
                return {**found, "output": json.loads(found.get("output") or "null")}
            time.sleep(0.02)
        raise AssertionError(f"the execution did not end: {self.read()}")

    def stop(self) -> None:
        self.machines.client.stop_execution(executionArn=self.arn)

    def events(self, kind: str) -> list[dict[str, Any]]:
        found = self.machines.client.get_execution_history(executionArn=self.arn, maxResults=1000)["events"]
        return [event for event in found if event["type"] == kind]


class Machines:
    """Makes and runs state machines with a role that may do anything, unless it is told otherwise."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.client = account.client("stepfunctions")
        self.role = self.make_role("anything", stacks.ANYTHING)

    def make_role(self, name: str, policy: dict[str, Any], service: str = "states.amazonaws.com") -> str:
        iam = self.account.client("iam")
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(stacks.trust(service)))
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
        return str(made["Role"]["Arn"])

    def make(self, states: States, *, language: str = "JSONata", role: str | None = None, **members: Any) -> str:
        """A state machine that starts with the first state; members in PascalCase are the definition's."""
        top = {name: members.pop(name) for name in list(members) if name[0].isupper()}
        definition = {"QueryLanguage": language, "StartAt": next(iter(states)), "States": states, **top}
        made = self.client.create_state_machine(
            name=f"m{uuid.uuid4().hex[:12]}", definition=json.dumps(definition), roleArn=role or self.role, **members
        )
        return str(made["stateMachineArn"])

    def start(self, states: States, given: Any = None, **options: Any) -> Execution:
        arn = self.make(states, **options)
        started = self.client.start_execution(stateMachineArn=arn, input=json.dumps(given))
        return Execution(self, started["executionArn"])

    def run(self, state: dict[str, Any], given: Any = None, **options: Any) -> dict[str, Any]:
        """Run a machine of one state to its end."""
        return self.start({"Only": {"End": True, **state}}, given, **options).wait()


def policy(*statements: tuple[str | list[str], str | list[str]]) -> dict[str, Any]:
    """A policy that allows these actions on these resources."""
    made = [{"Effect": "Allow", "Action": actions, "Resource": resources} for actions, resources in statements]
    return {"Version": "2012-10-17", "Statement": made or [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}


@pytest.fixture(scope="module")
def machines(local_cloud: LocalCloud) -> Machines:
    return Machines(local_cloud.account())


@pytest.fixture(scope="module")
def allow() -> Any:
    return policy


@pytest.fixture(scope="session")
def distributed() -> Any:
    """Makes a Distributed Map over one state."""

    def make(processor: dict[str, Any], **fields: Any) -> dict[str, Any]:
        config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
        states = {"Each": {"End": True, **processor}}
        return {
            "Type": "Map",
            "ItemProcessor": {"ProcessorConfig": config, "StartAt": "Each", "States": states},
            **fields,
        }

    return make
